"""Every personality that comes with the project holds a whole call as it is shipped; only its vendors' addresses are ours.

All calls are made on one fleet, four at a time; each test looks at one of them, or at what the vendors were asked.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from livekit import api

from modules.fleet import Fleet
from modules.setup.places import PROJECT
from modules.simulation import load_scenarios
from modules.simulation.ledger import Dial
from modules.simulation.verdict import shortcomings
from tests.azure_speech import LISTENING
from tests.callers import Caller, caller_of
from tests.chat_service import ChatService, Thought
from tests.contracts.providers.vendor_server import vendor_server
from tests.fleets import running
from tests.journeys.shipped import MARKS, Azure, agents_with, azures, report, think
from tests.ways_in import let_in

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

NUMBERS = {
    "gym_researcher": "+12025550100",
    "hospital_liaison": "+12025550101",
    "appointment_reminder": "+12025550131",
    "receptionist": "+12025550132",
    "concierge": "+12025550130",
    "german_assistant": "+12025550133",
    "english_assistant": "+12025550118",
}
VARIABLES = {
    "hospital_liaison": {"patient_name": "Maria Lopez", "date_of_birth": "March the third nineteen eighty"},
    "appointment_reminder": {
        "organization": "City Dental", "customer_name": "Robin Miller", "appointment_time": "Tuesday at half past nine",
    },
}  # fmt: skip
# Whoever calls brings no variables: a business writes its own into its file.
FRONT_DESK = "+12025550150"
OWN_FACTS = f"""inbound_numbers: ["{FRONT_DESK}"]
variables:
  opening_hours: Monday to Friday from nine to five
"""
WISH = {
    "--action": "book a table for two this evening",
    "--context": "We would like to come at eight, and the name is Miller.",
    "--callee-name": "Blue Door",
    "--agent-name": "Eva",
    "--organization": "Ada Miller",
}
OPENINGS = {
    "gym_researcher": "Hello, I am an AI assistant calling with a few questions about your gym.",
    "hospital_liaison": "Hello, I am an AI assistant calling for the family of a patient.",
    "appointment_reminder": "Hello, this is the AI assistant of City Dental. I would like to speak to Robin Miller.",
    "receptionist": "Hello, this is the AI assistant of our company. Please tell me how I can help you.",
    "concierge": "Hi Blue Door, this is Eva, an AI assistant calling for Ada Miller. "
    "I am calling to book a table for two this evening.",
    "german_assistant": "Guten Tag, hier spricht ein KI-Assistent im Auftrag von Ada Müller.",
    "english_assistant": "Hello, this is an AI assistant.",
}
ANSWERS: dict[str, dict[str, Any]] = {
    "gym_researcher": {
        "drop_in_price": 20, "class_times": "monday and thursday at seven in the evening", "mat_fee": False,
        "bring": "a towel and a bottle of water",
    },
    "hospital_liaison": {
        "visiting_hours": "from two until seven in the evening", "parcel_allowed": True, "parcel_place": "front desk",
    },
    "appointment_reminder": {"reply": "another time", "wished_time": "thursday", "call_back": None},
    "receptionist": {"caller": "robin miller", "number": None, "matter": "invoice"},
    "concierge": {"agreed": True, "terms": None, "call_back": "allergy"},
}  # fmt: skip
# What a person could not know but from the call's own facts, and the model must be told.
TOLD = {
    "hospital_liaison": "The patient: Maria Lopez, born March the third nineteen eighty.",
    "appointment_reminder": "When: Tuesday at half past nine.",
    "receptionist": "Opening hours: Monday to Friday from nine to five.",
    "concierge": WISH["--context"],
    "german_assistant": "Du rufst an für Ada Müller.",
}


@dataclass(frozen=True, slots=True)
class Evening:
    """All the calls, over."""

    calls: dict[str, dict[str, Any]]
    turns: dict[str, list[dict[str, Any]]]
    dials: dict[str, Dial]
    azures: dict[str, Azure]
    thoughts: list[Thought]

    def thoughts_of(self, name: str) -> list[Thought]:
        """Return what the model was asked in a call."""
        return [thought for thought in self.thoughts if MARKS[name] in thought.instructions]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Evening]:
    async with azures(NUMBERS) as found, vendor_server() as model:
        mind = ChatService(think, report, _the_first_sentence_is_delivered(found["concierge"]))
        model.answer = mind.answer
        addresses = {name: azure.server.url for name, azure in found.items()}
        keys = {
            "AZURE_SPEECH_KEY": "vendor-key", "AZURE_SPEECH_REGION": "nowhere", "AZURE_OPENAI_API_KEY": "vendor-key",
            "AZURE_OPENAI_ENDPOINT": model.url, "AZURE_OPENAI_DEPLOYMENT_NAME": "ours",
        }  # fmt: skip
        limits = {"CALLS_PER_SECOND": "4", "MAX_CONCURRENT_CALLS": "4"}
        agents = agents_with(addresses, {"receptionist": OWN_FACTS}, tmp_path_factory.mktemp("shipped"))
        async with running(env=keys | limits | {"AGENTS_DIR": str(agents)}, stores_trunks=True) as fleet:
            caller = caller_of(fleet)
            for azure in found.values():
                azure.caller = caller
            async with caller.http:
                calls, turns, dials = await _all_of_them(fleet, caller)
        yield Evening(calls, turns, dials, found, mind.thoughts)


async def _all_of_them(fleet: Fleet, caller: Caller) -> tuple[dict[str, Any], dict[str, Any], dict[str, Dial]]:
    ids = {"receptionist": await _called_in(fleet, caller), "concierge": await _typed(fleet)}
    for name in [name for name in NUMBERS if name not in ids]:
        who = {"caller_name": "Ada Müller"} if name == "german_assistant" else {}
        ids[name] = await caller.place(NUMBERS[name], personality=name, variables=VARIABLES.get(name, {}), **who)
    calls = {name: await _brought_home(caller, call_id) for name, call_id in ids.items()}
    turns = {name: await caller.turns(call_id) for name, call_id in ids.items()}
    ledger = await caller.dials()
    dials = {
        name: Dial.from_json(dial)
        for name, number in NUMBERS.items()
        for dial in ledger
        if number in (dial["to_number"], dial["from_number"])
    }
    return calls, turns, dials


async def _brought_home(caller: Caller, call_id: str) -> dict[str, Any]:
    """Wait until a call has ended and its answers have been looked for."""
    call = await caller.end_of(call_id, within_s=200)
    async with asyncio.timeout(60):
        while (call["extraction"] or {}).get("status") == "waiting":
            await asyncio.sleep(0.2)
            call = await caller.show(call_id)
    return call


async def _called_in(fleet: Fleet, caller: Caller) -> str:
    """Let the guest call the front desk; return our call's id."""
    secret = fleet.settings.livekit_api_secret.get_secret_value()
    async with api.LiveKitAPI(fleet.settings.http_url, fleet.settings.livekit_api_key, secret) as lkapi:
        await let_in(fleet.settings, lkapi, {FRONT_DESK: "receptionist"})
    async with httpx2.AsyncClient(base_url=fleet.settings.sip_api_url, timeout=30) as carrier, asyncio.timeout(60):
        rings = await carrier.post("/inbound", json={"to": FRONT_DESK, "from": NUMBERS["receptionist"]})
        assert rings.status_code == 202, rings.text
        come_in = {"direction": "inbound"}
        while not (found := (await caller.http.get("/v1/calls", params=come_in)).json()["calls"]):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.1)
    return str(found[0]["call_id"])


