"""The simulated carrier answers LiveKit's SIP API: livekit-api's own client cannot tell it from the real one."""

import asyncio

import aiohttp
import pytest
from google.protobuf.duration_pb2 import Duration
from livekit import api

from tests.contracts.conftest import KEY, SECRET, Network
from tests.dialling import ended, ledger, ledger_says, refusal, request

pytestmark = [pytest.mark.livekit, pytest.mark.timeout(120)]

REFUSALS = {
    "+12025550103": ("resource_exhausted", 429, 486, "Busy Here"),
    "+12025550105": ("permission_denied", 403, 603, "Decline"),
    "+12025550106": ("not_found", 404, 404, "Not Found"),
    "+12025550109": ("permission_denied", 403, 403, "Forbidden"),
    "+12025550110": ("failed_precondition", 412, 503, "Service Unavailable"),
    "+12025550113": ("resource_exhausted", 429, 480, "Temporarily Unavailable"),
    "+12025550114": ("deadline_exceeded", 408, 408, "Request Timeout"),
    "+12025550115": ("unauthenticated", 401, 407, "Proxy Authentication Required"),
    "+12025550116": ("aborted", 409, 487, "Request Terminated"),
    "+12025550117": ("failed_precondition", 412, 500, "Server Internal Error"),
    "+12025550190": ("not_found", 404, 404, "Not Found"),
}


async def test_each_number_fails_in_its_own_way(sip: api.LiveKitAPI, room: str) -> None:
    """Busy, declined, unknown, forbidden: I get the code, the HTTP status and the SIP status that LiveKit would give."""
    numbers = list(REFUSALS)
    errors = await asyncio.gather(*(refusal(sip, request(number, f"{room}-{number[-2:]}")) for number in numbers))
    seen = {}
    for number, error in zip(numbers, errors, strict=True):
        assert isinstance(error, api.SipCallError)
        seen[number] = (error.code, error.status, error.sip_status_code, error.sip_status)
    assert seen == REFUSALS


async def test_nobody_answers_within_the_ringing_timeout(sip: api.LiveKitAPI, room: str) -> None:
    """It rang for as long as I had said; that is `canceled` without any SIP status."""
    error = await refusal(sip, request("+12025550104", room, ringing_timeout=Duration(seconds=1)))
    assert (error.code, error.status, error.metadata) == ("canceled", 408, {})


@pytest.mark.parametrize(("number", "code", "status"), [("+12025550120", "unavailable", 503), ("+12025550121", "internal", 500)])
async def test_livekit_itself_fails(sip: api.LiveKitAPI, room: str, number: str, code: str, status: int) -> None:
    """LiveKit's own faults carry no SIP status."""
    error = await refusal(sip, request(number, room))
    assert (error.code, error.status, error.metadata) == (code, status, {})


async def test_a_call_is_answered(sip: api.LiveKitAPI, room: str) -> None:
    """The request returns when somebody answers, with the ids of the call."""
    info = await sip.sip.create_sip_participant(request("+12025550107", room))
    assert (info.room_name, info.participant_identity) == (room, "callee")
    assert info.sip_call_id.startswith("SCL_")
    assert info.participant_id.startswith("PA_")


async def test_a_caller_who_does_not_wait_gets_the_ids_while_it_rings(network: Network, sip: api.LiveKitAPI, room: str) -> None:
    """Without wait_until_answered I have the call's id before anybody answers."""
    info = await sip.sip.create_sip_participant(request("+12025550104", room, wait_until_answered=False))
    (dial,) = await ledger(network.carrier_url, room)
    assert (dial["sip_call_id"], dial["answered_at"]) == (info.sip_call_id, None)


async def test_deleting_the_room_takes_a_ringing_call_back(
    network: Network, sip: api.LiveKitAPI, rooms: api.LiveKitAPI, room: str
) -> None:
    """I changed my mind while it rang: the phone stops ringing and the request says `aborted`."""
    dialling = asyncio.create_task(refusal(sip, request("+12025550104", room)))
    await ledger_says(network.carrier_url, room, lambda dial: dial["result"] == "ringing")
    await rooms.room.delete_room(api.DeleteRoomRequest(room=room))
    error = await dialling
    assert error.code == "aborted"
    assert (await ledger_says(network.carrier_url, room, ended))["ended_by"] == "caller"


async def test_a_call_ends_at_its_longest_duration(network: Network, sip: api.LiveKitAPI, room: str) -> None:
    """Nobody hung up, so the network did."""
    await sip.sip.create_sip_participant(request("+12025550108", room, max_call_duration=Duration(seconds=1)))
    assert (await ledger_says(network.carrier_url, room, ended))["ended_by"] == "time_limit"


