"""A/B: a file that shares its calls out between two personalities, and what is said where it cannot."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.calls import Call
from modules.calls.errors import InvalidField, UnknownPersonality
from modules.conversation.call_script import Composer
from modules.conversation.personalities import Personalities
from modules.conversation.split import drawn
from modules.strict_yaml import YamlError

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 21, tzinfo=UTC)
ARM = """name: {name}
components:
  stt: {{provider: local}}
  llm: {{provider: local, script: gym_researcher}}
  tts: {{provider: local}}
greeting: "I am an AI assistant, {name}."
"""
SPLIT = "name: Gym, short or long\nsplit: {short: 70, long: 30}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("agents", "prompts"):
        (tmp_path / name).mkdir()
    for arm in ("short", "long"):
        (tmp_path / "agents" / f"{arm}.yaml").write_text(ARM.format(name=arm))
    (tmp_path / "agents" / "gym.yaml").write_text(SPLIT)
    index = {key: f"{key}: {{file: {key}.md}}\n" for key in ("house_rules", "default_inbound", "default_outbound")}
    (tmp_path / "prompts" / "prompts.yaml").write_text("".join(index.values()))
    for key in index:
        (tmp_path / "prompts" / f"{key}.md").write_text("Be kind.")
    return tmp_path


def fleet(folder: Path) -> Personalities:
    return Personalities(folder / "agents", folder / "prompts", folder / "data")


def write(folder: Path, name: str, text: str) -> None:
    (folder / "agents" / f"{name}.yaml").write_text(text)


def call(number: int, **facts: Any) -> Call:
    known: dict[str, Any] = {"call_id": f"outbound-20261121-040102-{number:012x}", "personality": "gym"}
    return Call(**known | {"created_at": NOW, "expires_at": NOW} | facts)


def test_calls_are_shared_out_by_weight(folder: Path) -> None:
    """Of many calls about seventy in a hundred are spoken by the one, the others by the other."""
    arms = fleet(folder).arms("gym")
    found = Counter(drawn(call(number).call_id, arms) for number in range(20_000))
    assert set(found) == {"short", "long"}
    assert 13_740 < found["short"] < 14_260  # 14 000, and four standard deviations to either side


def test_a_call_keeps_its_arm(folder: Path) -> None:
    """The same call is spoken by the same arm in every process; one that has its arm keeps it when I change the weights."""

    def spoken_by(arms: dict[int, str], **facts: Any) -> dict[int, str]:
        process = Composer(fleet(folder))
        return {number: process.compose(call(number, arm=arm, **facts)).arm for number, arm in arms.items()}

    first = spoken_by(dict.fromkeys(range(20), ""))
    assert spoken_by(dict.fromkeys(range(20), ""), attempt=3) == first
    write(folder, "gym", SPLIT.replace("short: 70, long: 30", "long: 9999, short: 1"))
    assert spoken_by(first) == first
    write(folder, "third", ARM.format(name="third"))
    write(folder, "gym", SPLIT.replace("short: 70", "third: 70"))
    assert set(spoken_by(first).values()) == {"third", "long"}  # an arm that was taken out speaks no more


def test_what_is_said_and_recorded_is_the_arms(folder: Path) -> None:
    """Greeting and version are those of the arm that speaks."""
    personalities = fleet(folder)
    for number in range(20):
        script = Composer(personalities).compose(call(number))
        assert script.greeting == f"I am an AI assistant, {script.arm}."
        assert script.personality.sha256 == personalities.load(script.arm).sha256
    plain = Composer(personalities).compose(call(1, personality="short"))
    assert (plain.arm, plain.greeting) == ("", "I am an AI assistant, short.")


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers(1, 10_000), min_size=2), st.text())
def test_the_order_of_the_arms_does_not_matter(weights: dict[str, int], call_id: str) -> None:
    """I may sort my file and nobody changes places; an arm is always found."""
    assert drawn(call_id, weights) == drawn(call_id, dict(reversed(list(weights.items())))) != ""


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("{short: 70, lng: 30}", "gym.yaml:2:20: split.lng: there is no lng.yaml; did you mean `long`?"),
        ("{short: 70, gym: 30}", "gym.yaml:2:20: split.gym: is a split itself; an arm is a personality that speaks"),
        ("{short: 70, long: 0}", "gym.yaml:2:26: split.long: expected at least 1, found 0"),
        ("{short: 70, long: -3}", "gym.yaml:2:26: split.long: expected at least 1, found -3"),
        ("{short: 0.7, long: 0.3}", "gym.yaml:2:16: split.short: expected a whole number, found 0.7"),
        ("{short: 70}", "gym.yaml:2:1: split: expected at least 2 entries, found `field: value` lines"),
        ("[short, long]", "gym.yaml:2:1: split: expected `name: value` lines, found a list of 2"),
        ("{short: 70, ../x: 30}", "gym.yaml:2:"),
        ("{short: 70, broken: 30}", "gym.yaml:2:20: split.broken: cannot be used as it is: "),
        ("{short: 70, long: 30}\ngreeting: Hello.", "gym.yaml:3:1: greeting: no such field"),
        ("{short: 70, short: 30}", "gym.yaml:2:20: split.short: is written twice, first in line 2"),
    ],
)
def test_a_split_that_cannot_be_used_is_told_like_any_mistake(folder: Path, split: str, message: str) -> None:
    """File, line, column, field, what was expected, and the nearest valid word."""
    write(folder, "broken", "name: Broken")
    write(folder, "gym", f"name: Gym\nsplit: {split}\n")
    with pytest.raises(YamlError) as error:
        fleet(folder).check("gym")
    assert str(error.value).removeprefix(f"{folder}/agents/").startswith(message), str(error.value)


def test_every_mistake_of_a_split_is_named_at_once(folder: Path) -> None:
    """Two arms that are not there are two mistakes."""
    write(folder, "gym", "name: Gym\nsplit: {one: 1, two: 1}\n")
    with pytest.raises(YamlError) as error:
        fleet(folder).check("gym")
    assert [found.field for found in error.value.all] == ["split.one", "split.two"]


def test_a_personality_cannot_extend_a_split(folder: Path) -> None:
    """A split has nothing to say that could be taken over."""
    write(folder, "child", "extends: gym\n" + ARM.format(name="child"))
    with pytest.raises(YamlError, match=r"child\.yaml:1:10: extends: gym is a split; extend a personality"):
        fleet(folder).check("child")


def test_a_broken_edit_of_an_arm_costs_no_call(folder: Path) -> None:
    """While an arm's file is broken its last good version speaks, the weights stay, and both files are named."""
    running = fleet(folder)
    before = {number: Composer(running).compose(call(number)).arm for number in range(10)}
    write(folder, "long", "name: [")
    assert set(running.problems()) == {"gym", "long"}
    assert {number: Composer(running).compose(call(number)).arm for number in range(10)} == before
    assert running.usable("gym")


