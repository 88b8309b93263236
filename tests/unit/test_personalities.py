"""The folder of personalities: edits, broken edits, one from another, typed variables, names and files that mean harm."""

import os
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modules.calls import Call
from modules.calls.errors import InvalidField, UnknownPersonality
from modules.conversation.call_script import CallScript, Composer
from modules.conversation.personalities import Personalities
from modules.strict_yaml import YamlError

pytestmark = pytest.mark.unit

DESK = """name: Desk
components:
  stt: {provider: local}
  llm: {provider: local, script: gym_researcher}
  tts: {provider: local}
greeting: "I am an AI assistant of {{ organization }}."
variables:
  organization: City Clinic
  visits: {type: number, default: 1}
  urgent: {type: boolean, default: false}
  matter: {type: choice, choices: [appointment, invoice], default: appointment}
"""
BOOK = """house_rules: {file: house_rules.md}
default_inbound: {file: inbound.md}
default_outbound: {file: outbound.md, variables: [organization, visits]}
manners: {file: manners.md}
"""
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("agents", "prompts"):
        (tmp_path / name).mkdir()
    (tmp_path / "agents" / "desk.yaml").write_text(DESK)
    (tmp_path / "prompts" / "prompts.yaml").write_text(BOOK)
    (tmp_path / "prompts" / "house_rules.md").write_text("Be kind.")
    (tmp_path / "prompts" / "inbound.md").write_text("Help.")
    (tmp_path / "prompts" / "manners.md").write_text("Say please.")
    (tmp_path / "prompts" / "outbound.md").write_text(
        "{% include 'manners' %} You speak for {{ organization }}.{% if visits > 1 %} They know you.{% endif %}"
    )
    return tmp_path


def fleet(folder: Path) -> Personalities:
    """A process of the fleet; each has its own memory and shares the kept copies."""
    return Personalities(folder / "agents", folder / "prompts", folder / "data" / "personalities")


def script(personalities: Personalities, **facts: Any) -> CallScript:
    return Composer(personalities).compose(Call(call_id="c", personality="desk", created_at=NOW, expires_at=NOW, **facts))


def desk(folder: Path, old: str, new: str) -> None:
    (folder / "agents" / "desk.yaml").write_text(DESK.replace(old, new))


def test_an_edit_is_used_by_the_next_load(folder: Path) -> None:
    """I save another greeting and the next call says it; the version has another hash."""
    running = fleet(folder)
    before = script(running)
    desk(folder, "I am an AI assistant of", "I am the AI assistant at")
    after = script(running)
    assert before.greeting == "I am an AI assistant of City Clinic."
    assert after.greeting == "I am the AI assistant at City Clinic."
    assert before.personality.sha256 != after.personality.sha256


def test_a_prompt_belongs_to_the_version(folder: Path) -> None:
    """An edited prompt changes the hash, an included one too; one that nobody speaks from does not."""
    running = fleet(folder)
    first = running.load("desk").sha256
    (folder / "prompts" / "prompts.yaml").write_text(BOOK + "other: {file: inbound.md}\n")
    assert running.load("desk").sha256 == first
    (folder / "prompts" / "manners.md").write_text("Say thanks.")
    assert running.load("desk").sha256 != first


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("agents/desk.yaml", DESK.replace("name:", "nme:"), "agents/desk.yaml:1:1: nme"),
        ("agents/desk.yaml", "", "agents/desk.yaml:1"),
        ("prompts/prompts.yaml", "house_rules: [", "prompts/prompts.yaml:1"),
        ("prompts/outbound.md", "Hi.\nI speak for {{ organisation }}.", "prompts/outbound.md:2: organisation"),
        ("prompts/manners.md", "{% if %}", "prompts/manners.md:1"),
    ],
)
def test_after_a_broken_edit_the_last_good_version_speaks(folder: Path, file: str, text: str, place: str) -> None:
    """I save nonsense: calls go on as before, also from a process that starts now, and I am told where it is."""
    good = script(fleet(folder))
    (folder / file).write_text(text)
    for process in (fleet(folder), fleet(folder)):
        now = script(process)
        assert (now.greeting, now.instructions, now.personality.sha256) == (
            good.greeting, good.instructions, good.personality.sha256,
        )  # fmt: skip
        assert str(process.problems()["desk"]).startswith(f"{folder}/{place}")
    (folder / "agents" / "desk.yaml").write_text(DESK)
    (folder / "prompts" / "prompts.yaml").write_text(BOOK)