async def test_the_same_identity_twice_replaces_the_first_call(network: Network, sip: api.LiveKitAPI, room: str) -> None:
    """There is no idempotency: both phones rang, and the second call pushed the first out of the room."""
    await sip.sip.create_sip_participant(request("+12025550108", room))
    await sip.sip.create_sip_participant(request("+12025550108", room))
    first, second = await ledger(network.carrier_url, room)
    assert first["sip_call_id"] != second["sip_call_id"]
    assert (await ledger_says(network.carrier_url, room, ended, which=0))["ended_by"] == "replaced"
    assert not ended((await ledger(network.carrier_url, room))[1])


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"sip_trunk_id": ""}, "trunk"),
        ({"sip_call_to": ""}, "sip_call_to"),
        ({"sip_call_to": "sip:me@example.org"}, "sip_call_to"),
        ({"room_name": ""}, "room"),
        ({"participant_identity": ""}, "identity"),
    ],
)
async def test_an_incomplete_request_is_refused(sip: api.LiveKitAPI, room: str, fields: dict[str, str], missing: str) -> None:
    """I left something out; the error names it and nothing rings."""
    error = await refusal(sip, request("+12025550100", room, **fields))
    assert (error.code, error.status) == ("invalid_argument", 400)
    assert missing in error.message


async def test_every_request_is_counted(network: Network, sip: api.LiveKitAPI, room: str) -> None:
    """The ledger has my dials, one by one, with number, call and attempt, even those that failed."""
    for attempt in ("1", "2"):
        attributes = {"voicefleet.call_id": room, "voicefleet.attempt": attempt}
        await refusal(sip, request("+12025550103", room, participant_attributes=attributes))
    dials = await ledger(network.carrier_url, room)
    assert [(dial["to_number"], dial["attempt"], dial["result"]) for dial in dials] == [
        ("+12025550103", "1", "486"),
        ("+12025550103", "2", "486"),
    ]
    assert dials[0]["arrived_monotonic_s"] < dials[1]["arrived_monotonic_s"]


async def test_a_wrong_key_rings_no_phone(network: Network, room: str) -> None:
    """With another secret the carrier does not even look at the number."""
    async with api.LiveKitAPI(network.carrier_url, KEY, "another-secret-0123456789-0123456789") as stranger:
        error = await refusal(stranger, request("+12025550100", room))
    assert (error.code, error.status) == ("unauthenticated", 401)
    assert await ledger(network.carrier_url, room) == []


@pytest.mark.parametrize("grants", [None, api.SIPGrants(admin=True)])
async def test_a_token_without_the_right_to_call_rings_no_phone(
    network: Network, room: str, grants: api.SIPGrants | None
) -> None:
    """A good signature is not enough; the token must allow calls."""
    token = api.AccessToken(KEY, SECRET).with_grants(api.VideoGrants(room_join=True, room=room)).with_identity("me")
    headers = {"Content-Type": "application/protobuf"}
    if grants:
        token = token.with_sip_grants(grants)
    headers["Authorization"] = f"Bearer {token.to_jwt()}"
    url = f"{network.carrier_url}/twirp/livekit.SIP/CreateSIPParticipant"
    body = request("+12025550100", room).SerializeToString()
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 401
        assert (await answer.json())["code"] == "unauthenticated"


async def test_a_call_is_handed_over(network: Network, sip: api.LiveKitAPI, room: str) -> None:
    """After a transfer the phone has left my room."""
    await sip.sip.create_sip_participant(request("+12025550108", room))
    for target, code in (("+12025550100", "invalid_argument"), ("tel:+12025550103", "resource_exhausted")):
        with pytest.raises(api.ServerError) as refused:
            await sip.sip.transfer_sip_participant(_transfer(room, target))
        assert refused.value.code == code
    await sip.sip.transfer_sip_participant(_transfer(room, "tel:+12025550100"))
    assert (await ledger_says(network.carrier_url, room, ended))["ended_by"] == "transfer"
    with pytest.raises(api.ServerError) as gone:
        await sip.sip.transfer_sip_participant(_transfer(room, "tel:+12025550100"))
    assert gone.value.code == "not_found"


async def test_the_numbers_can_be_read(network: Network) -> None:
    """I can ask which numbers there are and what each does."""
    async with aiohttp.ClientSession() as http, http.get(f"{network.carrier_url}/scenarios") as answer:
        numbers = {scenario["number"]: scenario["expect"]["outcome"] for scenario in await answer.json()}
    assert numbers["+12025550100"] == "completed"
    assert numbers["+12025550103"] == "busy"


def _transfer(room: str, to: str) -> api.TransferSIPParticipantRequest:
    return api.TransferSIPParticipantRequest(room_name=room, participant_identity="callee", transfer_to=to)
