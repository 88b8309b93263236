"""A simulated phone in a real room: what an agent sees of it, hears from it, and how either of them hangs up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from livekit import api, rtc

from modules.conversation.speech.local import collect_lines
from modules.conversation.speech.local.decoder import Expected
from tests.contracts.agent_end import AgentEnd, agent_end
from tests.contracts.conftest import KEY, SECRET, Network
from tests.dialling import ended, ledger_says, request

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(120)]

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture
async def agent(network: Network, room: str) -> AsyncIterator[AgentEnd]:
    async with agent_end(network.livekit_url, KEY, SECRET, room) as end:
        yield end


async def test_the_phone_is_a_sip_participant_with_its_numbers(sip: api.LiveKitAPI, agent: AgentEnd, room: str) -> None:
    """In the room it looks like a phone: its kind, its numbers, its call id, my own attributes, and that it is simulated."""
    info = await sip.sip.create_sip_participant(request("+12025550108", room))
    phone = agent.phone()
    assert phone.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    expected = {
        "sip.phoneNumber": "+12025550108",
        "sip.trunkPhoneNumber": "+12025550199",
        "sip.trunkID": "ST_simulated",
        "sip.callID": info.sip_call_id,
        "sip.simulated": "true",
        "voicefleet.call_id": room,
        "voicefleet.attempt": "1",
    }
    assert expected.items() <= phone.attributes.items()


async def test_the_phones_number_can_be_hidden(sip: api.LiveKitAPI, agent: AgentEnd, room: str) -> None:
    """With hide_phone_number nobody in the room sees a number."""
    await sip.sip.create_sip_participant(request("+12025550108", room, hide_phone_number=True))
    assert not {"sip.phoneNumber", "sip.trunkPhoneNumber"} & agent.phone().attributes.keys()


async def test_the_phone_rings_then_is_active_then_hangs_up(
    network: Network, sip: api.LiveKitAPI, agent: AgentEnd, room: str
) -> None:
    """Its status goes through the stations of a call, and a hang-up by the callee is a leave like any other."""
    await sip.sip.create_sip_participant(request("+12025550107", room))
    async with asyncio.timeout(20):
        reason = await agent.left
    assert [status for status in agent.statuses if status != "dialing"] == ["ringing", "active", "hangup"]
    assert reason == rtc.DisconnectReason.CLIENT_INITIATED
    assert (await ledger_says(network.carrier_url, room, ended))["ended_by"] == "callee"


async def test_a_busy_phone_leaves_with_the_reason(sip: api.LiveKitAPI, agent: AgentEnd, room: str) -> None:
    """The leg of a refused call does not look like a hang-up."""
    with pytest.raises(api.SipCallError):
        await sip.sip.create_sip_participant(request("+12025550103", room))
    async with asyncio.timeout(20):
        assert await agent.left == rtc.DisconnectReason.USER_REJECTED


async def test_nothing_is_heard_while_it_rings(sip: api.LiveKitAPI, agent: AgentEnd, room: str) -> None:
    """A greeting cannot be spoken into ringing: the phone takes my sound only once somebody has answered."""
    with pytest.raises(api.ServerError):
        await sip.sip.create_sip_participant(request("+12025550104", room, ringing_timeout=Duration(seconds=2)))
    assert "ringing" in agent.statuses
    assert not agent.heard_first.done()
    await sip.sip.create_sip_participant(request("+12025550108", room))
    async with asyncio.timeout(20):
        await agent.heard_first


async def test_both_sides_understand_each_other_over_a_phone_line(
    network: Network, sip: api.LiveKitAPI, agent: AgentEnd, room: str
) -> None:
    """I asked for the price over 8 kHz mu-law, was understood, and understood the answer."""
    await sip.sip.create_sip_participant(request("+12025550100", room))
    await agent.say("What is the price of a drop in visit?")
    dial = await ledger_says(network.carrier_url, room, lambda dial: len(dial["transcript"]) >= 2)
    assert [(turn["speaker"], turn["text"]) for turn in dial["transcript"][:2]] == [
        ("agent", "what is the price of a drop in visit"),
        ("callee", "One visit costs twenty dollars."),
    ]
    heard = Expected(collect_lines(SCENARIOS)).decoder().decode(bytes(agent.sound))
    assert "visit costs twenty dollars" in heard


async def test_a_callee_who_hears_nothing_says_hello(
    network: Network, sip: api.LiveKitAPI, rooms: api.LiveKitAPI, agent: AgentEnd, room: str
) -> None:
    """I said nothing; after two and a half seconds they asked whether anybody is there. Then I hung up."""
    await sip.sip.create_sip_participant(request("+12025550100", room))
    dial = await ledger_says(network.carrier_url, room, lambda dial: bool(dial["transcript"]))
    assert dial["transcript"][0]["text"] == "Hello?"
    assert dial["transcript"][0]["start_ms"] >= 2400
    await rooms.room.delete_room(api.DeleteRoomRequest(room=room))
    dial = await ledger_says(network.carrier_url, room, ended)
    assert (dial["ended_by"], dial["first_word_ms"], dial["longest_silence_ms"] >= 2400) == ("caller", None, True)


async def test_waiting_times_are_measured_on_the_line(
    network: Network, sip: api.LiveKitAPI, rooms: api.LiveKitAPI, agent: AgentEnd, room: str
) -> None:
    """How long they waited for my first word, and for my answer, is in the ledger."""
    await sip.sip.create_sip_participant(request("+12025550100", room))
    await agent.say("Hello, I am an AI assistant calling with a few questions about your gym.")
    await ledger_says(network.carrier_url, room, lambda dial: len(dial["transcript"]) >= 2)
    await agent.say("Thank you very much for your help.")
    await rooms.room.delete_room(api.DeleteRoomRequest(room=room))
    dial = await ledger_says(network.carrier_url, room, ended)
    assert dial["first_word_ms"] > 0
    assert len(dial["turns_ms"]) == 1
    assert 0 < dial["turns_ms"][0] <= dial["longest_silence_ms"]


async def test_a_sentence_that_is_cut_off_was_still_heard(
    network: Network, sip: api.LiveKitAPI, rooms: api.LiveKitAPI, agent: AgentEnd, room: str
) -> None:
    """I said goodbye and hung up in the same breath; the goodbye counts."""
    await sip.sip.create_sip_participant(request("+12025550108", room))
    await agent.say("Thank you very much for your help. Goodbye.")
    await rooms.room.delete_room(api.DeleteRoomRequest(room=room))
    dial = await ledger_says(network.carrier_url, room, ended)
    assert "thank you very much for your help" in " ".join(turn["text"] for turn in dial["transcript"])


async def test_keys_go_both_ways(network: Network, sip: api.LiveKitAPI, agent: AgentEnd, room: str) -> None:
    """I pressed one for opening hours; the machine told me, and pressed a key back."""
    await sip.sip.create_sip_participant(request("+12025550119", room))
    await ledger_says(network.carrier_url, room, lambda dial: bool(dial["transcript"]))
    await agent.room.local_participant.publish_dtmf(code=1, digit="1")
    async with asyncio.timeout(30):
        assert await agent.digits.get() == "5"


async def test_digits_of_the_request_are_pressed_after_the_answer(
    network: Network, sip: api.LiveKitAPI, agent: AgentEnd, room: str
) -> None:
    """The request itself can carry keys; the machine took them."""
    await sip.sip.create_sip_participant(request("+12025550119", room, dtmf="w2"))
    dial = await ledger_says(network.carrier_url, room, ended)
    assert (dial["digits_heard"], dial["ended_by"]) == ("2", "callee")


async def test_ten_calls_at_once_do_not_disturb_each_other(network: Network, sip: api.LiveKitAPI, room: str) -> None:
    """Ten phones rang together and each had its own conversation."""
    names = [f"{room}-{index}" for index in range(10)]
    await asyncio.gather(*(sip.sip.create_sip_participant(request("+12025550111", name)) for name in names))
    dials = await asyncio.gather(*(ledger_says(network.carrier_url, name, ended, within_s=60) for name in names))
    assert [dial["ended_by"] for dial in dials] == ["callee"] * 10
