"""New values in a file people also edit: what nobody changed stays as it was written, comments above all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.conversation.editing.own_fields import fields, with_fields
from modules.setup.places import PROJECT
from modules.strict_yaml import YamlError

pytestmark = pytest.mark.unit
HERE = Path("agents/desk.yaml")
TEXT = """# yaml-language-server: $schema=../docs/personality.schema.json
# The front desk.
name: Desk   # what people see
# Who listens, thinks and speaks.
components:
  stt: {provider: local}  # ears
  # the mouth
  tts: {provider: local, voice: rms}
# Said first.
greeting: "Hello."

# How patient it is.
turns: {nudges: 2, nudge_after_s: 6}
# The end.
"""


def changed(**new: object) -> str:
    return with_fields(TEXT, HERE, fields(TEXT, HERE) | new)


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]


@pytest.mark.parametrize("path", [*sorted((PROJECT / "agents").glob("*.yaml")), PROJECT / "prompts" / "prompts.yaml"])
def test_saving_what_is_there_changes_nothing(path: Path) -> None:
    """Byte by byte, for every file that comes with the project."""
    text = path.read_text("utf-8")
    assert with_fields(text, path, fields(text, path)) == text


def test_one_new_value_is_one_new_line() -> None:
    """The difference I see in git is the field I changed; its comment stays beside it."""
    assert changed(name="Front desk") == TEXT.replace("name: Desk  ", "name: Front desk")
    assert changed(turns={"nudges": 3, "nudge_after_s": 6}) == TEXT.replace("nudges: 2", "nudges: 3")
    assert changed(greeting="Hi.") == TEXT.replace("Hello.", "Hi.")
    parts = {"stt": {"provider": "azure"}, "tts": {"provider": "local", "voice": "rms"}}
    assert changed(components=parts) == TEXT.replace("stt: {provider: local}", "stt: {provider: azure}")


@pytest.mark.parametrize(
    ("field", "own"),
    [
        ("name", set()),
        ("components", {"# Who listens, thinks and speaks.", "# the mouth"}),
        ("greeting", {"# Said first."}),
        ("turns", {"# How patient it is."}),
    ],
)
def test_a_field_that_goes_takes_no_other_fields_comment_along(field: str, own: set[str]) -> None:
    """I delete a field and all notes but its own are still there, the head of the file too."""
    left = {name: value for name, value in fields(TEXT, HERE).items() if name != field}
    written = with_fields(TEXT, HERE, left)
    assert fields(written, HERE) == left
    assert set(comments(TEXT)) - set(comments(written)) <= own


def test_a_text_that_looks_like_something_else_stays_a_text() -> None:
    """Saved words come back as words, also where YAML would make a date, a number or a truth value of them."""
    words = ["2026-11-21", "yes", "no", "true", "1.5", "0x10", "1e3", "~", "null", "", " a ", "a: b", "# no comment", "12:30"]
    for word in words:
        assert fields(changed(greeting=word), HERE)["greeting"] == word, word


@given(st.recursive(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20) | st.integers(-99, 99) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), inner, max_size=3),
    max_leaves=6,
))  # fmt: skip
def test_whatever_is_saved_is_read_back(value: object) -> None:
    """No value is changed by writing it down."""
    assert fields(changed(extra=value), HERE) == fields(TEXT, HERE) | {"extra": value}


def test_a_file_that_is_not_yaml_cannot_be_given_fields() -> None:
    """It is named, as anywhere else."""
    with pytest.raises(YamlError, match=r"agents/desk\.yaml:1"):
        with_fields("name: [", HERE, {"name": "Desk"})


def test_a_new_file_holds_its_fields() -> None:
    """From nothing."""
    assert with_fields("", HERE, {"name": "Desk", "turns": {"nudges": 1}}) == "name: Desk\nturns:\n  nudges: 1\n"
