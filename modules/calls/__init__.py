"""Words and rules of a call: what it is, what may follow what, what a refusal means, what may be dialled.

No I/O, no clock, no settings, no asyncio: every function takes what it needs and returns what follows.
"""

from modules.calls.lifecycle import TRANSITIONS, Disposition, Report, advance, arriving, next_state
from modules.calls.model import Call, Direction, Priority, new_call_id, room_name
from modules.calls.outcomes import Outcome, Retry
from modules.calls.states import Event, State

__all__ = [
    "TRANSITIONS",
    "Call",
    "Direction",
    "Disposition",
    "Event",
    "Outcome",
    "Priority",
    "Report",
    "Retry",
    "State",
    "advance",
    "arriving",
    "new_call_id",
    "next_state",
    "room_name",
]
