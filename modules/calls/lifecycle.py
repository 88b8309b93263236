"""The one state machine of a call, and its law: everything that decides a state lives in this file, and nothing here does I/O.

Parties report events; TRANSITIONS says what may follow. Where an event can lead to two states (a failed attempt may be
queued again), the report carries `retry_at` and that alone chooses; once a phone may have rung, the outcome must be one that
outcomes.RETRY lets be tried again. Drawn in docs/call-states.md from this table.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from modules.calls.errors import IllegalTransition
from modules.calls.model import Call, Direction, new_call_id
from modules.calls.outcomes import RETRY, Outcome, Retry
from modules.calls.states import Event, State

TRANSITIONS: dict[tuple[State, Event], tuple[State, ...]] = {
    (State.QUEUED, Event.CLAIMED): (State.PLACING,),
    (State.QUEUED, Event.CANCELLED): (State.ENDED,),
    (State.QUEUED, Event.EXPIRED): (State.ENDED,),
    (State.QUEUED, Event.BLOCKED): (State.ENDED,),
    (State.PLACING, Event.DIALING): (State.RINGING,),
    (State.PLACING, Event.ATTEMPT_FAILED): (State.QUEUED, State.ENDED),
    (State.PLACING, Event.LOST): (State.QUEUED, State.ENDED),
    (State.PLACING, Event.CANCELLED): (State.ENDED,),
    (State.PLACING, Event.BLOCKED): (State.ENDED,),
    (State.RINGING, Event.ANSWERED): (State.IN_PROGRESS,),
    (State.RINGING, Event.ATTEMPT_FAILED): (State.QUEUED, State.ENDED),
    (State.RINGING, Event.LOST): (State.ENDED,),
    (State.RINGING, Event.CANCELLED): (State.ENDED,),
    (State.IN_PROGRESS, Event.HUNG_UP): (State.ENDED,),
    (State.IN_PROGRESS, Event.TRANSFERRED): (State.ENDED,),
    (State.IN_PROGRESS, Event.CANCELLED): (State.ENDED,),
    (State.IN_PROGRESS, Event.LOST): (State.ENDED,),
}

# The outcome where the report names none. A call lost while ringing may have rung somebody: nobody can know.
_DEFAULT_OUTCOME: dict[tuple[State, Event], Outcome] = {
    (State.PLACING, Event.LOST): Outcome.INFRASTRUCTURE,
    (State.RINGING, Event.LOST): Outcome.INDETERMINATE,
    (State.IN_PROGRESS, Event.LOST): Outcome.AGENT_FAILED,
    (State.IN_PROGRESS, Event.HUNG_UP): Outcome.COMPLETED,
    (State.IN_PROGRESS, Event.TRANSFERRED): Outcome.TRANSFERRED,
    **{(state, Event.CANCELLED): Outcome.CANCELED for state in State if state is not State.ENDED},
    **{(state, Event.BLOCKED): Outcome.BLOCKED for state in (State.QUEUED, State.PLACING)},
    (State.QUEUED, Event.EXPIRED): Outcome.EXPIRED,
}
# A call that came in and was lost while it rang was answered by nobody: that much is known.
_INBOUND_OUTCOME = {(State.RINGING, Event.LOST): Outcome.AGENT_FAILED}


class Disposition(StrEnum):
    """What happened to a report."""

    APPLIED = "applied"
    """The call changed as reported."""
    REPEATED = "repeated"
    """The call had ended already; nothing changed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a party says has happened. `outcome` and `reason` matter where the call ends or an attempt fails."""

    event: Event
    outcome: Outcome | None = None
    reason: str = ""
    sip_status_code: int | None = None
    retry_at: datetime | None = None
    room: str | None = None


def arriving(now: datetime, **facts: Any) -> Call:
    """Return an inbound call as it begins: its phone rings already when we hear of it."""
    call_id = new_call_id(Direction.INBOUND, now)
    return Call(
        call_id=call_id, direction=Direction.INBOUND, state=State.RINGING, attempt=1, created_at=now, ringing_at=now,
        expires_at=now, **facts,
    )  # fmt: skip


def next_state(state: State, event: Event, *, retry: bool = False) -> State:
    """Return the state that follows, or raise IllegalTransition. `retry` matters only where two states may follow."""
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise IllegalTransition(f"A call that is {state.value} cannot be told '{event.value}'.")
    return following[0] if retry else following[-1]


def advance(call: Call, report: Report, now: datetime) -> tuple[Call, Disposition]:
    """Return the call after the report. A report about an ended call changes nothing; an impossible one raises."""
    if call.state is State.ENDED:
        return call, Disposition.REPEATED
    state = next_state(call.state, report.event, retry=report.retry_at is not None)
    if call.state is State.RINGING and state is State.QUEUED and RETRY[_outcome(call, report)] is Retry.NEVER:
        raise IllegalTransition(f"A call that rang and ended as '{_outcome(call, report).value}' is not dialled again.")
    facts = _times(state, now) | _facts(call, report, state)
    changed = replace(call, state=state, **facts)
    return changed, Disposition.APPLIED


def _times(state: State, now: datetime) -> dict[str, Any]:
    stamp = {
        State.PLACING: "placing_at",
        State.RINGING: "ringing_at",
        State.IN_PROGRESS: "answered_at",
        State.ENDED: "ended_at",
    }
    return {stamp[state]: now} if state in stamp else {}


def _facts(call: Call, report: Report, state: State) -> dict[str, Any]:
    facts: dict[str, Any] = {"reason": report.reason, "sip_status_code": report.sip_status_code}
    if report.event is Event.CLAIMED:
        facts |= {"attempt": call.attempt + 1, "room": report.room, "worker_id": None, "ringing_at": None}
    if report.event is Event.DIALING:
        facts |= {"dials": call.dials + 1}
    if state is State.QUEUED:
        facts |= {"not_before": report.retry_at, "last_outcome": _outcome(call, report)}
    if state is State.ENDED:
        facts |= {"outcome": _outcome(call, report)}
    return facts


def _outcome(call: Call, report: Report) -> Outcome:
    told = (call.state, report.event)
    usual = _INBOUND_OUTCOME.get(told) if call.direction is Direction.INBOUND else None
    outcome = report.outcome or usual or _DEFAULT_OUTCOME.get(told)
    if outcome is None:
        raise IllegalTransition(f"The event '{report.event.value}' needs an outcome.")
    return outcome
