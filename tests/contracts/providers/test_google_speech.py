"""Google's listener and voice at their wire: gRPC, Google's own messages, a token signed with the service account's key."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.cloud.speech_v1.types import cloud_speech
from google.cloud.texttospeech_v1.types import cloud_tts

from config import Settings
from modules.conversation.personality import Hearing, Speaking
from modules.conversation.speech import google
from modules.conversation.speech.missing import MissingKey
from modules.conversation.speech.vendor_errors import (
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderRejected,
    ProviderTimedOut,
)
from modules.conversation.vendors import Kind
from tests.contracts.providers.google_server import GoogleServer, google_server
from tests.contracts.providers.models import failure, hear, listen_on, speak, synthesize
from tests.contracts.providers.vendor_server import SOUND

pytestmark = [
    pytest.mark.unit,
    # Google's plugin reads the file by a function that Google discourages for files of strangers; this one is the operator's.
    pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning"),
]

TEXT = "Guten Tag!"
STATUSES: list[tuple[grpc.StatusCode, type[ProviderError], str]] = [
    (grpc.StatusCode.UNAUTHENTICATED, ProviderRejected, "says 401: check GOOGLE_APPLICATION_CREDENTIALS"),
    (grpc.StatusCode.PERMISSION_DENIED, ProviderRejected, "says 403: check GOOGLE_APPLICATION_CREDENTIALS"),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, ProviderBusy, "says 429: its limit"),
    (grpc.StatusCode.INVALID_ARGUMENT, ProviderRejected, "says 400: check model, voice and language"),
    (grpc.StatusCode.UNAVAILABLE, ProviderFailed, "says 503: a fault on"),
    (grpc.StatusCode.INTERNAL, ProviderFailed, "says 500: a fault on"),
]


@pytest.fixture(scope="module")
def account_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a service account, made for these tests."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    about = {"type": "service_account", "project_id": "p", "private_key_id": "k", "private_key": key.decode(), "client_id": "1",
             "client_email": "a@p.iam.gserviceaccount.com", "token_uri": "http://127.0.0.1:9/token"}  # fmt: skip
    path = tmp_path_factory.mktemp("google") / "account.json"
    path.write_text(json.dumps(about), encoding="utf-8")
    return path


@pytest.fixture
def account(keys: Settings, account_file: Path) -> Settings:
    return keys.model_copy(update={"google_application_credentials": str(account_file)})


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GoogleServer]:
    async with google_server(monkeypatch) as running:
        yield running


def ears(account: Settings) -> Any:
    return google.hearing(Hearing(provider="google", language="de-DE"), account)


def mouth(account: Settings) -> Any:
    return google.speaking(Speaking(provider="google", language="de-DE"), account)


async def test_speech_is_streamed_and_words_come_back(cloud: GoogleServer, account: Settings) -> None:
    """Language, model and a token of our own account are in the request; German words come back."""

    async def answers(requests: Any, _: Any) -> AsyncIterator[Any]:
        async for request in requests:
            cloud.asked.append(request)
        said = cloud_speech.SpeechRecognitionAlternative(transcript=TEXT, confidence=0.9)
        result = cloud_speech.StreamingRecognitionResult(alternatives=[said], is_final=True, language_code="de-DE")
        yield cloud_speech.StreamingRecognizeResponse(results=[result])

    cloud.answers = answers
    assert await hear(ears(account)) == TEXT
    first, *sound = cloud.asked
    config = first.streaming_config.config
    assert (config.language_code, config.model, config.sample_rate_hertz) == ("de-DE", "latest_long", 16_000)
    assert sum(len(request.audio_content) for request in sound) == 8_000
    assert cloud.hosts == ["speech.googleapis.com:443"]
    claims = jwt.decode(cloud.tokens[0].removeprefix("Bearer "), verify=False)  # type: ignore[no-untyped-call]
    assert claims["iss"] == "a@p.iam.gserviceaccount.com"


async def test_a_sentence_is_spoken_while_it_is_written(cloud: GoogleServer, account: Settings) -> None:
    """Voice and language are asked for by name, the text follows, and its sound comes back."""

    async def answers(requests: Any, _: Any) -> AsyncIterator[Any]:
        async for request in requests:
            cloud.asked.append(request)
            if request.input.text:
                yield cloud_tts.StreamingSynthesizeResponse(audio_content=SOUND)

    cloud.answers = answers
    assert len(await speak(mouth(account), TEXT)) >= len(SOUND)
    first, *texts = cloud.asked
    voice = first.streaming_config.voice
    assert (voice.name, voice.language_code) == ("de-DE-Chirp3-HD-Charon", "de-DE")
    assert first.streaming_config.streaming_audio_config.sample_rate_hertz == 16_000
    assert "".join(request.input.text for request in texts) == TEXT
    assert cloud.hosts == ["texttospeech.googleapis.com:443"] and cloud.tokens


async def test_the_greeting_is_spoken_in_one_request(cloud: GoogleServer, account: Settings) -> None:
    """While it rings, the first sentence is made as a whole."""
    cloud.spoken = SOUND
    assert len(await synthesize(mouth(account), TEXT)) >= len(SOUND)
    assert (cloud.asked[0].input.text, cloud.asked[0].voice.name) == (TEXT, "de-DE-Chirp3-HD-Charon")


async def refusal(kind: Kind, work: Callable[[], Any]) -> ProviderError:
    """How Google refused. Who still writes into a refused stream is told of gRPC's own broken write now and then: asked again."""
    for _ in range(4):
        found = await failure(kind, "google", work())
        if "says 500" not in str(found):
            return found
    return found


@pytest.mark.parametrize(("status", "error", "says"), STATUSES, ids=[status.name for status, _, _ in STATUSES])
async def test_a_listener_that_refuses_says_what_to_do(
    status: grpc.StatusCode, error: type[ProviderError], says: str, cloud: GoogleServer, account: Settings
) -> None:
    """I read what Google said, in our words, and which setting to look at."""
    cloud.refuses(status)
    found = await refusal("stt", lambda: listen_on(ears(account)))
    assert type(found) is error and f"google {says}" in str(found)


@pytest.mark.parametrize(("status", "error", "says"), STATUSES, ids=[status.name for status, _, _ in STATUSES])
async def test_a_voice_that_refuses_says_what_to_do(
    status: grpc.StatusCode, error: type[ProviderError], says: str, cloud: GoogleServer, account: Settings
) -> None:
    """The same for what speaks."""
    cloud.refuses(status)
    found = await refusal("tts", lambda: speak(mouth(account), TEXT))
    assert type(found) is error and f"google {says}" in str(found)


async def test_a_voice_that_hangs_is_given_up(cloud: GoogleServer, account: Settings) -> None:
    """Nobody waits for a voice for ever."""

    async def answers(requests: Any, _: Any) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield

    cloud.answers = answers
    assert type(await failure("tts", "google", speak(mouth(account), TEXT))) is ProviderTimedOut


def test_a_file_that_is_not_there_is_told(keys: Settings) -> None:
    """A wrong path is found before anything is dialled."""
    with pytest.raises(MissingKey, match="needs the file GOOGLE_APPLICATION_CREDENTIALS names"):
        google.hearing(Hearing(provider="google"), keys)
