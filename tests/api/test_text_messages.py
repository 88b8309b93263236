"""Somebody answers by text message: it is found in the call it belongs to. Nobody's message is answered and counted, not kept."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from config import Settings
from modules.call_queue_manager import CallQueue, Records, Store, keys, read_after
from modules.calls import Call, Direction, Event, Report, room_name
from tests.api.signing import ACCOUNT, PUBLIC_URL, TOKEN, Posted, a_text, from_twilio
from tests.api.test_webhooks import counted, post
from tests.phone_calls import a_call

pytestmark = pytest.mark.redis

GYM, OTHER = "+12025550100", "+12025550107"
Called = Callable[..., Awaitable[Call]]


@pytest.fixture
def api_settings(api_settings: Settings) -> Settings:
    """An API that Twilio knows."""
    known = {"twilio_account_sid": ACCOUNT, "twilio_auth_token": SecretStr(TOKEN), "public_base_url": PUBLIC_URL}
    return api_settings.model_copy(update=known)


@pytest.fixture
def called(app: FastAPI, queue: CallQueue, records: Records, wait_until: Any) -> Called:
    """Return a call that was dialled and, unless the test says otherwise, is over; history knows it."""

    async def put(number: str = GYM, *, over: bool = True, dialled: bool = True, ago_s: float = 0) -> Call:
        call = a_call(records.now() - timedelta(seconds=ago_s), to_number=number)
        await queue.enqueue(call)
        if dialled:
            held = await queue.claim(limit=10, calls_per_second=10, lease_s=7)
            assert held
            told = [Report(Event.CLAIMED, room=room_name(call.call_id, 1)), Report(Event.DIALING), Report(Event.ANSWERED)]
            for report in [*told, Report(Event.HUNG_UP)] if over else told:
                await records.report(call.call_id, report, token=held.token)
        version = (await records.load(call.call_id)).version

        async def recorded() -> bool:
            try:
                return bool((await (await app.state.parts.past.get()).search.call(call.call_id)).version == version)
            except Exception:
                return False

        await wait_until(recorded)
        return call

    return put


async def texts(api: httpx2.AsyncClient, call: Call) -> list[str]:
    transcript = (await api.get(f"/v1/calls/{call.call_id}/transcript")).json()
    return [message["text"] for message in transcript["messages"]]


async def test_a_reply_is_found_in_the_last_call_with_its_number(
    api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, store: Store, called: Called
) -> None:
    """I called twice, they texted back: the second call shows it, among its events and beside its transcript."""
    first, second, other = await called(ago_s=60), await called(), await called(OTHER)
    answer = await post(stranger, from_twilio(a_text("Drop-in is 18 dollars.")))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert [await texts(api, call) for call in (first, second, other)] == [[], ["Drop-in is 18 dollars."], []]
    last = (await read_after(store, "0", call_id=second.call_id))[-1]
    assert last.type == "call.message"
    assert GYM not in str(last.data)
    assert await counted(stranger, "twilio", "message", "noted") == 1


async def test_a_call_that_goes_on_gets_its_message_too(
    api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, called: Called
) -> None:
    """They text while we speak."""
    call = await called(over=False)
    await post(stranger, from_twilio(a_text("one", NumMedia="2")))
    await post(stranger, from_twilio(a_text("two")))
    assert await texts(api, call) == ["one", "two"]


async def test_a_call_that_only_waits_is_not_the_one_they_answer(
    api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, called: Called
) -> None:
    """The next call is queued; the reply is to the one that was made."""
    made, waiting = await called(ago_s=60), await called(dialled=False)
    await post(stranger, from_twilio(a_text()))
    assert [len(await texts(api, call)) for call in (made, waiting)] == [1, 0]


async def test_whoever_called_us_may_text_too(
    api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, store: Store, records: Records, app: FastAPI, queue: CallQueue,
    wait_until: Any,
) -> None:  # fmt: skip
    """An inbound call is found by its caller's number."""
    call = a_call(records.now(), direction=Direction.INBOUND, from_number=OTHER, to_number="+12025550199")
    await queue.enqueue(call)
    search = (await app.state.parts.past.get()).search

    async def recorded() -> bool:
        try:
            return bool(await search.call(call.call_id))
        except Exception:
            return False

    await wait_until(recorded)
    await post(stranger, from_twilio(a_text(number=OTHER)))
    assert len(await texts(api, call)) == 1


async def test_a_strangers_message_is_answered_counted_and_not_kept(
    stranger: httpx2.AsyncClient, store: Store, called: Called
) -> None:
    """Nobody called that number: Twilio gets its empty answer, I see the count."""
    await called()
    before = await store.client.xlen(keys.EVENTS)
    strangers = ("+12025550109", "20742", "ACME", "whatsapp:+12025550100", "", "+1" + "2" * 40)
    for number in strangers:
        answer = await post(stranger, from_twilio(a_text(number=number)))
        assert (answer.status_code, answer.text[-11:]) == (200, "<Response/>"), number
    assert await counted(stranger, "twilio", "message", "no_call") == len(strangers)
    assert await store.client.xlen(keys.EVENTS) == before


async def test_what_redis_has_forgotten_is_in_history(
    app: FastAPI, api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, store: Store, called: Called, wait_until: Any
) -> None:
    """A day later the message is still there; a new one finds no call any more."""
    call = await called()
    await post(stranger, from_twilio(a_text("Remember me.")))
    search = (await app.state.parts.past.get()).search

    async def recorded() -> bool:
        return "call.message" in [event.type for event in await search.timeline(call.call_id)]

    await wait_until(recorded)
    await store.client.delete(keys.call(call.call_id), keys.call_events(call.call_id))
    assert await texts(api, call) == ["Remember me."]
    await post(stranger, from_twilio(a_text("Too late.")))
    assert await counted(stranger, "twilio", "message", "no_call") == 1
    assert await texts(api, call) == ["Remember me."]


