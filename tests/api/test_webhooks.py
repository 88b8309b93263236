"""POST /api/webhook: what is signed by livekit-server or Twilio counts once; everything else changes nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from config import Settings
from modules.api_server.problems import MEDIA_TYPE
from modules.api_server.webhooks.replays import once
from modules.api_server.webhooks.sightings import EVENTS
from modules.call_queue_manager import CallQueue, FrontDoor, Held, Records, SourceLimits, Store, read_after
from modules.calls import Call, Direction, Event, Report, State, new_call_id, room_name
from modules.calls.errors import Unavailable
from tests.api.conftest import KEY, client
from tests.api.signing import ACCOUNT, FORM_TYPE, LIVEKIT_TYPE, PUBLIC_URL, TOKEN, Posted, event, from_livekit, phone
from tests.phone_calls import a_call

pytestmark = pytest.mark.redis

Talking = Callable[..., Awaitable[Held]]


@pytest.fixture
def api_settings(api_settings: Settings) -> Settings:
    """An API that Twilio knows."""
    known = {"twilio_account_sid": ACCOUNT, "twilio_auth_token": SecretStr(TOKEN), "public_base_url": f"{PUBLIC_URL}/"}
    return api_settings.model_copy(update=known)


@pytest.fixture
def talking(queue: CallQueue, records: Records) -> Talking:
    """Return a call that has been answered, with its holder."""

    async def put(*events: Event, **facts: Any) -> Held:
        call = a_call(records.now(), **facts)
        await queue.enqueue(call)
        held = await queue.claim(limit=10, calls_per_second=10, lease_s=7)
        assert held
        for said in events or (Event.CLAIMED, Event.DIALING, Event.ANSWERED):
            room = room_name(call.call_id, 1) if said is Event.CLAIMED else None
            await records.report(call.call_id, Report(said, room=room), token=held.token)
        await records.renew(held)
        return Held(await records.load(call.call_id), held.token)

    return put


async def post(stranger: httpx2.AsyncClient, posted: Posted) -> httpx2.Response:
    return await stranger.post("/api/webhook", content=posted.content, headers=posted.headers)


async def told(store: Store, call: Call) -> list[str]:
    return [event.type for event in await read_after(store, "0", call_id=call.call_id)]


async def counted(stranger: httpx2.AsyncClient, sender: str, kind: str, result: str) -> float:
    line = f'voicefleet_webhooks_total{{kind="{kind}",result="{result}",sender="{sender}"}} '
    text = (await stranger.get("/metrics")).text
    return sum(float(found.removeprefix(line)) for found in text.splitlines() if found.startswith(line))


async def test_a_phone_that_joins_leaves_its_ids_in_the_call(
    stranger: httpx2.AsyncClient, store: Store, talking: Talking
) -> None:
    """I can look my call up at the carrier: its ids are among the events, its number is not."""
    held = await talking(Event.CLAIMED, Event.DIALING)
    attributes = {"sip.callID": "SCL_abc", "sip.twilio.callSid": "CA123", "sip.phoneNumber": held.call.to_number}
    answer = await post(stranger, from_livekit(event("participant_joined", str(held.call.room), phone(attributes=attributes))))
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    joined = (await read_after(store, "0", call_id=held.call.call_id))[-1]
    assert joined.type == "call.leg_joined"
    assert joined.data == {"room": held.call.room, "sip_call_id": "SCL_abc", "twilio_call_sid": "CA123"}


ENDS = {
    "CLIENT_INITIATED": "hung_up", "USER_REJECTED": "rejected", "USER_UNAVAILABLE": "unavailable", "ROOM_DELETED": "lost",
    "UNKNOWN_REASON": "lost",
}  # fmt: skip


async def test_a_phone_that_leaves_makes_its_silent_holder_doubted(
    stranger: httpx2.AsyncClient, store: Store, records: Records, talking: Talking
) -> None:
    """The call itself does not change: that is for its agent, or for the reaper."""
    for reason, leg_end in ENDS.items():
        held = await talking()
        left = event("participant_left", str(held.call.room), phone(disconnectReason=reason))
        assert (await post(stranger, from_livekit(left))).status_code == 200
        last = (await read_after(store, "0", call_id=held.call.call_id))[-1]
        assert (last.type, last.data["leg_end"]) == ("call.leg_left", leg_end)
        assert await records.load(held.call.call_id) == held.call
    assert await counted(stranger, "livekit", "participant_left", "doubted") == len(ENDS)


async def test_a_closed_room_and_a_vanished_agent_make_it_doubted_too(
    stranger: httpx2.AsyncClient, records: Records, talking: Talking
) -> None:
    """Whichever word of LiveKit comes first counts."""
    agent = {"identity": "agent-AJ_x", "kind": "AGENT", "disconnectReason": "SIGNAL_CLOSE"}
    for kind, who in (("room_finished", None), ("participant_left", agent)):
        held = await talking()
        await post(stranger, from_livekit(event(kind, str(held.call.room), who)))
        assert await counted(stranger, "livekit", kind, "doubted") == 1
        assert await records.load(held.call.call_id) == held.call


async def test_no_event_ever_moves_a_call(stranger: httpx2.AsyncClient, records: Records, talking: Talking) -> None:
    """In every state, for the present room and others: the record stays as it was, to the last field."""
    lives = [(Event.CLAIMED,), (Event.CLAIMED, Event.DIALING), (Event.CLAIMED, Event.DIALING, Event.ANSWERED),
             (Event.CLAIMED, Event.DIALING, Event.ANSWERED, Event.HUNG_UP)]  # fmt: skip
    for life in lives:
        held = await talking(*life)
        rooms = (str(held.call.room), room_name(held.call.call_id, 7), "outbound-nobody-1", "someones-own-room", "")
        for kind, room in product([*EVENTS, "room_started", "track_published", "egress_ended", "something_new", ""], rooms):
            assert (await post(stranger, from_livekit(event(kind, room, phone())))).status_code == 200, (kind, room)
        assert await records.load(held.call.call_id) == held.call


async def test_an_older_attempts_room_and_an_ended_call_hear_nothing(
    stranger: httpx2.AsyncClient, store: Store, talking: Talking
) -> None:
    """What is late is not even noted."""
    held = await talking()
    ended = await talking(Event.CLAIMED, Event.DIALING, Event.ANSWERED, Event.HUNG_UP)
    before = await told(store, held.call), await told(store, ended.call)
    for room in (room_name(held.call.call_id, 0), str(ended.call.room)):
        await post(stranger, from_livekit(event("participant_left", room, phone())))
    assert (await told(store, held.call), await told(store, ended.call)) == before
    assert await counted(stranger, "livekit", "participant_left", "nothing_to_add") == 2


def forgeries(room: str) -> dict[str, Posted]:
    """Return webhooks nobody must believe, by what is wrong with them."""
    told = event("participant_left", room, phone())
    good, other = from_livekit(told), from_livekit(event("room_finished", room))
    head, payload, signature = good.headers["Authorization"].split(".")
    ages_ago = str(int((datetime.now(UTC) - timedelta(minutes=6)).timestamp()))
    tomorrow = str(int((datetime.now(UTC) + timedelta(days=1)).timestamp()))
    return {
        "no signature": replace(good, headers={"Content-Type": LIVEKIT_TYPE}),
        "an empty one": replace(good, headers=good.headers | {"Authorization": ""}),
        "one bit of the body": replace(good, content=bytes([good.content[0] ^ 1]) + good.content[1:]),
        "a space more": replace(good, content=good.content + b" "),
        "no body": replace(good, content=b""),
        "another event's signature": replace(good, headers=other.headers),
        "another secret": from_livekit(told, secret="x" * 40),
        "another key": from_livekit(told, key="APIother"),
        "a flipped signature": replace(good, headers=good.headers | {"Authorization": f"{head}.{payload}.{signature[::-1]}"}),
        "no algorithm": replace(good, headers=good.headers | {"Authorization": f"eyJhbGciOiJub25lIn0.{payload}."}),
        "an expired token": from_livekit(told, valid=timedelta(minutes=-5)),
        "an old event": from_livekit(told | {"createdAt": ages_ago}),
        "an event from tomorrow": from_livekit(told | {"createdAt": tomorrow}),
        "an event without a time": from_livekit({name: value for name, value in told.items() if name != "createdAt"}),
        "no UTF-8": replace(good, content=b"\xff\xfe"),
        "a huge token": replace(good, headers=good.headers | {"Authorization": "a" * 20_000}),
        "an API key instead": replace(good, headers={"Content-Type": LIVEKIT_TYPE, "X-API-Key": KEY}),
        "a form": replace(good, headers=good.headers | {"Content-Type": FORM_TYPE}),
    }


async def test_what_is_forged_is_refused_and_changes_nothing(
    stranger: httpx2.AsyncClient, store: Store, talking: Talking
) -> None:
    """Bit flips, wrong keys, old events, no signature at all: 401 as a problem, and not a trace in the call."""
    held = await talking()
    before = await told(store, held.call)
    for what, posted in forgeries(str(held.call.room)).items():
        answer = await post(stranger, posted)
        assert answer.status_code == 401, (what, answer.text)
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.json()["code"] in ("bad_signature", "stale_webhook"), what
    assert await told(store, held.call) == before
    assert "voicefleet_webhooks_total{" not in (await stranger.get("/metrics")).text


async def test_a_webhook_counts_once(stranger: httpx2.AsyncClient, store: Store, talking: Talking) -> None:
    """Whoever recorded a good one and sends it again is refused, also with a fresh signature over the same event."""
    held = await talking()
    left = event("participant_left", str(held.call.room), phone())
    assert (await post(stranger, from_livekit(left))).status_code == 200
    before = await told(store, held.call)
    for again in (from_livekit(left), from_livekit(left, valid=timedelta(minutes=1))):
        answer = await post(stranger, again)
        assert (answer.status_code, answer.json()["code"]) == (403, "webhook_replayed")
    assert await told(store, held.call) == before


async def test_a_webhook_that_could_not_be_taken_in_may_come_again(store: Store) -> None:
    """Redis went away in the middle; the sender's next try is not a replay."""
    with pytest.raises(Unavailable):
        async with once(store, "livekit", "EV_1", 60):
            raise Unavailable("Redis went away.")
    async with once(store, "livekit", "EV_1", 60):
        pass
    async with once(store, "twilio", "EV_1", 60):
        pass  # another sender's


