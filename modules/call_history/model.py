"""What history gives back: frozen records, and what may be asked. The call itself is modules.calls.Call."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modules.calls import Call, Direction, Outcome, State


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance. `speaker` is "agent" or "callee"; seconds count from the answer."""

    call_id: str
    index: int
    speaker: str
    text: str
    start_s: float
    end_s: float
    interrupted: bool
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One placing of a call: when it reached which stage, and how it ended."""

    call_id: str
    attempt: int
    placing_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None
    sip_status_code: int | None
    reason: str
    room: str | None
    worker_id: str | None


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One entry of a call's timeline, without spoken words. `id` is the event stream's id."""

    id: str
    call_id: str
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which calls to list; None means any. `text` is looked for in what was said and in caller names, ignoring case."""

    state: State | None = None
    outcome: Outcome | None = None
    direction: Direction | None = None
    personality: str | None = None
    arm: str | None = None
    trunk: str | None = None
    simulated: bool | None = None
    to_number: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first, and the cursor of the next page; None after the last."""

    calls: tuple[Call, ...]
    next_cursor: str | None