async def test_any_text_arrives_as_it_was_written(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, called: Called) -> None:
    """Signs, emoji and markup are data. Only the length is cut, at what ten text messages hold."""
    call = await called()
    odd = ["", "Grüße 🎉 ñ", "a&b=c;d+e%20f", "x" * 5000, "line\nline\r\n", "\x00\u202e", "<script>alert(1)</script>"]
    for text in odd:
        assert (await post(stranger, from_twilio(a_text(text)))).status_code == 200, text[:40]
    assert await texts(api, call) == [text[:1600] for text in odd]


async def test_a_message_counts_once(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, store: Store, called: Called) -> None:
    """A recorded callback that is sent again, even weeks later, is refused."""
    call = await called()
    posted = from_twilio(a_text())
    assert (await post(stranger, posted)).status_code == 200
    again = await post(stranger, posted)
    assert (again.status_code, again.json()["code"]) == (403, "webhook_replayed")
    marks = [key async for key in store.client.scan_iter("vf:webhook:*")]
    assert len(marks) == 1 and await store.client.ttl(marks[0]) > 29 * 86_400
    assert len(await texts(api, call)) == 1


def forgeries() -> dict[str, Posted]:
    """Return messages nobody must believe, by what is wrong with them."""
    fields = a_text()
    good = from_twilio(fields)
    changed = fields | {"Body": "Yes, call me every day."}
    return {
        "no signature": Posted(good.content, {"Content-Type": good.headers["Content-Type"]}),
        "an empty one": Posted(good.content, good.headers | {"X-Twilio-Signature": ""}),
        "not ASCII": Posted(good.content, good.headers | {"X-Twilio-Signature": "\u00fc" * 28}),
        "a huge one": Posted(good.content, good.headers | {"X-Twilio-Signature": "a" * 20_000}),
        "another text": from_twilio(fields, body=urlencode(changed).encode()),
        "a field more": from_twilio(fields, body=good.content + b"&Extra=1"),
        "a field less": from_twilio(fields, body=good.content.replace(b"&ApiVersion=2010-04-01", b"")),
        "a field twice": from_twilio(fields, body=good.content + b"&Body=" + quote_plus("another").encode()),
        "another address": from_twilio(fields, url="https://elsewhere.example/api/webhook"),
        "plain http": from_twilio(fields, url="http://voicefleet.example/api/webhook"),
        "another path": from_twilio(fields, url=f"{PUBLIC_URL}/api/webhook/"),
        "a query": from_twilio(fields, url=f"{PUBLIC_URL}/api/webhook?a=1"),
        "another token": from_twilio(fields, token="not-our-token"),
        "another account": from_twilio(fields | {"AccountSid": "AC" + "f" * 32}),
    }


async def test_a_forged_message_is_refused_and_leaves_nothing(
    api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, called: Called
) -> None:
    """Whoever knows the address and a number cannot put words into a call."""
    call = await called()
    for what, posted in forgeries().items():
        headers = [(name.encode(), value.encode()) for name, value in posted.headers.items()]
        answer = await stranger.post("/api/webhook", content=posted.content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature"), (what, answer.text)
    assert await texts(api, call) == []


async def test_the_address_may_carry_a_query(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient, called: Called) -> None:
    """Twilio signs the whole address it was given."""
    call = await called()
    posted = from_twilio(a_text("signed"), url=f"{PUBLIC_URL}/api/webhook?a=1&b=%20")
    answer = await stranger.post("/api/webhook?a=1&b=%20", content=posted.content, headers=posted.headers)
    assert answer.status_code == 200
    assert await texts(api, call) == ["signed"]


async def test_twilios_other_callbacks_are_taken_and_ignored(stranger: httpx2.AsyncClient) -> None:
    """A status callback of a message we sent is no reply."""
    status = {"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": ACCOUNT, "From": "+12025550199", "To": GYM}
    assert (await post(stranger, from_twilio(status))).status_code == 200
    assert await counted(stranger, "twilio", "other", "ignored") == 1


async def test_neither_the_number_nor_the_words_reach_a_log(
    stranger: httpx2.AsyncClient, called: Called, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The log says that a message came and to which call; the rest is nobody's business."""
    caplog.set_level(logging.INFO)
    call = await called()
    await post(stranger, from_twilio(a_text("my canary utterance")))
    written = capsys.readouterr()
    log = written.out + written.err + caplog.text
    assert "webhook.taken_in" in log and call.call_id in log and "+1202*****00" in log
    assert "canary" not in log
    assert GYM not in log.replace(call.call_id, "")


@pytest.mark.parametrize("missing", ["twilio_account_sid", "twilio_auth_token", "public_base_url"])
async def test_without_its_settings_no_callback_is_believed(
    app: FastAPI, stranger: httpx2.AsyncClient, api_settings: Settings, missing: str
) -> None:
    """An empty token must not become a signature anybody can make; the answer names the settings."""
    empty = SecretStr("") if missing == "twilio_auth_token" else ""
    without = api_settings.model_copy(update={missing: empty})
    object.__setattr__(app.state.parts, "settings", without)
    for token in (TOKEN, ""):
        answer = await post(
            stranger,
            from_twilio(
                a_text(), token=token, url="/api/webhook" if not without.public_base_url else f"{PUBLIC_URL}/api/webhook"
            ),
        )
        assert answer.status_code == 401
        assert "PUBLIC_BASE_URL" in answer.json()["detail"]
