"""Two voices over a real livekit-server: what was said on both sides is what the record holds."""

import jiwer
import pytest
import pytest_asyncio
import yaml

from modules.setup.places import PROJECT
from tests.callers import Caller

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="session")]

# pocketsphinx over 8 kHz µ-law; its authors' best case is no error at all, ours allows a word in ten.
WORD_ERRORS = 0.1


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def placed(caller: Caller) -> dict[str, str]:
    """Three calls at the same time."""
    patient = {"patient_name": "Maria Lopez"}
    return {
        "gym": await caller.place("+12025550100"),
        "short": await caller.place("+12025550111"),
        "hospital": await caller.place("+12025550101", personality="hospital_demo", variables=patient),
    }


async def test_a_gym_answers_four_questions(caller: Caller, placed: dict[str, str]) -> None:
    """My agent said that it is an AI, asked four things, and I can read every answer."""
    call = await caller.end_of(placed["gym"])
    turns = await caller.turns(placed["gym"])
    assert call["outcome"] == "completed"
    assert len(turns) >= 8
    assert "AI assistant" in turns[0]["text"]
    assert {turn["speaker"] for turn in turns} == {"agent", "callee"}
    heard = " ".join(turn["text"] for turn in turns if turn["speaker"] == "callee")
    for fact in ("twenty dollars", "monday and thursday", "free", "towel"):
        assert fact in heard
    assert _word_errors(turns) <= WORD_ERRORS


async def test_turns_follow_each_other_in_time(caller: Caller, placed: dict[str, str]) -> None:
    """The times in my transcript are in order and lie within the call."""
    call = await caller.end_of(placed["short"])
    turns = await caller.turns(placed["short"])
    starts = [turn["start_s"] for turn in turns]
    assert starts == sorted(starts)
    assert all(turn["start_s"] <= turn["end_s"] <= call["duration_s"] + 1 for turn in turns)


async def test_the_hospital_desk_gets_a_name_and_a_date_of_birth(caller: Caller, placed: dict[str, str]) -> None:
    """The desk asked who the patient is; my agent gave what I had written in the variables."""
    await caller.end_of(placed["hospital"])
    said = " ".join(turn["text"] for turn in await caller.turns(placed["hospital"]) if turn["speaker"] == "agent")
    assert "Maria Lopez" in said
    assert "nineteen eighty" in said


def _word_errors(turns: list[dict[str, str]]) -> float:
    """Compare each of the callee's turns with the line of the scenario it is nearest to."""
    lines = [_words(line) for line in _lines(yaml.safe_load((PROJECT / "scenarios" / "gym_desk.yaml").read_text()))]
    heard = [_words(turn["text"]) for turn in turns if turn["speaker"] == "callee"]
    nearest = [min(lines, key=lambda line: jiwer.wer(line, turn)) for turn in heard]
    return float(jiwer.wer(nearest, heard))


def _lines(node: object) -> list[str]:
    if isinstance(node, dict):
        return [line for value in node.values() for line in _lines(value)]
    if isinstance(node, list):
        return [line for value in node for line in _lines(value)]
    return [node] if isinstance(node, str) and " " in node else []


def _words(text: str) -> str:
    return "".join(letter for letter in text.lower().replace("-", " ") if letter.isalpha() or letter in " '")
