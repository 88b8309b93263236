"""What history gives back: frozen records, and what may be asked. The call itself is modules.calls.Call."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modules.calls import Call, Direction, Outcome, State


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance. `speaker` is "agent" or "callee"; seconds count from the answer.

    `keys` are those of the telephone, where somebody pressed some: `text` says the same, and what no record may hold is •.
    """

    call_id: str
    index: int
    speaker: str
    text: str
    start_s: float
    end_s: float
    interrupted: bool
    latency_ms: float | None
    keys: str


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
    """Which calls to list; None means any. `text` is looked for in what was said and in caller names, ignoring case.

    `party` is the number at the other end, whoever rang whom.
    """

    state: State | None = None
    outcome: Outcome | None = None
    direction: Direction | None = None
    personality: str | None = None
    arm: str | None = None
    trunk: str | None = None
    simulated: bool | None = None
    to_number: str | None = None
    party: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first, and the cursor of the next page; None after the last."""

    calls: tuple[Call, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of` calls. `low` and `high` bound the true share with 95 % confidence (Wilson); all None where `of` is 0."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """`count` measured values; None where there is none. `p95`: 95 % of the values are not above it."""

    count: int
    mean: float | None
    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of the calls of one personality, or of one arm of a split (`arm` is "" elsewhere).

    `rung` calls have ended and may have rung: dialled ones, and all inbound ones. `answered` is of these; `completed` and what is
    measured is of the answered ones. `versions` counts the different files they ran with: more than one mixes two texts.
    """

    personality: str
    arm: str
    calls: int
    ended: int
    versions: int
    outcomes: dict[str, int]
    answered: Share
    completed: Share
    talk_s: Spread
    turns: Spread
    latency_ms: Spread
