"""Who speaks is a YAML in agents/; what it wants is prose in prompts/. Both are checked before anything is dialled."""

from pathlib import Path

import pytest

from modules.conversation.opening import opening
from modules.conversation.personalities import Personalities
from modules.strict_yaml import YamlError

pytestmark = pytest.mark.unit

PERSONALITY = """\
name: Friendly caller
components:
  stt: {provider: local}
  llm: {provider: local, script: gym_researcher}
  tts: {provider: local}
greeting: "Hello, this is {{ caller_name }}'s assistant."
"""


@pytest.fixture
def folders(tmp_path: Path) -> Personalities:
    """A personality of one's own, and the smallest prompt book."""
    (tmp_path / "friendly.yaml").write_text(PERSONALITY, encoding="utf-8")
    (tmp_path / "prompts.yaml").write_text(
        "house_rules: {file: house_rules.md}\n"
        "default_inbound: {file: wanted.md}\n"
        "default_outbound: {file: wanted.md, variables: [caller_name]}\n",
        encoding="utf-8",
    )
    (tmp_path / "house_rules.md").write_text("Speak in short sentences.", encoding="utf-8")
    (tmp_path / "wanted.md").write_text("Ask what it costs.", encoding="utf-8")
    return Personalities(tmp_path, tmp_path)


def test_a_name_three_models_and_a_greeting_are_enough(folders: Personalities) -> None:
    """Everything else has a default."""
    friendly = folders.load("friendly")
    assert friendly.content.turns.nudges == 3
    assert friendly.prompts.render("default_outbound", {"caller_name": "Mia"}) == "Ask what it costs."


def test_a_mistake_is_found_when_it_is_read(folders: Personalities, tmp_path: Path) -> None:
    """File, line, field, and the word that was meant; no call ever meets it."""
    (tmp_path / "friendly.yaml").write_text(PERSONALITY.replace("greeting:", "greting:"), encoding="utf-8")
    with pytest.raises(YamlError, match=r"friendly\.yaml:6:1: greting: no such field; did you mean `greeting`\?"):
        folders.check("friendly")


def test_the_first_words_say_that_a_machine_speaks() -> None:
    """Whatever the greeting is, the callee is told; nobody can edit that away."""
    assert opening("Hello, this is Anna.", "en") == "I am an AI assistant. Hello, this is Anna."
    assert opening("Hello, I am an AI assistant.", "en") == "Hello, I am an AI assistant."
