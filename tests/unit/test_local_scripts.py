"""Scripts of provider `local`: what is wrong with a file is said with file, line and field, before anybody calls."""

from pathlib import Path

import pytest

from modules.conversation.speech.local import YamlError, collect_lines, load_script
from modules.conversation.speech.local.decoder import Expected
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit

SCRIPTS = sorted((PROJECT / "prompts" / "scripts").glob("*.yaml"))
GOOD = """name: short
topics:
  - ask: What is the price?
    answer: dollar
rules:
  - when: robot|person
    say: I am an AI assistant.
closing: Goodbye.
"""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_our_scripts_load(path: Path) -> None:
    """Every script that comes with the project can be used."""
    assert load_script(path).name == path.stem


def test_every_word_can_be_heard() -> None:
    """Nothing is said in our scripts and scenarios that the listener's dictionary does not know."""
    for folder in ("prompts/scripts", "scenarios"):
        assert Expected(collect_lines(PROJECT / folder)).missing_words == []


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "reason"),
    [
        ("    answer: dollar", "    answr: dollar", 4, "topics.0.answr", "did you mean `answer`?"),
        ("    answer: dollar", "    answer: dollar(", 4, "topics.0.answer", "not a regular expression"),
        ("    answer: dollar", "    answer: dollar|", 4, "topics.0.answer", "matches everything"),
        ("What is the price?", "Is it 20 dollars?", 3, "topics.0.ask", "write numbers as words"),
        ("What is the price?", "What is the {{ thing }}?", 1, "", "`{{ thing }}` is used, but not declared"),
        ("    say: I am an AI assistant.", "    say: Of course not.", 1, "", "honestly"),
        ("    say: I am an AI assistant.", "    then: sing", 7, "rules.0.then", "'hang up'"),
        ("closing: Goodbye.", "", 1, "closing", "required"),
        ("closing: Goodbye.", "closing: Goodbye.\nclosing: Bye.", 9, "closing", "written twice"),
        ("topics:", "topics: [", 3, "", "not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, line: int, field: str, reason: str) -> None:
    """The error tells me the file, the line, the field and what is wrong with it."""
    path = tmp_path / "short.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(YamlError) as error:
        load_script(path)
    assert (error.value.path, error.value.field) == (path, field)
    assert error.value.line == line
    assert reason in str(error.value)


def test_lines_are_collected_with_their_defaults(tmp_path: Path) -> None:
    """A listener expects every line of a folder, with the values a call without variables has."""
    (tmp_path / "a.yaml").write_text(
        "variables: {who: Maria}\nclosing: 'Goodbye {{ who }}.'\nrules: [{when: never said, say: Of course.}]\nnote: not said\n"
    )
    (tmp_path / "b.yaml").write_text('greeting: "Hello, it is {% if x %}for {{ x }}{% endif %} me."\n')
    (tmp_path / "c.yaml").write_text("language: de\ngreeting: Guten Tag.\n")
    (tmp_path / "d.yaml").write_text("broken: [")
    assert collect_lines(tmp_path) == ["Goodbye Maria.", "Of course.", "Hello, it is", "for", "me."]
