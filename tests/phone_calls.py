"""Calls as tests need them: complete, valid, and boring except for what the test says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from modules.calls import Call, Direction, new_call_id

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GYM = "+12025550100"


def a_call(now: datetime = NOON, **facts: Any) -> Call:
    """Return a queued call to the simulated gym, accepted at `now`, with whatever the test changes about it."""
    usual: dict[str, Any] = {
        "call_id": new_call_id(Direction.OUTBOUND, now),
        "to_number": GYM,
        "from_number": "+12025550199",
        "personality": "local_demo",
        "trunk": "simulated",
        "simulated": True,
        "created_at": now,
        "expires_at": now + timedelta(days=1),
    }
    return Call(**(usual | facts))
