"""Scenarios: every simulated number has one, and a mistake in one is named with file, line and field."""

from pathlib import Path

import pytest

from modules.calls import Outcome
from modules.conversation.speech.local import YamlError, collect_lines
from modules.setup.places import PROJECT
from modules.simulation import load_scenarios
from modules.simulation.callee import reply_to, reply_to_digit

pytestmark = pytest.mark.unit

FOLDER = PROJECT / "scenarios"
GOOD = """name: A desk
number: "+12025550100"
about: Somebody.
person:
  knows:
    - when: price
      say: Twenty dollars.
expect: {outcome: completed}
"""


def test_our_scenarios_load_and_end_in_known_outcomes() -> None:
    """Each file of the project is used, and what it expects is a word the fleet knows."""
    scenarios = load_scenarios(FOLDER)
    assert len(scenarios) == len(list(FOLDER.glob("*.yaml")))
    assert {f"+120255501{end:02}" for end in range(20)} <= scenarios.keys()
    assert {scenario.expect.outcome for scenario in scenarios.values()} <= {str(outcome) for outcome in Outcome}


def test_the_listener_expects_every_line() -> None:
    """Nothing that a person can say is missing from what the agent listens for."""
    expected = set(collect_lines(FOLDER))
    english = [scenario for scenario in load_scenarios(FOLDER).values() if scenario.language == "en"]
    for scenario in english:
        assert set(scenario.person.lines() if scenario.person else []) <= expected


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "reason"),
    [
        ("+12025550100", "+4930123456", 2, "number", "belongs to nobody"),
        ("  knows:", "  knos:", 5, "person.knos", "did you mean `knows`?"),
        ("Twenty dollars.", "20 dollars.", 7, "person.knows.0.say", "write numbers as words"),
        ("    - when: price\n", "    -\n", 7, "person.knows.0", "`when`"),
        ("about: Somebody.", "about: Somebody.\nrefusal: {sip_status: 486}", 1, "", "exactly one"),
        ("about: Somebody.", "about: Somebody.\nrings_s: long", 4, "rings_s", "number"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, line: int, field: str, reason: str) -> None:
    """The error tells me the file, the line, the field and what is wrong with it."""
    (tmp_path / "desk.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(YamlError) as error:
        load_scenarios(tmp_path)
    assert (error.value.path.name, error.value.line, error.value.field) == ("desk.yaml", line, field)
    assert reason in str(error.value)


def test_a_number_belongs_to_one_scenario(tmp_path: Path) -> None:
    """Two files want the same number; the second is refused and the first named."""
    for name in ("first.yaml", "second.yaml"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(YamlError, match=r"second\.yaml:1: number: .* is taken by first\.yaml"):
        load_scenarios(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    """A wrong SCENARIOS_DIR is not a carrier without numbers."""
    with pytest.raises(YamlError, match="holds no scenario"):
        load_scenarios(tmp_path)


def test_a_person_greets_answers_and_asks_back() -> None:
    """First words get a greeting, known questions their answer, anything else one question after the other."""
    desk = load_scenarios(FOLDER)["+12025550100"].person
    assert desk is not None
    assert reply_to(desk, "hello i have a question", replies=0, puzzled=0).say == desk.greets
    assert reply_to(desk, "what is the price", replies=0, puzzled=0).say == desk.knows[0].say
    assert reply_to(desk, "something else", replies=1, puzzled=0).say == desk.otherwise[0]
    assert reply_to(desk, "something else", replies=2, puzzled=1).say == desk.otherwise[1]
    assert reply_to(desk, "thank you goodbye", replies=3, puzzled=0).hang_up


def test_a_machine_takes_keys() -> None:
    """One is opening hours, two is goodbye, three is nothing."""
    menu = load_scenarios(FOLDER)["+12025550119"].person
    assert menu is not None
    assert reply_to_digit(menu, "1").press == "5"
    assert reply_to_digit(menu, "2").hang_up
    assert reply_to_digit(menu, "3").say is None
