"""People call us: three numbers with three personalities, twenty at once, a full house, numbers nobody answers, strangers.

One fleet for all of it; livekit-server keeps the trunk and the rule, the simulated carrier brings the calls.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from livekit import api
from livekit.protocol.sip import ListSIPInboundTrunkRequest

from modules.call_queue_manager import connect, read_after
from modules.conversation.personalities import Personalities
from modules.fleet import Fleet
from modules.setup.places import PROJECT
from tests.callers import Caller, caller_of
from tests.fleets import running
from tests.ways_in import let_in

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(330), pytest.mark.asyncio(loop_scope="module")]

AT_ONCE, LINES = 20, 3
# Two slow cores, two jitter buffers and two codecs lie between the agent's first word and the caller's ear here.
SOON_MS = 3000
LISTENS_AND_LEAVES, SILENT = "+12025550111", "+12025550108"
GREETINGS = {
    "+12025550140": "Hello, I am the AI assistant of the gym.",
    "+12025550141": "Hello, I am the AI assistant of the hospital.",
    "+12025550142": "I am the AI assistant of the restaurant. {% if contact_name %}Good day {{ contact_name }}.{% endif %}",
}
NIGHT_DESK, NOBODYS = "+12025550143", "+12025550144"
MAILBOX, HANDS_OVER, IN_VAIN = "+12025550145", "+12025550146", "+12025550147"
LEAVE_A_MESSAGE, CONNECTING = "Please leave a message.", "One moment please, I will connect you."
BUSY_PHONE = "+12025550103"
BUSY, CLOSED = "All our lines are busy.", "We are closed at the moment."
PERSONALITY = """
name: Desk
components:
  stt: {{provider: local}}
  llm: {{provider: local, script: short_notice}}
  tts: {{provider: local, voice: rms}}
greeting: "{greeting}"
turns: {{endpointing_s: 0.25, nudge_after_s: 60}}
sentences: {{busy: "{busy}", closed: "{closed}", take_message: "Please leave a message."}}
inbound_numbers: ["{number}"]
{more}"""
INSTEAD = {
    "mailbox": (MAILBOX, "overflow: take_message\n"),
    "hands_over": (HANDS_OVER, f"overflow: {{closed: desk}}\ntransfer: {{desk: '{SILENT}'}}\n"),
    "in_vain": (IN_VAIN, f"overflow: {{closed: desk}}\ntransfer: {{desk: '{BUSY_PHONE}'}}\n"),
}
# A minute a week that is not now.
NEVER = "hours: {{zone: Etc/UTC, open: [{{days: [{day}], opens: '12:00', closes: '12:01'}}]}}"


@dataclass(frozen=True, slots=True)
class Lines:
    """Our numbers as the world sees them, and what becomes of who calls them."""

    fleet: Fleet
    caller: Caller
    lkapi: api.LiveKitAPI
    carrier: httpx2.AsyncClient
    desks: Path

    async def ring(self, to: str, number: str, scenario: str = LISTENS_AND_LEAVES, **more: Any) -> dict[str, Any]:
        """Let somebody call; return the carrier's entry when it rings or was dropped."""
        wanted = {"to": to, "from": number, "scenario": scenario} | more
        answer = await self.carrier.post("/inbound", json=wanted)
        assert answer.status_code in (202, 403), answer.text
        entry: dict[str, Any] = answer.json()
        return entry

    async def carriers(self, entry: dict[str, Any], within_s: float = 90) -> dict[str, Any]:
        """Wait until the carrier has seen the end of a call; return its entry."""
        async with asyncio.timeout(within_s):
            while True:
                ledger = (await self.carrier.get("/ledger")).json()
                found: dict[str, Any] = next(one for one in ledger if one["sip_call_id"] == entry["sip_call_id"])
                if found["ended_at"]:
                    return found
                await asyncio.sleep(0.2)

    async def ours(self, within_s: float = 90, **facts: Any) -> dict[str, Any]:
        """Wait until the call with these facts has ended for us; return it."""
        async with asyncio.timeout(within_s):
            while True:
                for call in await self.calls():
                    if facts.items() <= call.items() and call["state"] == "ended":
                        return call
                await asyncio.sleep(0.2)

    async def calls(self) -> list[dict[str, Any]]:
        answer = await self.caller.http.get("/v1/calls", params={"direction": "inbound", "limit": 200})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["calls"]
        return found

    async def states(self, callers: list[str]) -> dict[str, int]:
        """How many calls of these callers are in which state."""
        return dict(Counter(call["state"] for call in await self.calls() if call["from_number"] in callers))

    async def rooms(self) -> int:
        return len((await self.lkapi.room.list_rooms(api.ListRoomsRequest())).rooms)


