"""A call on someone's behalf over HTTP: five fields, the personality that speaks them, the older address, and what is refused."""

from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from config import Settings
from modules.api_server.parts import parts_of
from modules.call_queue_manager import CallQueue, Records
from modules.setup.places import PROJECT
from tests.api.conftest import KEY, NUMBER

pytestmark = pytest.mark.redis

WISH = {
    "action": "Book a table for two.",
    "context": "At eight, in the name of Miller.",
    "callee_name": "Blue Door",
    "agent_name": "Eva",
    "organization": "Ada Miller",
}


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    """Settings of an API with the personalities that come with the project, and a vendor's keys for them."""
    vendor = {"azure_speech_region": "westeurope", "azure_openai_endpoint": "http://127.0.0.1:9"}
    keys = {name: SecretStr("vendor-key") for name in ("azure_speech_key", "azure_openai_api_key")}
    ours = {"api_key": SecretStr(KEY), "sip_api_url": "http://127.0.0.1:9", "livekit_url": "ws://127.0.0.1:9"}
    folders = {"agents_dir": PROJECT / "agents", "prompts_dir": PROJECT / "prompts"}
    return settings.model_copy(update=vendor | keys | ours | folders | {"azure_openai_deployment_name": "gpt-4o"})


async def test_five_fields_are_all_it_takes(api: httpx2.AsyncClient, api_settings: Settings, records: Records) -> None:
    """I say what I want, for whom and what may be told; the concierge calls, and opens with it."""
    answer = await api.post("/v1/calls", json={"to_number": NUMBER} | WISH)
    assert answer.status_code == 202, answer.text
    call = await records.load(answer.json()["call_id"])
    assert (call.personality, call.variables) == ("concierge", WISH)
    script = parts_of(api_settings).composer.compose(call)
    opening = "Hi Blue Door, this is Eva, an AI assistant calling for Ada Miller. I am calling to book a table for two."
    assert script.greeting == opening
    assert WISH["context"] in script.instructions
    assert "You never claim or let anybody believe that you are a human being" in script.instructions


async def test_who_is_called_and_who_speaks_need_no_name(
    api: httpx2.AsyncClient, api_settings: Settings, records: Records
) -> None:
    """I know nobody there; the opening is still a sentence."""
    answer = await api.post("/v1/calls", json={"to_number": NUMBER, "action": "ask for the price", "organization": "Ada Miller"})
    script = parts_of(api_settings).composer.compose(await records.load(answer.json()["call_id"]))
    assert script.greeting == "Hello, this is an AI assistant calling for Ada Miller. I am calling to ask for the price."


async def test_the_older_address_places_the_same_call(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """My old script posts to /api/phone/call; a repetition, there or at /v1/calls, is the same call."""
    key = {"Idempotency-Key": "table-1"}
    first = await api.post("/api/phone/call", json={"phone_number": NUMBER} | WISH, headers=key)
    assert first.status_code == 200, first.text
    assert set(first.json()) == {"status", "call_id", "message"} and first.json()["status"] == "queued"
    again = await api.post("/api/phone/call", json={"phone_number": NUMBER} | WISH, headers=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    newer = await api.post("/v1/calls", json={"to_number": NUMBER} | WISH, headers=key)
    assert (newer.json()["call_id"], newer.json()["personality"]) == (first.json()["call_id"], "concierge")
    assert (await queue.waiting())["ready"] == 1


async def test_the_older_health_is_health(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient) -> None:
    """My monitor asks the old address, without a key, and reads of the same parts."""
    found, older = await api.get("/health"), await stranger.get("/api/phone/health")
    assert older.status_code == found.status_code
    assert older.json()["services"].keys() == found.json()["services"].keys()


REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"organization": None}, "invalid_field", "organization", "for whom the agent calls"),
    ({"action": None}, "invalid_field", "action", "say what the agent shall get done"),
    ({"action": "x" * 201}, "bad_request", "action", "200"),
    ({"action": "book\na table"}, "bad_request", "action", "one line"),
    ({"context": "x" * 16_001}, "bad_request", "context", "16000"),
    ({"agent_name": "Eva\x00"}, "bad_request", "agent_name", "one line"),
    ({"variables": {"action": "sing"}}, "invalid_field", "action", "given twice"),
    ({"variables": {"wish": "sing"}}, "invalid_field", "variables.wish", "no variable 'wish'"),
    ({"personality": "short_notice"}, "invalid_field", "action", "makes no use of action"),
    ({"personality": "receptionist"}, "invalid_field", "action", "makes no use of action"),
    ({"llm_prompt": "Sing."}, "invalid_field", "llm_prompt", "lets no call bring its own llm_prompt"),
]


@pytest.mark.parametrize(("change", "code", "field", "hint"), REFUSED)
async def test_what_does_not_fit_together_is_refused_by_field(
    api: httpx2.AsyncClient, queue: CallQueue, change: dict[str, Any], code: str, field: str, hint: str
) -> None:
    """I am told which of the fields is wrong and why; nothing is queued."""
    body = {name: value for name, value in ({"to_number": NUMBER} | WISH | change).items() if value is not None}
    answer = await api.post("/v1/calls", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code), problem
    assert problem["errors"][0]["field"] == field
    assert hint in problem["errors"][0]["message"]
    assert set((await queue.waiting()).values()) == {0}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (WISH | {"phone_number": "12"}, 422, "phone_number"),
        (WISH | {"phone_number": "+390612345678"}, 403, "phone_number"),
        (WISH | {"to_number": NUMBER}, 422, "phone_number"),
        ({"phone_number": NUMBER, "organization": "Ada Miller"}, 422, "action"),
    ],
)
async def test_the_older_address_refuses_in_its_own_words(
    api: httpx2.AsyncClient, queue: CallQueue, body: dict[str, Any], status: int, field: str
) -> None:
    """The problem has the usual shape and names the field as my script knows it."""
    answer = await api.post("/api/phone/call", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == field
    assert set((await queue.waiting()).values()) == {0}
