"""The list of who is not called: each number once, until somebody takes it off. And the last one to ask it is who dials."""

import pytest
from livekit import api, rtc

from config import Settings, policy
from modules.call_queue_manager import CallQueue, DoNotCall, Pacing, Records, Store, keys
from modules.calls import Event, Report, room_name
from modules.calls.errors import NotFound
from modules.conversation.phone_line import PhoneLine
from modules.sip_management.trunks import SIMULATED, of_settings
from tests.fleet_clock import Claim, Clock, Enqueue

pytestmark = pytest.mark.redis

HERS, HIS = "+12025550100", "+12025550107"


async def test_a_number_is_on_the_list_once_and_until_it_is_taken_off(store: Store, clock: Clock, queue: CallQueue) -> None:
    """The first entry stays, however often somebody says it; the newest number is listed first."""
    numbers = DoNotCall(store)
    first = await numbers.add(HERS, "text_message")
    clock.passes(seconds=60)
    assert await numbers.add(HERS, "key_1") == first
    second = await numbers.add(HIS, "key_1")
    assert await numbers.listed() == [second, first]
    assert (await queue.barred(HERS), await queue.barred("+12025550109")) == (True, False)
    assert await numbers.remove(HERS) == first
    assert not await queue.barred(HERS)
    with pytest.raises(NotFound):
        await numbers.remove(HERS)


async def test_the_list_is_not_forgotten(store: Store) -> None:
    """A fleet that was switched off for a year still knows whom not to call."""
    await DoNotCall(store).add(HERS, "text_message")
    assert await store.client.ttl(keys.DO_NOT_CALL) == -1


async def test_who_asks_in_the_last_moment_is_not_rung(
    settings: Settings, store: Store, queue: CallQueue, records: Records, enqueue: Enqueue, claim: Claim
) -> None:
    """The agent sits in the room and is about to dial; nothing is sent, and the call ends with the reason."""
    call = await enqueue(to_number=HERS)
    held = await claim()
    assert held
    await records.report(call.call_id, Report(Event.CLAIMED, room=room_name(call.call_id, 1)), token=held.token)
    await DoNotCall(store).add(HERS, "text_message")
    trunk = of_settings(settings.model_copy(update={"sip_api_url": "http://127.0.0.1:9"}))[SIMULATED]
    line, dialled = PhoneLine(records, queue, Pacing(store, SIMULATED, 10), policy(settings), trunk), list[bool]()
    async with api.LiveKitAPI(trunk.sip_api_url, "testing", "only-for-tests-0123456789-0123456789") as carrier:
        failed = await line.ring(held, rtc.Room(), carrier, lambda: dialled.append(True))
    assert failed and failed.report and (failed.report.event, dialled) == (Event.BLOCKED, [])
    assert failed.report.reason.startswith("do_not_call: ")
