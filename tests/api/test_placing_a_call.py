"""Placing a call over HTTP: what is accepted, what is refused by name, and that a refusal leaves nothing behind."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from config import Settings
from modules.call_queue_manager import CallQueue, Records, Store
from modules.calls import Event, Report, State
from modules.sip_management.trunks import LOOP, LOOP_FROM
from tests.api.conftest import NUMBER

pytestmark = pytest.mark.redis


async def test_a_placed_call_is_in_the_queue_and_has_an_address(api: httpx2.AsyncClient, records: Records) -> None:
    """I place a call and get an address at which I can follow it."""
    answer = await api.post("/v1/calls", json={"to_number": "(202) 555-0100", "caller_name": "Ada"})
    assert answer.status_code == 202, answer.text
    call = answer.json()
    assert answer.headers["location"] == f"/v1/calls/{call['call_id']}" == call["links"]["self"]
    assert (call["to_number"], call["status_text"], call["simulated"]) == (NUMBER, "queued", True)
    assert (await records.load(call["call_id"])).caller_name == "Ada"
    assert (await api.get(answer.headers["location"])).json() == call


async def test_the_short_way_answers_as_it_always_did(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """My old script posts to /api/outbound-call and still works."""
    body = {"to_number": NUMBER, "caller_name": "Ada", "llm_prompt": "Ask for the price.", "greeting": "Hello, an AI here."}
    answer = await api.post("/api/outbound-call", json=body)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"status", "call_id", "message"} and answer.json()["status"] == "queued"
    assert NUMBER not in answer.json()["message"]
    assert (await queue.waiting())["ready"] == 1
    only_number = await api.post("/api/outbound-call", json={"to_number": NUMBER})
    assert only_number.status_code == 200


REFUSED: list[tuple[dict[str, Any], int, str, str, str]] = [
    ({"to_number": "12"}, 422, "invalid_number", "to_number", "number"),
    ({"to_number": "sip:boss@example.org"}, 422, "invalid_number", "to_number", "digits"),
    ({}, 422, "bad_request", "to_number", "required"),
    ({"to_number": 5}, 422, "bad_request", "to_number", "string"),
    ({"to_number": NUMBER, "persnality": "front_desk"}, 422, "bad_request", "persnality", "Did you mean 'personality'?"),
    ({"to_number": NUMBER, "callback_url": "https://example.org"}, 422, "bad_request", "callback_url", "no field"),
    ({"to_number": NUMBER, "personality": "front_dsk"}, 422, "unknown_personality", "personality", "Did you mean 'front_desk'?"),
    ({"to_number": NUMBER, "personality": "../secrets"}, 422, "bad_request", "personality", ""),
    ({"to_number": NUMBER, "personality": "broken"}, 422, "invalid_field", "personality", "broken.yaml"),
    ({"to_number": NUMBER, "personality": "keyless"}, 422, "invalid_field", "personality", "AZURE_SPEECH_KEY"),
    ({"to_number": NUMBER, "personality": "strict"}, 422, "invalid_field", "variables.organization", "organization"),
    ({"to_number": NUMBER, "trunk": "copper"}, 422, "invalid_field", "trunk", "simulated"),
    ({"to_number": NUMBER, "max_attempts": 6}, 422, "bad_request", "max_attempts", "5"),
    ({"to_number": NUMBER, "max_call_s": 3601}, 422, "invalid_field", "max_call_s", "600"),
    ({"to_number": NUMBER, "variables": {"n": 1}}, 422, "bad_request", "variables.n", "string"),
    ({"to_number": NUMBER, "variables": {"n": "x" * 2001}}, 422, "bad_request", "variables.n", "2000"),
    ({"to_number": NUMBER, "metadata": {"n": "x" * 20_000}}, 422, "bad_request", "metadata", "16384"),
    ({"to_number": NUMBER, "llm_prompt": "x" * 16_001}, 422, "bad_request", "llm_prompt", "16000"),
    ({"to_number": NUMBER, "caller_name": "a\nb"}, 422, "bad_request", "caller_name", "one line"),
    ({"to_number": NUMBER, "not_before": "2030-01-01T10:00:00"}, 422, "bad_request", "not_before", "timezone"),
    ({"to_number": NUMBER, "expires_at": "2020-01-01T10:00:00Z"}, 422, "invalid_field", "expires_at", "passed"),
    ({"to_number": "+881612345678"}, 403, "refused", "to_number", "Satellite"),
    ({"to_number": "+390612345678"}, 403, "refused", "to_number", "IT"),
    ({"to_number": "+19005550100"}, 403, "refused", "to_number", ""),
]


@pytest.mark.parametrize(("body", "status", "code", "field", "hint"), REFUSED)
async def test_what_cannot_be_dialled_is_refused_by_field(
    api: httpx2.AsyncClient, queue: CallQueue, body: dict[str, Any], status: int, code: str, field: str, hint: str
) -> None:
    """I make a mistake and am told which field, why, and what I may have meant; nothing is queued."""
    answer = await api.post("/v1/calls", json=body)
    problem = answer.json()
    assert (answer.status_code, problem.get("code")) == (status, code), problem
    assert problem["errors"][0]["field"] == field
    assert hint in problem["errors"][0]["message"]
    assert set((await queue.waiting()).values()) == {0}


@pytest.mark.parametrize(
    "raw", [b'{"to_number": ', b'{"to_number":"+12025550100","metadata":{"a":NaN}}', b'{"to_number":"\\ud800"}', b"[1]", b"\xff"]
)
async def test_bodies_that_are_not_proper_json_are_refused(api: httpx2.AsyncClient, queue: CallQueue, raw: bytes) -> None:
    """My client sends something broken and is told so."""
    answer = await api.post("/v1/calls", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await queue.waiting())["ready"] == 0


async def test_the_gates_refusal_is_named(api: httpx2.AsyncClient) -> None:
    """My program can tell a forbidden country from another reason."""
    answer = await api.post("/v1/calls", json={"to_number": "+390612345678"})
    assert (answer.status_code, answer.json()["refusal"]) == (403, "country_not_allowed")


async def test_a_dry_run_says_what_would_happen_and_queues_nothing(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """I try a request before I mean it."""
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    dial = await api.post("/v1/calls", json={"to_number": NUMBER, "dry_run": True})
    wait = await api.post("/v1/calls", json={"to_number": NUMBER, "dry_run": True, "not_before": later})
    refuse = await api.post("/v1/calls", json={"to_number": "+390612345678", "dry_run": True})
    assert [found.status_code for found in (dial, wait, refuse)] == [200, 200, 200]
    assert [found.json()["would"] for found in (dial, wait, refuse)] == ["dial", "wait", "refuse"]
    assert refuse.json()["refusal"] == "country_not_allowed"
    assert set((await queue.waiting()).values()) == {0}


async def test_a_call_for_later_is_called_scheduled(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """I place a call for tomorrow."""
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answer = await api.post("/v1/calls", json={"to_number": NUMBER, "not_before": later, "priority": "high", "max_attempts": 3})
    assert answer.json()["status_text"] == "scheduled"
    assert answer.json()["attempts"] == {"placed": 0, "dialled": 0, "most": 3}
    assert (await queue.waiting())["scheduled"] == 1


async def test_fifty_equal_requests_make_one_call(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """My client retries wildly with one Idempotency-Key and the phone rings once."""
    post = [api.post("/v1/calls", json={"to_number": NUMBER}, headers={"Idempotency-Key": "order-7"}) for _ in range(50)]
    answers = await asyncio.gather(*post)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["call_id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert (await queue.waiting())["ready"] == 1


async def test_an_idempotency_key_belongs_to_one_body(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """I reuse a key by mistake for another call and am told."""
    headers = {"Idempotency-Key": "order-8"}
    first = await api.post("/v1/calls", json={"to_number": NUMBER}, headers=headers)
    other = await api.post("/v1/calls", json={"to_number": "+12025550101"}, headers=headers)
    assert (first.status_code, other.status_code, other.json()["code"]) == (202, 422, "idempotency_mismatch")
    too_long = await api.post("/v1/calls", json={"to_number": NUMBER}, headers={"Idempotency-Key": "x" * 256})
    assert (too_long.status_code, too_long.json()["errors"][0]["header"]) == (422, "Idempotency-Key")
    assert (await queue.waiting())["ready"] == 1


async def test_a_repetition_is_answered_even_if_it_could_not_be_placed_any_more(
    api: httpx2.AsyncClient, api_settings: Settings, queue: CallQueue
) -> None:
    """My answer got lost, I repeat the request, and hear of my first call although its personality is gone."""
    first = await api.post("/v1/calls", json={"to_number": NUMBER}, headers={"Idempotency-Key": "order-9"})
    (api_settings.agents_dir / "front_desk.yaml").unlink()
    again = await api.post("/v1/calls", json={"to_number": NUMBER}, headers={"Idempotency-Key": "order-9"})
    assert (again.status_code, again.json()["call_id"]) == (202, first.json()["call_id"])
    assert (await api.post("/v1/calls", json={"to_number": NUMBER})).status_code == 422
    assert (await queue.waiting())["ready"] == 1


async def test_lists_are_followed_by_their_cursor(
    api: httpx2.AsyncClient, wait_until: Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]
) -> None:
    """I read my calls page by page and meet each of them once, newest first."""
    placed = [(await api.post("/v1/calls", json={"to_number": NUMBER, "caller_name": f"Ada {n}"})).json() for n in range(5)]

    async def recorded() -> bool:
        return len((await api.get("/v1/calls")).json()["calls"]) == 5

    await wait_until(recorded, 10)
    seen, path = [], "/v1/calls?limit=2&state=queued"
    while path:
        page = await api.get(path)
        seen += [call["call_id"] for call in page.json()["calls"]]
        link = page.headers.get("link", "")
        assert bool(link) == (page.json()["next_cursor"] is not None)
        path = link.partition("<")[2].partition(">")[0]
    assert seen == [call["call_id"] for call in reversed(placed)]
    assert [call["caller_name"] for call in (await api.get("/v1/calls", params={"q": "ada 3"})).json()["calls"]] == ["Ada 3"]


async def test_what_the_fleet_has_is_listed_without_secrets(api: httpx2.AsyncClient) -> None:
    """I see which personalities and lines I may name, and why one of them cannot be used."""
    listed = {found["id"]: found for found in (await api.get("/v1/personalities")).json()["personalities"]}
    assert (listed["front_desk"]["name"], listed["front_desk"]["default"]) == ("Front Desk", True)
    assert not listed["broken"]["usable"] and "broken.yaml:1" in listed["broken"]["problem"]
    trunks = (await api.get("/v1/trunks")).json()["trunks"]
    assert trunks == [{"name": "simulated", "simulated": True, "from_number": "+12025550199", "default": True}]


async def test_a_cancelled_waiting_call_is_over_at_once(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """I change my mind before the phone rings."""
    call_id = (await api.post("/v1/calls", json={"to_number": NUMBER})).json()["call_id"]
    answer = await api.post(f"/v1/calls/{call_id}/cancel", json={"reason": "Wrong person."})
    assert (answer.status_code, answer.json()["outcome"], answer.json()["reason"]) == (200, "canceled", "Wrong person.")
    assert set((await queue.waiting()).values()) == {0}
    again = await api.post(f"/v1/calls/{call_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "call_already_ended")


async def test_cancelling_a_held_call_leaves_the_slot_to_its_holder(
    api: httpx2.AsyncClient, queue: CallQueue, records: Records
) -> None:
    """I cancel while it rings: the call is over, and its line counts until somebody has hung it up."""
    call_id = (await api.post("/v1/calls", json={"to_number": NUMBER})).json()["call_id"]
    held = await queue.claim(limit=5, calls_per_second=5, lease_s=7)
    assert held and held.call.call_id == call_id
    await records.report(call_id, Report(Event.CLAIMED, room="room-1"), token=held.token)
    await records.report(call_id, Report(Event.DIALING), token=held.token)
    answer = await api.post(f"/v1/calls/{call_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, State.ENDED)
    assert (await queue.waiting())["held"] == 1


async def test_unknown_calls_are_not_found(api: httpx2.AsyncClient) -> None:
    """I mistype an id."""
    for method, path in [("GET", ""), ("GET", "/transcript"), ("GET", "/events"), ("POST", "/cancel")]:
        answer = await api.request(method, f"/v1/calls/outbound-nobody{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


async def test_dialling_can_be_paused(api: httpx2.AsyncClient, queue: CallQueue, store: Store) -> None:
    """I stop the fleet and let it go on."""
    assert (await api.post("/v1/queue/pause")).json() == {"paused": True}
    assert await queue.paused()
    assert (await api.get("/v1/queue")).json() == {"ready": 0, "scheduled": 0, "held": 0, "paused": True}
    assert (await api.post("/v1/queue/resume")).json() == {"paused": False}
    assert not await queue.paused()


async def test_the_doctors_trunk_can_be_named_and_is_not_offered(api: httpx2.AsyncClient, records: Records) -> None:
    """`doctor --loop` places an ordinary call; nobody else finds its trunk in a list or gets it by default."""
    answer = await api.post("/v1/calls", json={"to_number": NUMBER, "trunk": LOOP})
    assert answer.status_code == 202, answer.text
    call = await records.load(answer.json()["call_id"])
    assert (call.trunk, call.from_number, call.simulated) == (LOOP, LOOP_FROM, False)
    assert [trunk["name"] for trunk in (await api.get("/v1/trunks")).json()["trunks"]] == ["simulated"]