def write_desks(folder: Path) -> Path:
    folder.mkdir()
    for name, (number, greeting) in zip(("gym", "hospital", "restaurant"), GREETINGS.items(), strict=True):
        text = PERSONALITY.format(greeting=greeting, number=number, busy=BUSY, closed=CLOSED, more="")
        (folder / f"{name}.yaml").write_text(text)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.now(UTC).weekday() + 3) % 7]
    never = NEVER.format(day=day)
    for name, (number, more) in (INSTEAD | {"night_desk": (NIGHT_DESK, "")}).items():
        words = {"greeting": "Hello, I am an AI assistant.", "busy": BUSY, "closed": CLOSED}
        (folder / f"{name}.yaml").write_text(PERSONALITY.format(number=number, more=more + never, **words))
    gone = PERSONALITY.format(greeting="Hello, I am an AI assistant.", number=NOBODYS, busy=BUSY, closed=CLOSED, more="")
    (folder / "soon_gone.yaml").write_text(gone)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lines(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lines]:
    folder = tmp_path_factory.mktemp("inbound")
    desks = write_desks(folder / "agents")
    contacts = folder / "contacts.yaml"
    contacts.write_text('contacts: [{number: "+12025550111", name: Maria Lopez}]\n')
    env = {
        "AGENTS_DIR": str(desks), "CONTACTS_FILE": str(contacts), "DEFAULT_PERSONALITY": "gym",
        "MAX_CONCURRENT_CALLS": str(LINES), "WORKER_SLOTS": str(AT_ONCE), "INBOUND_PER_MINUTE": "0", "INBOUND_PER_HOUR": "3",
        "RING_TIMEOUT_S": "75",
    }  # fmt: skip
    async with running(env=env, stores_trunks=True) as fleet:
        secret = fleet.settings.livekit_api_secret.get_secret_value()
        async with (
            api.LiveKitAPI(fleet.settings.http_url, fleet.settings.livekit_api_key, secret) as lkapi,
            httpx2.AsyncClient(base_url=fleet.settings.sip_api_url, timeout=30) as carrier,
        ):
            answering = Personalities(desks, PROJECT / "prompts").answering()
            made = await let_in(fleet.settings, lkapi, answering)
            assert [(change.doing, change.refused) for change in made] == [("create", "")] * 2
            await rings_long(lkapi, made[0].id)
            caller = caller_of(fleet)
            yield Lines(fleet, caller, lkapi, carrier, desks)
            await caller.http.aclose()


async def rings_long(lkapi: api.LiveKitAPI, trunk_id: str) -> None:
    """Let callers hear ringing for as long as twenty new processes take on a slow machine."""
    (trunk,) = (await lkapi.sip.list_inbound_trunk(ListSIPInboundTrunkRequest(trunk_ids=[trunk_id]))).items
    trunk.ringing_timeout.FromSeconds(180)
    await lkapi.sip.update_inbound_trunk(trunk_id, trunk)


def heard(entry: dict[str, Any]) -> str:
    return " ".join(spoken["text"] for spoken in entry["transcript"] if spoken["speaker"] == "agent")


