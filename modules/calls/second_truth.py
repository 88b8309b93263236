"""What LiveKit saw of the phone, and what that makes of a call whose agent can no longer tell.

Webhooks bring the sightings, the reaper asks. A sighting alone never ends a call; it speaks only for a silent holder.
"""

from datetime import datetime
from enum import StrEnum

from modules.calls.lifecycle import Report
from modules.calls.model import Call, Direction
from modules.calls.outcomes import Outcome
from modules.calls.retry import retry_at
from modules.calls.states import Event, State

LEG_JOINED = "call.leg_joined"
LEG_LEFT = "call.leg_left"
"""Events that tell of the phone and change no state. Data: `room`, and `leg_end` where it left."""
WATCHED = (State.RINGING, State.IN_PROGRESS)
"""Only in these states is there a phone that could be seen."""


class LegEnd(StrEnum):
    """How the phone left its room."""

    HUNG_UP = "hung_up"
    """Its owner pressed the red button after a conversation, or gave up."""
    REJECTED = "rejected"
    """It refused the call: busy or declined; LiveKit does not say which."""
    UNAVAILABLE = "unavailable"
    """Nobody picked up, or it is switched off."""
    LOST = "lost"
    """Any other way: a broken line, a closed room, a server that stopped."""


def lost(call: Call, leg_end: LegEnd | None, why: str, now: datetime) -> Report:
    """Return what to report of a call that nobody holds any more. `leg_end` is what was seen of this attempt's phone."""
    match call.state, leg_end:
        case State.PLACING, _:
            return Report(Event.LOST, reason=why, retry_at=retry_at(call, Outcome.INFRASTRUCTURE, now))
        case State.RINGING, LegEnd.REJECTED:
            return Report(Event.ATTEMPT_FAILED, Outcome.DECLINED, f"{why} The phone had refused the call.")
        case State.RINGING, LegEnd.UNAVAILABLE:
            again = retry_at(call, Outcome.NO_ANSWER, now) if call.direction is Direction.OUTBOUND else None
            return Report(Event.ATTEMPT_FAILED, Outcome.NO_ANSWER, f"{why} Nobody had picked up.", retry_at=again)
        case State.IN_PROGRESS, LegEnd.HUNG_UP:
            return Report(Event.LOST, reason=f"{why} The other side had hung up.")
        case _:
            return Report(Event.LOST, reason=why)
