"""The verdict on a simulated call: it names everything that was not as the scenario wants it."""

from datetime import UTC, datetime

import pytest

from modules.setup.places import PROJECT
from modules.simulation import Dial, Scenario, load_scenarios, shortcomings
from modules.simulation.ledger import Spoken

pytestmark = pytest.mark.unit


@pytest.fixture
def desk() -> Scenario:
    return load_scenarios(PROJECT / "scenarios")["+12025550100"]


def a_call(*spoken: tuple[str, str]) -> Dial:
    transcript = [Spoken(speaker, text, 0, 0) for speaker, text in spoken]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Dial("SCL_1", "+12025550100", "", "room", "callee", {}, now, 0.0, transcript=transcript)


def test_a_good_call_has_no_shortcomings(desk: Scenario) -> None:
    """Everything was asked and answered."""
    asked = ["What is the price of a drop in visit?", "When are classes?", "Is there a mat fee?", "What shall I bring? Goodbye."]
    told = ["Twenty dollars.", "On Monday and Thursday.", "It is free.", "A towel."]
    pairs = [[("agent", question), ("callee", answer)] for question, answer in zip(asked, told, strict=True)]
    assert shortcomings(desk, a_call(*(turn for pair in pairs for turn in pair)), "completed") == []


def test_what_is_missing_is_named(desk: Scenario) -> None:
    """Half the questions were never asked and the call broke off; I read so, line by line."""
    found = shortcomings(desk, a_call(("agent", "What is the price of a drop in visit?")), "agent_failed")
    assert "the call ended as agent_failed, not completed" in found
    assert "1 turns were spoken, not 8" in found
    assert "the agent never said: mat" in found
    assert "the callee never said: towel" in found
    assert not any("price" in line for line in found)