def test_a_mailbox_is_told_what_the_call_is_about(folder: Path) -> None:
    """My message has the call's own values in it."""
    message = "voicemail: {action: leave_message, message: 'Please call {{ organization }}.'}\n"
    (folder / "agents" / "desk.yaml").write_text(DESK + message)
    found = script(fleet(folder), variables={"organization": "Town Hall"})
    assert (found.message, found.message_task) == ("Please call Town Hall.", "")


def test_a_message_may_be_worded_by_a_prompt(folder: Path) -> None:
    """The prompt I name is one of the personality's: its variables are the call's, and an edit of it is a new version."""
    (folder / "prompts" / "prompts.yaml").write_text(BOOK + "mailbox: {file: mailbox.md, variables: [visits]}\n")
    (folder / "prompts" / "mailbox.md").write_text("Say that visit {{ visits }} is due.")
    (folder / "agents" / "desk.yaml").write_text(DESK + "voicemail: {action: leave_message, prompt: mailbox}\n")
    running = fleet(folder)
    found = script(running, variables={"visits": "3"})
    assert (found.message, found.message_task) == ("", "Be kind.\n\nSay that visit 3 is due.")
    (folder / "prompts" / "mailbox.md").write_text("Ask for a call back.")
    assert script(running).personality.sha256 != found.personality.sha256


def test_a_number_is_answered_by_the_one_that_lists_it(folder: Path) -> None:
    """I give two personalities a number each; what extends one of them does not take its number too."""
    (folder / "agents" / "desk.yaml").write_text(DESK + "inbound_numbers: ['+493012345678']\n")
    (folder / "agents" / "night.yaml").write_text("name: Night\nextends: desk\ninbound_numbers: ['+12025550177']\n")
    (folder / "agents" / "spare.yaml").write_text("name: Spare\nextends: desk\n")
    running = fleet(folder)
    assert running.answering() == {"+493012345678": "desk", "+12025550177": "night"}
    assert not running.problems()


def test_two_that_claim_one_number_are_both_told(folder: Path) -> None:
    """Each file's check names the other; calls still come through, to the first by name."""
    (folder / "agents" / "desk.yaml").write_text(DESK + "inbound_numbers: ['+493012345678']\n")
    (folder / "agents" / "night.yaml").write_text("name: Night\nextends: desk\ninbound_numbers:\n  - '+493012345678'\n")
    running = fleet(folder)
    with pytest.raises(YamlError, match=r"night.yaml:4:5: inbound_numbers: \+493012345678 is claimed by desk.yaml:12 as well"):
        running.check("night")
    with pytest.raises(YamlError, match=r"desk.yaml:12:19: .* is claimed by night.yaml:4 as well"):
        running.check("desk")
    assert sorted(running.problems()) == ["desk", "night"]
    assert running.answering() == {"+493012345678": "desk"}


def test_a_mended_file_is_used_again(folder: Path) -> None:
    """I correct my mistake and the trouble is over."""
    running = fleet(folder)
    running.load("desk")
    desk(folder, "name: Desk", "name: [")
    assert running.load("desk").problem
    desk(folder, "name: Desk", "name: New desk")
    assert (running.load("desk").problem, running.load("desk").content.name) == (None, "New desk")
    assert not running.problems()


def test_what_never_was_good_is_refused(folder: Path) -> None:
    """A new file with a mistake has no version that could stand in."""
    (folder / "agents" / "new.yaml").write_text("name: New")
    with pytest.raises(YamlError, match=r"new\.yaml:1: components: is required"):
        fleet(folder).load("new")
    assert not fleet(folder).usable("new")


def test_a_folder_that_cannot_be_written_costs_no_call(folder: Path) -> None:
    """A full or read-only disk takes the fallback away and nothing else."""
    (folder / "data").write_text("a file where the folder should be")
    assert script(fleet(folder)).greeting


def test_one_personality_extends_another(folder: Path) -> None:
    """I say only what is different; a component that names its provider is all mine."""
    (folder / "agents" / "_base.yaml").write_text(DESK)
    desk(folder, DESK, "extends: _base\nname: Child\nturns: {nudges: 1}\nvariables: {organization: Gym}\n")
    content = fleet(folder).load("desk").content
    assert (content.name, content.turns.nudges, content.components.llm[0].script) == ("Child", 1, "gym_researcher")
    assert (content.variables["organization"].default, content.variables["visits"].type) == ("Gym", "number")
    assert fleet(folder).ids() == ["desk"]
    (folder / "agents" / "_base.yaml").write_text(DESK.replace("provider: local, script", "provider: local, scrip"))
    with pytest.raises(YamlError, match=r"_base\.yaml:4:26: components\.llm\.scrip: no such field; did you mean `script`"):
        fleet(folder).check("desk")


