"""The table of vendors is what the loader, the command line and the page say; mistakes are told with what to type."""

import json
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from config import Settings
from modules.command_line import app
from modules.command_line.providers import row
from modules.conversation import vendors
from modules.conversation.personality import Components, Hearing, Speaking, Thinking
from modules.conversation.session import voice_activity
from modules.conversation.speech import build
from modules.conversation.speech.missing import MissingKey
from modules.conversation.speech.vendor_errors import session_failure
from modules.conversation.vendor_page import page
from modules.conversation.vendors import VENDORS, vendor
from modules.fleet.plan import settings_from
from modules.setup.places import PROJECT

pytestmark = pytest.mark.unit

BASE = {"LIVEKIT_API_KEY": "APIx", "LIVEKIT_API_SECRET": "0123456789" * 4}
COMPONENTS: dict[vendors.Kind, Any] = {"stt": Hearing, "llm": Thinking, "tts": Speaking}


def _mistake(kind: vendors.Kind, **fields: str) -> str:
    with pytest.raises(ValidationError) as caught:
        COMPONENTS[kind].model_validate(fields)
    return str(caught.value.errors()[0]["msg"])


def test_the_page_is_what_the_table_says() -> None:
    """docs/providers.md is current; `python -m docs.generate` writes it."""
    assert (PROJECT / "docs" / "providers.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("kind", COMPONENTS)
def test_the_loader_takes_the_words_of_the_table(kind: Any) -> None:
    """A name I read in the list is one I can write."""
    assert get_args(COMPONENTS[kind].model_fields["provider"].annotation) == vendors.names(kind)


@pytest.mark.parametrize("row", VENDORS, ids=lambda row: f"{row.kind}-{row.name}")
def test_every_setting_of_the_table_is_one(row: vendors.Vendor) -> None:
    """What a vendor needs can be set."""
    assert {name.lower() for name in row.needs} <= set(Settings.model_fields)


def test_a_vendor_that_is_not_installed_is_told_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader says which line installs it."""
    monkeypatch.setitem(sys.modules, "livekit.plugins.google", None)
    assert _mistake("llm", provider="google") == (
        "Value error, google is not installed; type: .venv/bin/python -m pip install -r requirements-providers.txt"
    )
    assert Thinking(provider="openai").provider == "openai"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"provider": "openai", "base_url": "ftp://x"}, "must be http://host/path or https://host/path"),
        ({"provider": "openai", "base_url": "file:///etc/passwd"}, "must be http://host/path"),
        ({"provider": "openai", "base_url": "https://u:p@x/v1"}, "without user"),
        ({"provider": "openai", "base_url": "https://x:99999"}, "is not an address"),
        ({"provider": "openai", "base_url": "https://x/v1/"}, "must not end with a slash"),
        ({"provider": "azure_openai", "base_url": "https://x"}, "azure_openai takes no base_url"),
        ({"provider": "anthropic", "base_url": "https://evil.example"}, "key is sent only to https hosts of anthropic.com"),
        ({"provider": "anthropic", "base_url": "https://notanthropic.com"}, "is sent only to"),
        ({"provider": "anthropic", "base_url": "http://api.anthropic.com"}, "is sent only to"),
    ],
)
def test_a_wrong_address_is_refused(fields: dict[str, str], says: str) -> None:
    """No key leaves for a place it does not belong to."""
    assert says in _mistake("llm", **fields)


@pytest.mark.parametrize("url", ["http://localhost:11434/v1", "http://10.0.0.5:8000/v1", "https://llm.example/v1"])
def test_any_service_that_speaks_openais_api_can_be_named(url: str) -> None:
    """ollama and vLLM are a base_url away."""
    assert Thinking(provider="openai", base_url=url).base_url == url


def test_an_own_address_gets_its_own_key() -> None:
    """OPENAI_API_KEY is never sent where a personality says; without another key none is needed."""
    settings = settings_from(BASE | {"OPENAI_API_KEY": "of-openai", "OPENAI_COMPATIBLE_API_KEY": "of-mine"})
    mind = Thinking(provider="openai", base_url="http://127.0.0.1:1/v1")
    parts = Components(stt=[Hearing(provider="deepgram")], llm=[mind], tts=[Speaking(provider="cartesia")])
    with pytest.raises(MissingKey, match="deepgram needs DEEPGRAM_API_KEY; set it in .env"):
        build(parts, settings, {}, voice_activity())
    keyed = settings.model_copy(update={"deepgram_api_key": SecretStr("d"), "cartesia_api_key": SecretStr("c")})
    model: Any = build(parts, keyed, {}, voice_activity()).llm
    assert model.wrapped._client.api_key == "of-mine"


def test_the_older_spelling_means_azure() -> None:
    """`provider: openai, model: azure_openai` is Azure's deployment."""
    found = Thinking(provider="openai", model="azure_openai")
    assert (found.provider, found.model) == ("azure_openai", "")


def test_the_list_shows_names_and_never_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """I can paste `providers list` into a ticket."""
    monkeypatch.chdir(tmp_path)
    for name, value in (BASE | {"DEEPGRAM_API_KEY": "hunter2hunter2"}).items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(app, ["providers", "list", "--json"])
    assert shown.exit_code == 0 and "hunter2" not in shown.stdout
    found = {(one["kind"], one["provider"]): one for one in json.loads(shown.stdout)["providers"]}
    assert set(found) == {(one.kind, one.name) for one in VENDORS}
    assert found["stt", "deepgram"]["settings"] == {"DEEPGRAM_API_KEY": True} and found["stt", "deepgram"]["ready"]
    assert not found["llm", "anthropic"]["ready"]
    table = CliRunner().invoke(app, ["providers", "list"])
    assert "set ANTHROPIC_API_KEY in .env" in table.stdout and "hunter2" not in table.stdout


def test_a_vendor_that_is_missing_is_listed_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says what to type, too."""
    monkeypatch.setitem(sys.modules, "livekit.plugins.google", None)
    found = row(vendor("stt", "google"), settings_from(BASE))
    assert not found["installed"] and "requirements-providers.txt" in found["install"]


class _Closed:
    """What a session closes with."""

    type = "tts_error"
    error = TimeoutError()


def test_a_chain_that_fails_is_told_as_one() -> None:
    """Where every vendor of a chain failed, all are named."""
    chain = [Speaking(provider="azure"), Speaking(provider="cartesia")]
    parts = Components(stt=[Hearing(provider="local")], llm=[Thinking(provider="openai")], tts=chain)
    assert session_failure(_Closed(), parts).startswith("ProviderFailed: azure, cartesia failed one after the other")
    one = parts.model_copy(update={"tts": chain[:1]})
    assert session_failure(_Closed(), one).startswith("ProviderTimedOut: azure did not answer in time")