def test_an_arm_that_is_gone_leaves_its_share_to_the_others(folder: Path) -> None:
    """I delete an arm's file: calls go on with the other, and I am told; without any arm, calls are refused by name."""
    running = fleet(folder)
    assert running.arms("gym") == {"short": 70, "long": 30}
    (folder / "agents" / "long.yaml").unlink()
    assert {Composer(running).compose(call(number, arm="long")).arm for number in range(20)} == {"short"}
    assert "there is no long.yaml" in str(running.problems()["gym"])
    (folder / "agents" / "short.yaml").unlink()
    assert not running.usable("gym")
    with pytest.raises(UnknownPersonality, match="No arm of the split 'gym' can be used"):
        Composer(running).compose(call(1))


def test_arms_may_ask_for_different_variables(folder: Path) -> None:
    """A call gives what any arm needs; what no arm knows is refused, and what one needs is asked for whoever would speak."""
    write(
        folder, "short", ARM.format(name="short").replace("tant,", "tant, {{ guest }},") + "variables: {guest: {type: string}}\n"
    )
    write(folder, "long", ARM.format(name="long") + "variables: {visits: {type: number, default: 1}}\n")
    composer = Composer(fleet(folder))
    scripts = {script.arm: script.variables for script in composer.every(call(1, variables={"guest": "Ada", "visits": "2"}))}
    given = {arm: {name for name, value in variables.items() if value} for arm, variables in scripts.items()}
    assert given == {"short": {"guest"}, "long": {"visits"}}
    for variables in ({}, {"guest": "Ada", "colour": "red"}):
        with pytest.raises(InvalidField):
            composer.every(call(1, variables=variables))


def test_a_split_answers_a_number(folder: Path) -> None:
    """Inbound calls are shared out as well; a number that an arm answers too is a mistake of both files."""
    write(folder, "gym", SPLIT + 'inbound_numbers: ["+4930123456"]\n')
    assert fleet(folder).answering() == {"+4930123456": "gym"}
    assert not fleet(folder).problems()
    write(folder, "long", ARM.format(name="long") + 'inbound_numbers: ["+4930123456"]\n')
    assert set(fleet(folder).problems()) == {"gym", "long"}


def test_a_split_is_no_voice(folder: Path) -> None:
    """Whoever asks for its words is told who has them."""
    with pytest.raises(UnknownPersonality, match="'gym' does not speak itself; it is a split of short, long"):
        fleet(folder).load("gym")
    assert replace(call(1), personality="gym").arm == ""