def test_extending_in_a_circle_is_refused(folder: Path) -> None:
    """Two files that extend each other are told so, with the way round."""
    desk(folder, "name: Desk", "extends: other")
    (folder / "agents" / "other.yaml").write_text(DESK.replace("name: Desk", "extends: desk"))
    with pytest.raises(YamlError, match=r"other\.yaml:1:10: extends: goes in a circle: desk -> other -> desk"):
        fleet(folder).check("desk")


def test_a_call_fills_the_variables(folder: Path) -> None:
    """What I send with a call is in its greeting and its prompt, numbers as numbers."""
    said = script(fleet(folder), variables={"organization": "Gym", "visits": "2"})
    assert said.greeting == "I am an AI assistant of Gym."
    assert said.instructions == "Be kind.\n\nSay please. You speak for Gym. They know you."
    assert said.variables["visits"] == "2"


@pytest.mark.parametrize(
    ("variables", "field", "words"),
    [
        ({"visits": "many"}, "variables.visits", "expected a number, found 'many'"),
        ({"visits": "NaN"}, "variables.visits", "expected a number"),
        ({"urgent": "perhaps"}, "variables.urgent", "expected true or false, found 'perhaps'"),
        ({"matter": "invoce"}, "variables.matter", "did you mean `invoice`?"),
        ({"organisation": "x"}, "variables.organisation", "Did you mean `organization`?"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_when_the_call_is_placed(
    folder: Path, variables: dict[str, str], field: str, words: str
) -> None:
    """A wrong value never reaches a conversation."""
    with pytest.raises(InvalidField) as error:
        script(fleet(folder), variables=variables)
    assert (error.value.field, words in error.value.message) == (field, True), error.value.message


def test_a_required_variable_must_come_with_the_call(folder: Path) -> None:
    """A variable without a default is asked for by name."""
    desk(folder, "organization: City Clinic", "organization: {type: string}")
    with pytest.raises(InvalidField) as error:
        script(fleet(folder))
    assert error.value.field == "variables.organization"


def test_a_personality_may_keep_its_words(folder: Path) -> None:
    """Where overrides are not allowed, a call that brings its own words is refused by name."""
    assert script(fleet(folder), greeting="Hi.").greeting == "I am an AI assistant. Hi."
    desk(folder, "name: Desk", "name: Desk\noverrides: [greeting]")
    assert script(fleet(folder), greeting="Hi.")
    with pytest.raises(InvalidField, match="lets no call bring its own llm_prompt") as error:
        script(fleet(folder), llm_prompt="Sell.")
    assert error.value.field == "llm_prompt"


@pytest.mark.parametrize(
    "name", ["../desk", "/etc/passwd", "desk.yaml", "desk\0", "DESK", "ｄｅｓｋ", "..", "", "con/desk", "a" * 65, "_base"]
)
def test_a_name_is_never_a_path(folder: Path, name: str) -> None:
    """No id leads out of the folder, or to a file that is not a personality."""
    with pytest.raises(UnknownPersonality):
        fleet(folder).load(name)


def test_links_pipes_and_giants_are_not_read(folder: Path) -> None:
    """Only ordinary small files count, whatever stands in the folder."""
    outside = folder / "secret.yaml"
    outside.write_text(DESK)
    (folder / "agents" / "linked.yaml").symlink_to(outside)
    (folder / "agents" / "big.yaml").write_text("# " + "x" * 70_000)
    os.mkfifo(folder / "agents" / "pipe.yaml")
    for name, words in (("linked", "symbolic link"), ("big", "more than 64 KiB"), ("pipe", "not a file")):
        with pytest.raises(YamlError, match=words):
            fleet(folder).check(name)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b]\n",
        "[" * 1_000_000,
        "name: " + "{a: " * 15_000,
        "- " * 30_000,
        "!!python/object/apply:os.system [echo]",
        "name: Desk\n" * 5_000,
        "? " * 20_000,
    ],
)
def test_a_bomb_is_refused_quickly_and_cheaply(folder: Path, text: str) -> None:
    """A hostile file costs a moment and a little memory, and nothing it names is run."""
    (folder / "agents" / "bomb.yaml").write_text(text)
    tracemalloc.start()
    with pytest.raises(YamlError):
        fleet(folder).check("bomb")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
