"""The command line explains itself, and its page says what it says."""

from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from modules.calls import Outcome
from modules.command_line import app
from modules.command_line.completion import personalities
from modules.command_line.live_view import SENTENCES
from modules.command_line.reference import PAGE, page

pytestmark = pytest.mark.unit

VERBS = [
    ["demo"], ["setup"], ["up"], ["down"], ["call"], ["calls"], ["show"], ["cancel"], ["stats"], ["doctor"],
    ["voice-pipeline"],
    ["config", "show"], ["providers", "list"], ["keys", "create"], ["keys", "list"], ["keys", "revoke"],
    ["do-not-call", "list"], ["do-not-call", "add"], ["do-not-call", "remove"],
    ["personalities", "lint"], ["personalities", "list"], ["personalities", "show"], ["personalities", "diff"],
    ["personalities", "edit"], ["personalities", "save"],
    ["connect", "twilio"], ["disconnect", "twilio"], ["simulate", "inbound"],
    ["trunks", "ensure"], ["trunks", "list"], ["trunks", "status"], ["trunks", "diff"], ["trunks", "delete"],
]  # fmt: skip


def test_the_page_is_what_the_program_says() -> None:
    """docs/command-line.md is current; `python -m modules.command_line.reference` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help_with_an_example_and_json(verb: list[str]) -> None:
    """--help of any verb shows a line I can paste."""
    shown = CliRunner().invoke(app, [*verb, "--help"], terminal_width=200)
    assert shown.exit_code == 0
    assert f"./voicefleet {' '.join(verb)}" in shown.stdout and "--json" in shown.stdout


def test_no_verb_is_missing_from_these_tests() -> None:
    """A new verb gets the same tests."""
    command: Any = get_command(app)
    found = [[name] for name, inner in command.commands.items() if not hasattr(inner, "commands")]
    found += [[name, child] for name, inner in command.commands.items() for child in getattr(inner, "commands", {})]
    assert sorted(found) == sorted(VERBS)


def test_an_unknown_verb_is_wrong_use() -> None:
    """A typing mistake ends with exit code 2."""
    assert CliRunner().invoke(app, ["cal"]).exit_code == 2


def test_every_outcome_has_a_sentence() -> None:
    """However a call ended, I am told in words."""
    assert set(SENTENCES) == {outcome.value for outcome in Outcome}


def test_personalities_are_completed_from_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tab after `--personality local` offers local_demo."""
    monkeypatch.chdir(Path(__file__).parents[2])
    assert personalities("local_d") == ["local_demo"]