async def test_three_numbers_are_answered_by_three_personalities(lines: Lines) -> None:
    """I called the gym, the hospital and the restaurant; each answered as itself, and the restaurant knew my name."""
    seen = [await lines.carriers(await lines.ring(number, LISTENS_AND_LEAVES)) for number in GREETINGS]
    for entry, word in zip(seen, ("gym", "hospital", "restaurant"), strict=True):
        assert (entry["result"], entry["why"], entry["ended_by"]) == ("answered", "", "caller")
        assert heard(entry)
        assert entry["first_word_ms"] < SOON_MS
        call = await lines.ours(to_number=entry["to_number"])
        assert (call["personality"], call["outcome"], call["direction"], call["simulated"]) == (
            word,
            "completed",
            "inbound",
            True,
        )
        assert (call["from_number"], call["caller_name"]) == (LISTENS_AND_LEAVES, "Maria Lopez")
        assert call["metadata"] == {"sip_call_id": entry["sip_call_id"]}
        turns = await lines.caller.turns(call["call_id"])
        assert f"I am the AI assistant of the {word}." in turns[0]["text"]
        assert [turn["text"] for turn in turns].count(turns[0]["text"]) == 1
    assert turns[0]["text"].endswith("Good day Maria Lopez.")
    assert await lines.rooms() == 0


async def test_who_calls_without_end_is_not_put_through(lines: Lines) -> None:
    """The same number a fourth time in an hour: the phone is not answered, and the call is in my list with the reason."""
    entry = await lines.carriers(await lines.ring("+12025550140", LISTENS_AND_LEAVES))
    assert (entry["answered_at"], entry["ended_by"]) == (None, "callee")
    call = await lines.ours(from_number=LISTENS_AND_LEAVES, outcome="blocked")
    assert call["reason"].startswith("source_limit")


async def test_outside_the_hours_of_service_one_sentence_is_said(lines: Lines) -> None:
    """The night desk is asleep: I was told so, politely, and that call is in the list as well."""
    entry = await lines.carriers(await lines.ring(NIGHT_DESK, "+12025550150"))
    await blocked(lines, entry, "closed", CLOSED)


async def test_outside_the_hours_there_is_a_mailbox_or_somebody_else(lines: Lines) -> None:
    """I left a message after the tone and read it in my list; another caller was connected; one whom nobody could take heard so.

    The three call at once, and a caller who was handed over is no longer ours.
    """
    callers = {MAILBOX: "+12025550153", HANDS_OVER: "+12025550154", IN_VAIN: "+12025550155"}
    scenarios = {MAILBOX: LISTENS_AND_LEAVES}
    rings = [lines.ring(to, caller, scenarios.get(to, SILENT)) for to, caller in callers.items()]
    entries = await asyncio.gather(*(lines.carriers(entry) for entry in await asyncio.gather(*rings)))
    assert [entry["ended_by"] for entry in entries] == ["caller", "transfer", "callee"]
    left, connected, refused = [await lines.ours(from_number=caller) for caller in callers.values()]
    assert (left["outcome"], left["reason"].partition(":")[0]) == ("voicemail", "closed")
    assert left["reason"].endswith("The caller left a message.")
    announced, *words = await lines.caller.turns(left["call_id"])
    assert (announced["speaker"], announced["text"]) == ("agent", LEAVE_A_MESSAGE)
    assert {turn["speaker"] for turn in words} == {"callee"} and "goodbye" in " ".join(turn["text"] for turn in words)
    assert connected["outcome"] == "transferred" and connected["reason"].endswith("Handed over to desk.")
    assert (refused["outcome"], "desk could not be reached: The line is busy." in refused["reason"]) == ("blocked", True)
    assert [turn["text"] for turn in await lines.caller.turns(refused["call_id"])] == [CONNECTING, CLOSED]
    assert await lines.rooms() == 0


async def test_a_number_that_nobody_answers_any_more(lines: Lines) -> None:
    """The desk was taken away while its number still leads here: one polite sentence, and a record."""
    (lines.desks / "soon_gone.yaml").unlink()
    entry = await lines.carriers(await lines.ring(NOBODYS, "+12025550151"))
    await blocked(lines, entry, "unknown_number", "This number is not in service. Goodbye.")