async def _typed(fleet: Fleet) -> str:
    """Place the concierge's call as a person does: one line, without naming a personality."""
    words = [word for option in WISH.items() for word in option]
    env = dict(os.environ) | {"VOICEFLEET_API_URL": fleet.api_url, "API_KEY": fleet.settings.api_key.get_secret_value()}
    command = [sys.executable, "-m", "modules", "call", NUMBERS["concierge"], *words, "--json"]
    typed = await asyncio.create_subprocess_exec(*command, env=env, cwd=PROJECT, stdout=PIPE, stderr=PIPE)
    out, err = await typed.communicate()
    assert typed.returncode == 0, err.decode()
    return str(json.loads(out)["call_id"])


def _the_first_sentence_is_delivered(azure: Azure) -> Any:
    """The model does not think on until the voice has had its first sentence for a second."""

    async def pause(thought: Thought) -> None:
        if MARKS["concierge"] not in thought.instructions:
            return
        while not any(ssml.text.strip() and ssml.text.strip() in thought.said for ssml in azure.spoken[1:]):
            azure.delivered.clear()
            await azure.delivered.wait()
        await asyncio.sleep(1)

    return pause


@pytest.mark.parametrize("name", NUMBERS)
async def test_it_holds_a_whole_call(evening: Evening, name: str) -> None:
    """It greets as an AI, gets what it called for, and the person on the phone heard what they should."""
    call = evening.calls[name]
    scenario = load_scenarios(PROJECT / "scenarios")[NUMBERS[name]]
    assert name in evening.dials, call["reason"]
    assert shortcomings(scenario, evening.dials[name], str(call["outcome"])) == [], call["reason"]
    assert (call["personality"], evening.turns[name][0]["text"]) == (name, OPENINGS[name])
    lines = scenario.person.lines() if scenario.person else []
    heard = [turn["text"] for turn in evening.turns[name] if turn["speaker"] == "callee"]
    assert heard and all(any(line in turn for line in lines) for turn in heard)


