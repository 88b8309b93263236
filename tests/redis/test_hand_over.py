"""Handing over rings another phone, so the same rules hold as for every dial; what goes wrong is told as a sentence."""

from typing import Any

import pytest

from config import Settings
from modules.call_queue_manager import CallQueue, DoNotCall, Held, Store
from modules.calls import Call
from modules.conversation.hand_over import HandOver
from tests.fleet_clock import Clock
from tests.phone_calls import a_call

pytestmark = pytest.mark.redis


@pytest.fixture
def way(settings: Settings, store: Store, clock: Clock) -> HandOver:
    """The way from a call on a trunk whose SIP service is not running."""
    facts: dict[str, Any] = {"sip_api_url": "http://127.0.0.1:9", "allowed_countries": "US"}
    nowhere = Settings.model_validate(settings.model_dump() | facts)
    call: Call = a_call(clock.now())
    return HandOver(nowhere, store, Held(call, 1), "room", "callee")


async def test_a_number_that_may_not_be_dialled_is_not_handed_over_to(way: HandOver) -> None:
    """My personality names a number abroad; the gate says what it says to every dial."""
    assert await way.to("+493012345678") == "Calls to DE are not allowed; add it to ALLOWED_COUNTRIES."


async def test_nobody_is_rung_while_dialling_is_paused(way: HandOver, queue: CallQueue) -> None:
    """The stop switch stops hand-overs too."""
    await queue.pause(on=True)
    assert await way.to("+12025550111") == "Dialling is paused."


async def test_who_asked_not_to_be_called_is_not_handed_over_to(way: HandOver, store: Store) -> None:
    """The target of a transfer is a number like any other."""
    await DoNotCall(store).add("+12025550111", "key_1")
    assert await way.to("+12025550111") == "This number is on the do-not-call list."


async def test_a_carrier_that_is_not_there_is_a_sentence(way: HandOver) -> None:
    """The conversation goes on with that sentence; nothing is raised into it."""
    assert await way.to("+12025550111") == "No SIP service took the request; nothing was dialled."
