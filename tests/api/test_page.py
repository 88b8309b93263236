"""The page at / in a real browser, on a real API and a real queue: signing in, watching a call, and words that try to be code."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from config import Settings
from modules.call_queue_manager import CallQueue, Held, Records
from modules.calls import Event, Report
from tests.api.conftest import KEY, NUMBER

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("CHROMIUM_BIN", "/usr/bin/chromium")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    '"><svg onload="document.title=\'owned\'">',
    "javascript:document.title='owned'",
    "{{constructor.constructor('document.title=1')()}}",
    "</p></li></ol><iframe srcdoc='<script>parent.document.title=1</script>'>",
    "\u202e<b>reversed</b>\u2028\u0000",
]


@pytest.fixture
def chromium() -> str:
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is missing; ./start_scripts/test.sh gets it, or set CHROMIUM_BIN")
    return CHROMIUM


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, api_url: str) -> AsyncIterator[Page]:
    """A page that nobody has signed in on. The test fails if it asks anybody else, or its scripts fail."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 800})
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None)
    page.on("request", lambda request: None if request.url.startswith((api_url, "data:")) else faults.append(request.url))
    await page.goto(api_url)
    yield page
    await context.close()
    assert faults == []


async def sign_in(page: Page, key: str = KEY) -> None:
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Sign in").click()


async def answered(queue: CallQueue, records: Records) -> Held:
    """Do what orchestrator and worker do until somebody has picked up."""
    held = await queue.claim(limit=9, calls_per_second=9, lease_s=7)
    assert held
    for report in (Report(Event.CLAIMED, room="room-1"), Report(Event.DIALING), Report(Event.ANSWERED)):
        await records.report(held.call.call_id, report, token=held.token)
    return held


async def say(records: Records, held: Held, index: int, speaker: str, text: str, keys: str = "") -> None:
    turn = {"index": index, "speaker": speaker, "text": text, "start_s": index * 2.5, "end_s": index * 2.5 + 2, "keys": keys}
    latency_ms = 410 if speaker == "agent" and index else None
    await records.note(held, "call.turn", turn | {"interrupted": False, "latency_ms": latency_ms})


def fact(value: object, quote: str = "", turn: int | None = None, unit: str = "", note: str = "") -> dict[str, object]:
    """One answer, as modules/after_call keeps it."""
    return {"value": value, "unit": unit, "quote": quote, "turn": turn, "note": note}


