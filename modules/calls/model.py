"""The one record of a call, and its one serializer. Frozen: only lifecycle.advance makes the next version of its state."""

import secrets
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from modules.calls.outcomes import Outcome
from modules.calls.states import State


class Direction(StrEnum):
    """Who rang whom."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Priority(StrEnum):
    """Which of the waiting calls goes first; equal ones keep their order."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call from acceptance to its end. Times are aware UTC; `version` counts writes, `attempt` placings, `dials` INVITEs."""

    call_id: str
    direction: Direction = Direction.OUTBOUND
    state: State = State.QUEUED
    outcome: Outcome | None = None
    last_outcome: Outcome | None = None
    reason: str = ""
    sip_status_code: int | None = None
    attempt: int = 0
    dials: int = 0
    version: int = 0
    to_number: str = ""
    from_number: str = ""
    personality: str = ""
    arm: str = ""
    personality_hash: str = ""
    trunk: str = ""
    simulated: bool = False
    caller_name: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    extraction: dict[str, Any] = field(default_factory=dict)
    llm_prompt: str = ""
    greeting: str = ""
    callback_url: str = ""
    priority: Priority = Priority.NORMAL
    max_attempts: int = 1
    max_call_s: int = 600
    ring_timeout_s: int = 30
    api_key_id: str = ""
    worker_id: str | None = None
    room: str | None = None
    created_at: datetime
    not_before: datetime | None = None
    expires_at: datetime
    placing_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON types; datetimes as ISO 8601."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Call":
        """Return the call that `to_json` wrote. Raises TypeError on unknown or missing fields."""
        return cls(**{name: _READERS.get(name, _same)(value) for name, value in record.items()})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _same(value: Any) -> Any:
    return value


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _maybe_outcome(value: str | None) -> Outcome | None:
    return Outcome(value) if value else None


_READERS: dict[str, Any] = {
    "direction": Direction,
    "state": State,
    "priority": Priority,
    "outcome": _maybe_outcome,
    "last_outcome": _maybe_outcome,
    **{
        name: _moment
        for name in ("created_at", "not_before", "expires_at", "placing_at", "ringing_at", "answered_at", "ended_at")
    },
}


def new_call_id(direction: Direction, now: datetime) -> str:
    """Mint "outbound-20261121-040102-k3v9…": readable, unguessable, never holding the phone number."""
    return f"{direction.value}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"


def room_name(call_id: str, attempt: int) -> str:
    """Return the room of one attempt; unique, because an existing room ignores its dispatch."""
    return f"{call_id}-{attempt}"
