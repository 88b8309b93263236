"""When a failed attempt is tried again. Pure: the numbers are here, the clock is the caller's."""

from datetime import datetime, timedelta

from modules.calls.model import Call
from modules.calls.outcomes import RETRY, Outcome, Retry

# A busy line frees itself in minutes; each further try waits twice as long.
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=1)
# Nothing was dialled: try again at once, but not for ever. A call whose agent crashes every time must end.
SAFE_PAUSE = timedelta(seconds=1)
FRUITLESS_PLACINGS = 4


def retry_at(call: Call, outcome: Outcome, now: datetime) -> datetime | None:
    """Return when this call may be tried again after `outcome`, or None when it ends."""
    match RETRY[outcome]:
        case Retry.NEVER:
            return None
        case Retry.SAFE:
            if call.attempt >= call.max_attempts - 1 + FRUITLESS_PLACINGS:
                return None
            pause: timedelta = SAFE_PAUSE * 3 ** (call.attempt - 1)
            return now + pause
        case Retry.LATER:
            if call.dials >= call.max_attempts:
                return None
            due = now + min(FIRST_PAUSE * 2 ** (call.dials - 1), LONGEST_PAUSE)
            return due if due < call.expires_at else None