async def test_a_caller_who_gives_up_while_it_rings_is_on_record(lines: Lines) -> None:
    """I hung up before anybody could answer; there is a call that nobody answered, and no room is left."""
    await lines.carriers(await lines.ring("+12025550140", "+12025550152", patience_s=0.4))
    call = await lines.ours(from_number="+12025550152")
    assert (call["outcome"], call["answered_at"]) == ("no_answer", None)
    assert await lines.rooms() == 0


async def test_an_invite_flood_from_strangers_makes_no_room_and_no_agent(lines: Lines) -> None:
    """Two hundred INVITEs for numbers that are not ours: no room, no agent, no record; ours are answered as before."""
    before = len(await lines.calls())
    entries = await asyncio.gather(*(lines.ring(f"+12025550{100 + number % 40}", f"9{number:04}") for number in range(200)))
    assert Counter(entry["result"] for entry in entries) == {"dropped": 200}
    assert {entry["room"] for entry in entries} == {""}
    assert (await lines.rooms(), len(await lines.calls())) == (0, before)


async def test_twenty_at_once_and_a_full_house(lines: Lines) -> None:
    """Twenty people call in one moment: as many as the fleet may hold are talked to, the others are told that it is full.

    Every one of them is on record, each call ends once, and nothing is left behind. A machine that has no time for twenty new
    processes lets some ring out; it never talks to more than it may, and forgets nobody.
    """
    numbers = [f"+120255501{number}" for number in range(60, 60 + AT_ONCE)]
    entries = await asyncio.gather(*(lines.ring("+12025550141", number, SILENT) for number in numbers))
    assert len({entry["room"] for entry in entries}) == AT_ONCE
    async with asyncio.timeout(200):
        # Whoever is being told that it is full is answered as well, for the length of a sentence.
        while (now := Counter(await lines.states(numbers)))["in_progress"] > LINES or now.total() - now["ringing"] < AT_ONCE:
            assert now.keys() <= {"ringing", "in_progress", "ended"}
            await asyncio.sleep(0.5)
    mine = [call for call in await lines.calls() if call["from_number"] in numbers]
    talking = [call["call_id"] for call in mine if call["state"] == "in_progress"]
    assert 1 <= len(talking) <= LINES
    await asyncio.gather(*(lines.caller.http.post(f"/v1/calls/{call_id}/cancel", json={}) for call_id in talking))
    await asyncio.gather(*(lines.carriers(entry) for entry in entries))
    ended = [call for call in await lines.calls() if call["from_number"] in numbers]
    assert {call["outcome"] for call in ended if call["call_id"] in talking} == {"canceled"}
    others = Counter(call["outcome"] for call in ended if call["call_id"] not in talking)
    assert others.keys() <= {"blocked", "no_answer", "infrastructure"} and others["blocked"], others
    assert {call["reason"].partition(":")[0] for call in ended if call["outcome"] == "blocked"} == {"full_house"}
    assert Counter(await ends(lines.fleet, [call["call_id"] for call in ended])) == {1: AT_ONCE}
    async with asyncio.timeout(20):
        while await lines.rooms():  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def blocked(lines: Lines, entry: dict[str, Any], reason: str, sentence: str) -> None:
    """The caller heard our voice say this sentence, we hung up, and the record says why."""
    assert (entry["result"], entry["ended_by"]) == ("answered", "callee")
    assert entry["first_word_ms"] is not None
    call = await lines.ours(from_number=entry["from_number"])
    assert (call["outcome"], call["reason"].partition(":")[0]) == ("blocked", reason)
    assert [turn["text"] for turn in await lines.caller.turns(call["call_id"])] == [sentence]


async def ends(fleet: Fleet, call_ids: list[str]) -> list[int]:
    """How many ends were told of each call."""
    store = await connect(fleet.settings.redis_url)
    told = [await read_after(store, "0", call_id=call_id, count=1000) for call_id in call_ids]
    await store.close()
    return [sum(event.type == "call.ended" for event in events) for events in told]
