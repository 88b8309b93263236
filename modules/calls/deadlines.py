"""By when must a call have moved on? The second clock beside the phone network's own timers; the reaper reads it."""

from datetime import datetime, timedelta

from modules.calls.model import Call
from modules.calls.states import State

# An agent may wait this long for the carrier's turn before it dials.
PACING_S = 60
# livekit-server answers a dial request at most this long after the ringing timeout.
RING_SLACK_S = 15
# The worker and the trunk end a conversation at max_call_s; the reaper only where both failed.
TALK_SLACK_S = 5
# A living holder is heard of every second, on a busy machine a few seconds later; one that has let so many pass while its
# phone has left is gone.
SILENT_S = 5.0


def deadline(call: Call, now: datetime) -> datetime | None:
    """Return the moment at which this call, unchanged since `now`, counts as stuck; None when it has ended."""
    match call.state:
        case State.QUEUED:
            return call.expires_at
        case State.PLACING:
            return now + timedelta(seconds=PACING_S)
        case State.RINGING:
            return now + timedelta(seconds=call.ring_timeout_s + RING_SLACK_S)
        case State.IN_PROGRESS:
            return (call.answered_at or now) + timedelta(seconds=call.max_call_s + TALK_SLACK_S)
        case State.ENDED:
            return None