ODD_BODIES = [
    ("multipart/form-data; boundary=x", b"--x\r\n", 415, "unknown_media_type"),
    ("multipart/form-data", b"a=b", 415, "unknown_media_type"),
    ("text/plain", b"{}", 415, "unknown_media_type"),
    ("", b"{}", 415, "unknown_media_type"),
    ("application/json, application/webhook+json", b"{}", 415, "unknown_media_type"),
    ("application/json", b'{"type":"ping"}', 401, "unauthorized"),
    (FORM_TYPE, b"Body=hello", 401, "bad_signature"),
    (FORM_TYPE, b"Body=%ff%fe", 422, "bad_request"),
    (FORM_TYPE, b"\xff", 422, "bad_request"),
    (FORM_TYPE, b"&".join([b"a=1"] * 201), 422, "bad_request"),
    (LIVEKIT_TYPE, b"x" * 65_537, 413, "body_too_large"),
    (FORM_TYPE, b"x" * 65_537, 413, "body_too_large"),
    (LIVEKIT_TYPE, "ünïcödé 🎉".encode(), 401, "bad_signature"),
    (LIVEKIT_TYPE, b"", 401, "bad_signature"),
]


async def test_odd_bodies_get_the_usual_answer(stranger: httpx2.AsyncClient) -> None:
    """A scanner learns nothing but the shape of our errors."""
    for content_type, body, status, code in ODD_BODIES:
        answer = await stranger.post("/api/webhook", content=body, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (status, code), (content_type, body[:40])
        assert answer.headers["content-type"] == MEDIA_TYPE


async def test_a_signed_event_that_cannot_be_read_is_our_callers_fault(stranger: httpx2.AsyncClient) -> None:
    """The signature is right, the content is not."""
    answer = await post(stranger, from_livekit({"event": {"no": "text"}}))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


PINGS = {
    '{"type": "ping"}': 200, '{"type":"ping","data":{"at":1}}': 200, '{"type": "pong"}': 422, "[]": 422, '"ping"': 422,
    "{": 400, "": 400, "[" * 5000: 400,
}  # fmt: skip


async def test_a_ping_is_answered_to_whoever_has_a_key(app: FastAPI) -> None:
    """The seed's clients ask whether somebody is there."""
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        async with client(app, headers) as caller:
            for body, status in PINGS.items():
                answer = await caller.post("/api/webhook", content=body, headers={"Content-Type": "application/json"})
                assert answer.status_code == status, (body[:40], answer.text)
                assert status != 200 or answer.json() == {"status": "ok", "type": "pong"}


async def test_a_ping_without_a_good_key_is_refused(app: FastAPI) -> None:
    """A wrong key, a webhook's signature or a browser's cookie are no key."""
    for headers in ({"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Cookie": "voicefleet_session=x"}, {}):
        async with client(app, headers) as caller:
            answer = await caller.post("/api/webhook", json={"type": "ping"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), headers


async def test_other_methods_are_not_answered(api: httpx2.AsyncClient) -> None:
    """Only POST."""
    assert (await api.get("/api/webhook")).status_code == 405


async def test_a_doubt_leaves_a_state_untouched_until_the_reaper_looks(
    stranger: httpx2.AsyncClient, records: Records, queue: CallQueue, talking: Talking
) -> None:
    """The worker is alive: it renews, and goes on holding its call after LiveKit's word."""
    held = await talking()
    await post(stranger, from_livekit(event("room_finished", str(held.call.room))))
    assert await records.renew(held) == held.call.version
    assert await queue.seize(held.call.call_id) is None
    assert (await records.load(held.call.call_id)).state is State.IN_PROGRESS


async def test_the_phone_of_an_inbound_call_is_found_by_its_room(
    stranger: httpx2.AsyncClient, store: Store, records: Records
) -> None:
    """Its room is named after the caller, not after the call: the front door knows whose it is."""
    room = "inbound_+12025550107_x7"
    call = a_call(records.now(), direction=Direction.INBOUND, state=State.RINGING, room=room, from_number="+12025550107")
    call = replace(call, ringing_at=call.created_at, call_id=new_call_id(Direction.INBOUND, records.now()))
    limits = SourceLimits(per_minute=0, per_hour=0)
    _, held = await FrontDoor(store, lease_s=7).arrive(call, most=10, limits=limits)
    await records.renew(held)
    who = phone(identity="sip_+12025550107", attributes={"sip.ruleID": "SDR_x", "sip.callID": "SCL_in"})
    assert (await post(stranger, from_livekit(event("participant_joined", room, who)))).status_code == 200
    assert (await post(stranger, from_livekit(event("participant_left", room, who)))).status_code == 200
    noted = [event for event in await read_after(store, "0", call_id=held.call.call_id) if event.type.startswith("call.leg")]
    assert [event.type for event in noted] == ["call.leg_joined", "call.leg_left"]
    assert {event.data["sip_call_id"] for event in noted} == {"SCL_in"}
    assert await counted(stranger, "livekit", "participant_left", "doubted") == 1


async def test_a_colleague_who_listens_in_is_not_the_phone(
    stranger: httpx2.AsyncClient, store: Store, records: Records, talking: Talking
) -> None:
    """A monitor, a second phone of a transfer, a browser: they come and go, the call's holder is not doubted for it."""
    held = await talking()
    for who in ({"identity": "monitor", "kind": "STANDARD"}, {"identity": "human", "kind": "SIP"}):
        for kind in ("participant_joined", "participant_left"):
            assert (await post(stranger, from_livekit(event(kind, str(held.call.room), who)))).status_code == 200
    assert "call.leg_left" not in await told(store, held.call)
    assert await counted(stranger, "livekit", "participant_left", "ignored") == 2