async def test_a_wrong_key_is_told_and_a_right_one_opens(page: Page) -> None:
    """I sign in with my key; a wrong one is answered with a sentence, and after signing out the page is closed."""
    await sign_in(page, "not-a-key")
    await expect(page.get_by_role("alert")).to_have_text("This is not a valid API key.")
    await sign_in(page)
    await expect(page.get_by_text("No calls yet.")).to_be_visible()
    await expect(page.get_by_text("./voicefleet call +12025550100 --watch")).to_be_visible()
    assert KEY not in await page.content()
    await page.reload()
    await expect(page.get_by_role("heading", name="New call")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API key")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("API key")).to_be_visible()


async def test_a_call_is_placed_and_watched_live(page: Page, queue: CallQueue, records: Records) -> None:
    """I place a call on the page, see each state and both sides' words as they come, and how it ended."""
    await sign_in(page)
    await page.get_by_label("Phone number").fill("12")
    await page.get_by_role("button", name="Call", exact=True).click()
    await expect(page.locator("form .problem")).to_contain_text("number")
    await page.get_by_label("Phone number").fill(NUMBER)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(NUMBER)
    await expect(page.locator(".call .mark")).to_have_text("simulated")
    await expect(page.locator("header .pill")).to_have_text("queued")
    await expect(page.locator("#live")).to_have_text("live")
    held = await answered(queue, records)
    await expect(page.locator("header .pill")).to_have_text("in conversation")
    await expect(page.locator("[data-step=in_progress]")).to_have_attribute("aria-current", "step")
    await say(records, held, 0, "agent", "Hello, I am an AI assistant.")
    await say(records, held, 1, "callee", "Good morning. How can I help?")
    await say(records, held, 2, "agent", "What does a visit cost?")
    await say(records, held, 3, "callee", "pressed 2 0 #", keys="20#")
    await expect(page.locator(".turn p")).to_have_text(
        ["Hello, I am an AI assistant.", "Good morning. How can I help?", "What does a visit cost?", "pressed 2 0 #"]
    )
    await expect(page.locator(".turn kbd")).to_have_text(["2", "0", "#"])
    await expect(page.locator(".turn.agent .note").last).to_contain_text("answered in 0.41 s")
    await records.report(held.call.call_id, Report(Event.HUNG_UP, reason="The callee hung up."), token=held.token)
    await expect(page.locator("header .pill")).to_have_text("completed")
    await expect(page.locator(".reason")).to_have_text("The callee hung up.")
    await expect(page.locator(".calls .pill")).to_have_text("completed")
    await expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    await the_page_shows_what_the_call_brought_home(page, records, held.call.call_id)


async def test_a_waiting_call_is_cancelled_with_a_button(page: Page, queue: CallQueue, api_settings: Settings) -> None:
    """I take a call back before it is dialled. A broken edit shows beside it, with its place, until it is mended."""
    await sign_in(page)
    await the_page_shows_a_broken_edit(page, api_settings.agents_dir / "front_desk.yaml")
    await page.get_by_label("Phone number").fill(NUMBER)
    await page.get_by_role("button", name="Call", exact=True).click()
    await page.get_by_role("button", name="Cancel call").click()
    await expect(page.locator("header .pill")).to_have_text("cancelled")
    assert set((await queue.waiting()).values()) == {0}


async def test_what_is_said_while_a_call_is_opened_is_shown(page: Page, api_url: str, queue: CallQueue, records: Records) -> None:
    """The transcript was slow to arrive; what I heard live meanwhile is not overwritten by it."""
    http = httpx2.AsyncClient(base_url=api_url, headers={"X-API-Key": KEY}, trust_env=False)
    answer = await http.post("/v1/calls", json={"to_number": NUMBER})
    held = await answered(queue, records)
    await say(records, held, 0, "agent", "Hello, I am an AI assistant.")
    read, heard = asyncio.Event(), asyncio.Event()

    async def slowly(route: Route) -> None:
        old = await route.fetch()
        read.set()
        await heard.wait()
        await route.fulfill(response=old)

    await sign_in(page)
    await expect(page.locator("#live.on")).to_be_visible()
    await page.route("**/transcript", slowly)
    await page.locator(f"[data-call={answer.json()['call_id']}]").click()
    await read.wait()
    await say(records, held, 1, "callee", "Good morning.")
    await http.post("/v1/calls", json={"to_number": NUMBER})
    await expect(page.locator(".calls .pill")).to_have_count(2)  # by the same event stream, and later
    heard.set()
    await expect(page.locator(".turn p")).to_have_text(["Hello, I am an AI assistant.", "Good morning."])
    await http.aclose()


async def the_page_shows_what_the_call_brought_home(page: Page, records: Records, call_id: str) -> None:
    """Each answer with its words; a click shows where they were said. What was not said is told as that."""
    home = page.get_by_role("region", name="What the call brought home")
    await expect(home).to_have_count(0)
    await records.learn(call_id, "call.extracted", extraction={"status": "waiting"})
    await expect(home).to_contain_text("The answers are being looked for…")
    answers = {
        "drop_in_price": fact(20.5, "pressed 2 0 #", 3, unit="USD"), "open_today": fact(True, "Good morning.", 1),
        "mat_fee": fact(None, note="It was not said."),
    }  # fmt: skip
    await records.learn(call_id, "call.extracted", extraction={"status": "done", "answers": answers})
    await expect(home.get_by_role("term")).to_have_text(["drop in price", "open today", "mat fee"])
    await expect(home.get_by_role("definition").locator("b")).to_have_text(["20.5", "yes"])
    await expect(home.get_by_role("definition").first).to_contain_text("20.5 USD")
    await expect(home.get_by_role("definition").last).to_have_text("No answer. It was not said.")
    await home.get_by_role("button", name="Good morning.").click()
    await expect(page.locator(".turn", has_text="Good morning.")).to_be_focused()
    await page.reload()
    await expect(home.get_by_role("term")).to_have_count(3)


async def the_page_shows_a_broken_edit(page: Page, file: Path) -> None:
    """Name, file, line, what is wrong, and that the last good version goes on; and how the parts are."""
    good = await asyncio.to_thread(file.read_text)
    await expect(page.locator(".fleet summary")).to_have_text("Something needs a look")  # there is no LiveKit here
    await expect(page.locator(".parts li[data-status=up] b").filter(has_text="redis")).to_be_visible()
    await expect(page.locator(".parts li[data-status=down]").filter(has_text="livekit")).to_contain_text("does not work")
    await expect(page.locator("[data-broken=broken]")).to_contain_text("calls to it are refused")
    await asyncio.to_thread(file.write_text, good.replace("name: Front Desk", "nam: <b>Front</b>"))
    shown = page.locator("[data-broken=front_desk]")
    await expect(shown).to_contain_text("Front Desk: the files are broken", timeout=20_000)
    await expect(shown).to_contain_text("agents/front_desk.yaml, line 2: nam: no such field; did you mean `name`?")
    await expect(shown).to_contain_text("The last good version goes on speaking")
    await asyncio.to_thread(file.write_text, good)
    await expect(shown).to_have_count(0, timeout=20_000)


async def test_words_that_try_to_be_code_stay_words(page: Page, api_url: str, queue: CallQueue, records: Records) -> None:
    """Whoever picks up may say anything; on my screen it is only text."""
    headers = {"X-API-Key": KEY}
    async with httpx2.AsyncClient(base_url=api_url, headers=headers, trust_env=False) as http:
        answer = await http.post("/v1/calls", json={"to_number": NUMBER, "caller_name": HOSTILE[1]})
    held = await answered(queue, records)
    await sign_in(page)
    await page.locator(f"[data-call={answer.json()['call_id']}]").click()
    for index, text in enumerate(HOSTILE):
        await say(records, held, index, "callee", text)
    await expect(page.locator(".turn p")).to_have_count(len(HOSTILE))
    await records.report(held.call.call_id, Report(Event.HUNG_UP, reason=HOSTILE[1]), token=held.token)
    await expect(page.locator(".reason")).to_have_text(HOSTILE[1])
    found = {HOSTILE[0]: fact(HOSTILE[1], HOSTILE[2], 2, unit=HOSTILE[5])}
    await records.learn(held.call.call_id, "call.extracted", extraction={"status": "done", "answers": found})
    await expect(page.locator(".answers dd b")).to_have_text(HOSTILE[1])
    shown = await page.locator(".turn p").all_text_contents()
    assert shown == HOSTILE
    assert await page.title() == "Voicefleet"
    assert await page.locator("main script, main img, main svg, main iframe, main b:has-text('reversed')").count() == 0


async def test_the_page_speaks_german_and_fits_a_phone(
    browser: Browser, api_url: str, queue: CallQueue, records: Records
) -> None:
    """I open it on my German phone, call somebody, and read what they answered."""
    context = await browser.new_context(locale="de-DE", viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = await context.new_page()
    await page.goto(api_url)
    await page.get_by_label("API-Schlüssel").fill(KEY)
    await page.get_by_role("button", name="Anmelden").click()
    await expect(page.get_by_text("Noch keine Anrufe.")).to_be_visible()
    await expect(page.locator("[data-broken=broken]")).to_contain_text("agents/broken.yaml, Zeile 1")
    await page.get_by_label("Telefonnummer").fill(NUMBER)
    await page.get_by_role("button", name="Anrufen").click()
    await expect(page.locator("header .pill")).to_have_text("wartet")
    await expect(page.get_by_label("Telefonnummer")).not_to_be_visible()
    held = await answered(queue, records)
    await say(records, held, 0, "callee", "pressed 1 •", keys="1•")
    await records.report(held.call.call_id, Report(Event.HUNG_UP), token=held.token)
    found = {"einverstanden": fact(True, "pressed 1", 0), "preis": fact(1.5, "Donaudampfschiff" * 9, 0, unit="EUR")}
    await records.learn(held.call.call_id, "call.extracted", extraction={"status": "done", "answers": found})
    await expect(page.locator(".turn p")).to_have_text("drückte 1 •")
    await expect(page.get_by_role("region", name="Was der Anruf ergab").locator("b")).to_have_text(["ja", "1,5"])
    too_wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not too_wide
    await page.get_by_role("link", name="Alle Anrufe").click()
    await expect(page.get_by_label("Telefonnummer")).to_be_visible()
    await context.close()
