"""STOP as an answer by text message, and the list behind it: from that moment nobody can place a call to that number."""

import httpx2
import pytest
from pydantic import SecretStr

from config import Settings
from modules.call_queue_manager import Store
from tests.api.signing import ACCOUNT, PUBLIC_URL, TOKEN, a_text, from_twilio
from tests.api.test_webhooks import post

pytestmark = pytest.mark.redis

GYM = "+12025550100"


@pytest.fixture
def api_settings(api_settings: Settings) -> Settings:
    """An API that Twilio knows."""
    known = {"twilio_account_sid": ACCOUNT, "twilio_auth_token": SecretStr(TOKEN), "public_base_url": PUBLIC_URL}
    return api_settings.model_copy(update=known)


async def listed(api: httpx2.AsyncClient) -> list[tuple[str, str]]:
    return [(one["number"], one["source"]) for one in (await api.get("/v1/do-not-call")).json()["numbers"]]


async def test_whoever_texts_stop_is_not_called_again(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient) -> None:
    """The message belongs to no call that is still known, and counts all the same; the refusal has a name."""
    assert (await api.post("/v1/calls", json={"to_number": GYM})).status_code == 202
    assert (await post(stranger, from_twilio(a_text("Stopp!")))).status_code == 200
    assert await listed(api) == [(GYM, "text_message")]
    refused = await api.post("/v1/calls", json={"to_number": GYM})
    assert (refused.status_code, refused.json()["refusal"]) == (403, "do_not_call")
    foretold = await api.post("/v1/calls", json={"to_number": GYM, "dry_run": True})
    assert (foretold.json()["would"], foretold.json()["refusal"]) == ("refuse", "do_not_call")


async def test_other_answers_and_other_senders_change_nothing(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient) -> None:
    """An answer is an answer; a short code has no number that could be called."""
    for text in (a_text("Please stop by at five."), a_text("STOP", number="20742"), a_text("yes")):
        await post(stranger, from_twilio(text))
    assert await listed(api) == []


async def test_what_twilio_takes_for_an_opt_out_is_one(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient) -> None:
    """My Twilio account knows words of its own; it tells which messages it took for a stop."""
    await post(stranger, from_twilio(a_text("genug", OptOutType="STOP")))
    await post(stranger, from_twilio(a_text("hallo", number="+12025550107", OptOutType="START")))
    assert await listed(api) == [(GYM, "text_message")]


async def test_a_forged_stop_is_no_stop(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient) -> None:
    """Nobody but Twilio can silence my fleet towards a number."""
    assert (await post(stranger, from_twilio(a_text("STOP"), token="not-our-token"))).status_code == 401
    assert await listed(api) == []


async def test_a_number_is_put_on_the_list_and_taken_off(api: httpx2.AsyncClient) -> None:
    """Somebody asks on the phone: I add the number, in any way of writing, and take it off when they change their mind."""
    added = await api.put("/v1/do-not-call/(202) 555-0100")
    assert (added.status_code, added.json()["number"], added.json()["source"]) == (200, GYM, "first")
    assert (await api.put("/v1/do-not-call/%2B12025550100")).json() == added.json()
    assert (await api.delete(f"/v1/do-not-call/{GYM}")).json() == added.json()
    assert (await api.delete(f"/v1/do-not-call/{GYM}")).status_code == 404
    assert (await api.put("/v1/do-not-call/nobody")).status_code == 422
    assert (await api.post("/v1/calls", json={"to_number": GYM})).status_code == 202


@pytest.mark.parametrize("by", ["text message", "hand"])
async def test_a_wish_is_confirmed_only_onto_disk(
    by: str, api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, store: Store
) -> None:
    """Somebody restarts Redis without its settings, and it dies a second after a STOP: that number is still not called."""
    try:
        await store.client.config_set("appendfsync", "no")
        told = await (post(stranger, from_twilio(a_text("STOP"))) if by == "text message" else api.put(f"/v1/do-not-call/{GYM}"))
        assert told.status_code == 200
        assert (await store.client.config_get("appendfsync")) == {"appendfsync": "always"}
    finally:
        await store.client.config_set("appendfsync", "always")