@pytest.mark.parametrize("name", NUMBERS)
async def test_the_model_is_told_the_rules_and_the_facts(evening: Evening, name: str) -> None:
    """What reaches the vendor's model: how one speaks on a telephone, what this call is for, and how to end it."""
    thoughts = evening.thoughts_of(name)
    assert thoughts
    for thought in thoughts:
        assert thought.instructions.startswith("You are speaking on a telephone.")
        assert "You never claim or let anybody believe that you are a human being" in thought.instructions
        assert TOLD.get(name, "") in thought.instructions
        assert "end_call" in thought.tools


@pytest.mark.parametrize("name", ANSWERS)
async def test_it_brings_answers_home(evening: Evening, name: str) -> None:
    """What I called for is in the record, each answer with the words that prove it; what was not said has no value."""
    found = evening.calls[name]["extraction"]
    assert found["status"] == "done", found["reason"]
    values = {key: answer["value"] for key, answer in found["answers"].items()}
    assert values == ANSWERS[name]
    for answer in found["answers"].values():
        assert answer["quote"] if answer["value"] is not None else answer["note"]


@pytest.mark.parametrize("name", NUMBERS)
async def test_the_vendor_is_asked_for_its_voice_and_language(evening: Evening, name: str) -> None:
    """Ears, voice and SSML are those of its YAML, in its language."""
    azure = evening.azures[name]
    language, voice = ("de-DE", "de-DE-KatjaNeural") if name == "german_assistant" else ("en-US", "en-US-JennyNeural")
    assert {(ssml.language, ssml.voice) for ssml in azure.spoken} == {(language, voice)}
    assert azure.spoken[0].text == OPENINGS[name]
    ears = [asked for asked in azure.server.asked if asked.path == LISTENING]
    assert ears and {asked.query["language"] for asked in ears} == {language}


async def test_the_german_call_is_german(evening: Evening) -> None:
    """I read a German conversation, umlauts and all, and its first words say KI."""
    turns = evening.turns["german_assistant"]
    assert "KI-Assistent" in turns[0]["text"]
    said = {speaker: " ".join(turn["text"] for turn in turns if turn["speaker"] == speaker) for speaker in ("agent", "callee")}
    assert "Reisebüro Sonnenschein, guten Tag." in said["callee"]
    assert "Wie lange haben Sie heute geöffnet?" in said["agent"]
    assert "achtzehn Uhr geöffnet" in said["callee"]
    assert said["agent"].endswith("Auf Wiederhören.")


async def test_what_is_not_in_the_context_is_left_to_a_person(evening: Evening) -> None:
    """The restaurant asked for the time, which I had written, and for allergies, which I had not."""
    said = " ".join(turn["text"] for turn in evening.turns["concierge"] if turn["speaker"] == "agent")
    assert WISH["--context"] in said
    assert "I am sorry, I do not have that information. A person from Ada Miller will call you back." in said


async def test_it_speaks_while_the_model_still_thinks(evening: Evening) -> None:
    """The first sentence was heard on the phone before the model had sent its last word; each sentence was spoken by itself."""
    answer = "I am sorry, I do not have that information. A person from Ada Miller will call you back."
    thought = next(one for one in reversed(evening.thoughts) if one.said == answer and one.ended_at)
    dial = evening.dials["concierge"]
    began = next(spoken.start_ms for spoken in dial.transcript if spoken.speaker == "agent" and "information" in spoken.text)
    assert dial.answered_at is not None and thought.ended_at is not None
    assert _at(dial.answered_at, began) < thought.ended_at
    assert {"I am sorry, I do not have that information.", "A person from Ada Miller will call you back."} <= {
        ssml.text.strip() for ssml in evening.azures["concierge"].spoken
    }


def _at(answered_at: datetime, after_ms: int) -> datetime:
    return answered_at + timedelta(milliseconds=after_ms)


async def test_none_is_missing_here() -> None:
    """A personality that is shipped is proved here, or is one for the demo or for the doctor (tests/sip)."""
    elsewhere = {"short_notice", "loop_caller", "loop_answerer"}
    shipped = {path.stem for path in (PROJECT / "agents").glob("[a-z]*.yaml")}
    assert {name for name in shipped - elsewhere if not name.endswith("_demo")} == set(NUMBERS)
