"""The few things the manual needs: a call, and a fleet's clock that can be moved."""

import pytest

from modules.call_queue_manager import Store
from tests.fleet_clock import Clock


@pytest.fixture
def clock(store: Store) -> Clock:
    return Clock(store)
