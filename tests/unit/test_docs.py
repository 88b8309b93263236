"""What the pages say is what the program does: they are made from it, and this compares them."""

import re
from pathlib import Path

import pytest

from config import Settings
from docs.generate import GROUPS, PAGES, env_example, main
from modules.calls import TRANSITIONS, Event, Outcome, State
from modules.calls.drawing import diagram, sentences
from modules.calls.outcomes import Retry

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_program_is_current(name: str) -> None:
    """Whoever changes a state, a setting or a verb changes its page by one command: python -m docs.generate."""
    assert (PROJECT / name).read_text(encoding="utf-8") == PAGES[name](), "run: python -m docs.generate"


@pytest.mark.parametrize("words", [State, Event, Outcome, Retry])
def test_every_word_of_a_calls_life_has_its_sentence(words: type[State]) -> None:
    """No state, event or outcome is left unexplained."""
    explained = sentences(words)
    assert set(explained) == {word.value for word in words}
    assert all(sentence.endswith(".") for sentence in explained.values())


def test_the_diagram_has_exactly_the_arrows_of_the_table() -> None:
    """What I see drawn is what can happen, and nothing else."""
    drawn = set(re.findall(r"^ +(\w+) --> (\w+):", diagram(), re.MULTILINE))
    assert drawn == {(here.value, there.value) for (here, _), following in TRANSITIONS.items() for there in following}


def test_every_setting_is_in_the_example_file() -> None:
    """I copy .env.example and find every name I can set, with its default."""
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", env_example(), re.MULTILINE))
    assert len(named) == len(Settings.model_fields)
    assert {"LIVEKIT_URL", "REDIS_URL", "API_KEY", "DEFAULT_REGION", "AZURE_SPEECH_KEY"} <= named


def test_every_group_of_settings_begins_with_a_setting() -> None:
    """A renamed setting cannot swallow its group's title."""
    assert set(GROUPS) <= set(Settings.model_fields)


def test_a_plain_copy_of_the_example_needs_only_the_three_secrets(tmp_path: Path) -> None:
    """A copied .env.example with its three keys filled in starts, with every default as documented."""
    text = env_example().replace("\n# ", "\n#~").replace("#~--- ", "# --- ")
    text = re.sub(r"^#~([A-Z0-9_]+=)", r"\1", text, flags=re.MULTILINE)
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "API_KEY"):
        text = text.replace(f"\n{name}=\n", f"\n{name}=filled-in-0123456789-0123456789-0123456789\n")
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    filled = Settings(_env_file=tmp_path / ".env")  # type: ignore[call-arg]  # pydantic-settings' own argument
    for name, info in Settings.model_fields.items():
        if name not in ("livekit_api_key", "livekit_api_secret", "api_key"):
            assert getattr(filled, name) == info.get_default(call_default_factory=True), name


def test_links_between_pages_lead_somewhere() -> None:
    """No page sends me to a page that is not there."""
    pages = [*sorted((PROJECT / "docs").glob("*.md")), *sorted(PROJECT.glob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\((?!https?://|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_one_command_writes_them_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """python -m docs.generate writes each page and says which."""
    main(tmp_path)
    assert capsys.readouterr().out.split() == list(PAGES)
    assert {name: (tmp_path / name).read_text("utf-8") for name in PAGES} == {name: page() for name, page in PAGES.items()}
