"""What can be seen of Google's speech without Google: its plugin lets nobody change the gRPC endpoint, so nothing is sent.

Shown: the options our factories set, the errors for a missing file, and the names of the errors Google's library raises.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from livekit.agents import APIStatusError

from config import Settings
from modules.conversation.personality import Hearing, Speaking
from modules.conversation.speech import google
from modules.conversation.speech.missing import MissingKey
from modules.conversation.speech.vendor_errors import named
from modules.conversation.vendors import Kind, vendor

pytestmark = pytest.mark.unit


@pytest.fixture
def account(keys: Settings, tmp_path: Path) -> Settings:
    """Settings that name the file of a service account, made for this test."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    about = {"type": "service_account", "project_id": "p", "private_key_id": "k", "private_key": key.decode(), "client_id": "1",
             "client_email": "a@p.iam.gserviceaccount.com", "token_uri": "http://127.0.0.1:9/token"}  # fmt: skip
    path = tmp_path / "account.json"
    path.write_text(json.dumps(about), encoding="utf-8")
    return keys.model_copy(update={"google_application_credentials": str(path)})


async def test_google_is_made_with_the_personality_s_language(account: Settings) -> None:
    """German is heard and spoken, with the voice of that language."""
    ears: Any = google.hearing(Hearing(provider="google", language="de-DE"), account)
    assert (ears.model, ears.capabilities.streaming, list(ears._config.languages)) == ("latest_long", True, ["de-DE"])
    voice: Any = google.speaking(Speaking(provider="google", language="de-DE"), account)
    chosen = voice._opts.voice
    assert (chosen.name, chosen.language_code, voice.sample_rate) == ("de-DE-Chirp3-HD-Charon", "de-DE", 16000)
    await ears.aclose()
    await voice.aclose()


def test_a_file_that_is_not_there_is_told(keys: Settings) -> None:
    """A wrong path is found before anything is dialled."""
    with pytest.raises(MissingKey, match="needs the file GOOGLE_APPLICATION_CREDENTIALS names"):
        google.hearing(Hearing(provider="google"), keys)


@pytest.mark.parametrize("kind", ["stt", "tts"])
def test_a_refusal_says_what_to_do(kind: Kind) -> None:
    """Google's 403 points at the file."""
    found = named(vendor(kind, "google"), APIStatusError("denied", status_code=403))
    assert str(found) == "ProviderRejected: google says 403: check GOOGLE_APPLICATION_CREDENTIALS"
