"""POST /api/voice-pipeline: a recording in, an answer out, and every way in which that is refused."""

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from config import Settings
from modules.api_server import create_app
from modules.api_server.routes.voice_pipeline import prefers_sound
from modules.call_queue_manager import Store
from modules.conversation.speech.local import flite_tts, sphinx_stt
from modules.setup.places import PROJECT
from tests.api.conftest import KEY, client, process
from tests.uploads import encoded, endless_opus, wav

pytestmark = pytest.mark.redis

PATH = "/api/voice-pipeline"
SAID = "One visit costs twenty dollars."
QUESTION = "What is the price of a drop in visit?"


@pytest.fixture(scope="module")
def spoken() -> bytes:
    """Somebody says what a visit costs."""
    return asyncio.run(flite_tts("kal16").speak(SAID))


@pytest.fixture
def api_settings(api_settings: Settings, voices: Path) -> Settings:
    """The API of the other tests, with something to say, something to listen for, and one process for uploads."""
    script = (PROJECT / "prompts/scripts/gym_researcher.yaml").read_text()
    (voices / "prompts/scripts").mkdir()
    (voices / "prompts/scripts/gym.yaml").write_text(script)
    return api_settings.model_copy(update={"scenarios_dir": PROJECT / "scenarios", "voice_pipelines": 1})


async def upload(api: httpx2.AsyncClient, content: bytes, accept: str = "", **fields: str) -> httpx2.Response:
    headers = {"Accept": accept} if accept else {}
    return await api.post(PATH, files={"file": ("a.wav", content)}, data=fields, headers=headers, timeout=120)


def understood(wav_file: bytes, expected: str) -> str:
    """What a listener hears in a WAV file."""
    with wave.open(io.BytesIO(wav_file)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (16_000, 1)
        return sphinx_stt([expected]).new_decoder().decode(sound.readframes(sound.getnframes()))


async def test_a_recording_is_answered_as_in_a_call(
    api: httpx2.AsyncClient, spoken: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """I send what somebody said and get the words, the answer, its sound, and how long each stage took; the log knows no word."""
    answer = await upload(api, encoded(spoken, "webm", "libopus"))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["transcript"], told["reply"]) == ("one visit costs twenty dollars", QUESTION)
    assert understood(base64.b64decode(told["audio"]), QUESTION) == "what is the price of a drop in visit"
    assert (told["audio_type"], told["personality"], len(told["personality_hash"])) == ("audio/wav", "front_desk", 64)
    assert told["heard_s"] == pytest.approx(len(spoken) / 32_000, abs=0.1)
    times = told["times"]
    assert list(times) == ["wait_s", "decode_s", "stt_s", "llm_s", "tts_s", "total_s"] and min(times.values()) > 0
    assert times["total_s"] == pytest.approx(sum(list(times.values())[:-1]), abs=0.01)
    stages = [stage.split(";")[0] for stage in answer.headers["server-timing"].split(", ")]
    assert stages == ["wait", "decode", "stt", "llm", "tts", "total"]
    assert 'voicefleet_voice_pipeline_seconds_count{stage="llm"} 1.0' in (await api.get("/metrics")).text
    logged = "".join(capfd.readouterr())
    assert "/api/voice-pipeline" in logged and "twenty" not in logged and "drop in" not in logged


async def test_the_sound_alone_is_sent_to_who_asks_for_it(api: httpx2.AsyncClient, spoken: bytes) -> None:
    """`curl -H 'Accept: audio/wav' -o reply.wav` is all a player needs; no word of it is in a header."""
    answer = await upload(api, wav(spoken), "audio/wav", personality="front_desk")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert understood(answer.content, QUESTION) == "what is the price of a drop in visit"
    assert "stt;dur=" in answer.headers["server-timing"] and "visit" not in str(answer.headers)


@pytest.mark.parametrize(
    ("accept", "sound"),
    [("", False), ("*/*", False), ("application/json", False), ("text/html", False), (";;,,=", False), ("audio/wav;q=0", False),
     ("audio/wav;q=0.2, application/json", False), ("audio/wav;q=x, */*", False), ("audio/wav", True),
     ("audio/*, */*;q=0.1", True)],
)  # fmt: skip
def test_sound_is_sent_only_where_it_is_preferred(accept: str, sound: bool) -> None:
    """Whoever says nothing of sound gets JSON."""
    assert prefers_sound(accept) is sound


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"", 422, "broken_audio"), (b"<html>", 415, "unsupported_audio"), (wav(b""), 422, "broken_audio"),
     (endless_opus(36_000), 413, "audio_too_long"), (wav(bytes(32_000)), 422, "nothing_heard")],
)  # fmt: skip
async def test_a_file_that_cannot_be_answered_is_refused_by_name(
    api: httpx2.AsyncClient, content: bytes, status: int, code: str
) -> None:
    """Ten hours in 630 kB, a page, nothing at all, silence: one named problem each, at the field `file`."""
    refused = await upload(api, content)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.json()["errors"][0]["field"] == "file"


async def test_what_is_wrong_with_the_request_is_told_by_field(api: httpx2.AsyncClient, spoken: bytes) -> None:
    """Personality, key, variable, unknown fields: as everywhere else in the API."""
    found: dict[str, httpx2.Response] = {
        "nobody": await upload(api, wav(spoken), personality="nobody"),
        "broken": await upload(api, wav(spoken), personality="broken"),
        "keyless": await upload(api, wav(spoken), personality="keyless"),
        "strict": await upload(api, wav(spoken), personality="strict"),
        "unknown": await upload(api, wav(spoken), persona="front_desk"),
        "no json": await upload(api, wav(spoken), variables="organization"),
        "no file": await api.post(PATH, data={"personality": "front_desk"}),
        "not a form": await api.post(PATH, json={}),
    }
    assert {name: answer.status_code for name, answer in found.items()} == dict.fromkeys(found, 422)
    assert "set it in .env" in found["keyless"].json()["detail"] and "AZURE_SPEECH_KEY" in found["keyless"].json()["detail"]
    fields = {name: answer.json()["errors"][0]["field"] for name, answer in found.items()}
    assert fields == {
        "nobody": "personality", "broken": "personality", "keyless": "personality", "strict": "variables.organization",
        "unknown": "persona", "no json": "variables", "no file": "file", "not a form": "file",
    }  # fmt: skip


async def test_values_for_the_prompt_may_come_along(api: httpx2.AsyncClient, spoken: bytes) -> None:
    """A personality that must be told something is told it with the recording."""
    answer = await upload(api, wav(spoken), personality="strict", variables=json.dumps({"organization": "Iron Gym"}))
    assert (answer.status_code, answer.json().get("reply")) == (200, QUESTION), answer.text


async def test_only_keys_that_may_place_calls_may_send_recordings(
    app: FastAPI, api: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    """An answer costs what a call's costs."""
    assert (await upload(stranger, b"x")).status_code == 401
    made = (await api.post("/v1/keys", json={"name": "reader", "scopes": ["calls:read"]})).json()
    async with client(app, {"X-API-Key": made["key"]}) as reader:
        assert (await upload(reader, b"x")).json()["code"] == "forbidden"


async def test_a_body_has_a_limit_of_its_own_here(api_settings: Settings, store: Store) -> None:
    """A recording may be larger than any other body, and has an end too."""
    limits = {"body_limit_bytes": 1_000, "voice_pipeline_limit_bytes": 3_000}
    app = create_app(api_settings.model_copy(update=limits))
    async with app.router.lifespan_context(app), client(app, {"X-API-Key": KEY}) as api:
        assert (await upload(api, bytes(2_000))).json()["code"] == "unsupported_audio"
        assert (await upload(api, bytes(4_000))).json()["code"] == "body_too_large"
        assert (await api.post("/v1/calls", json={"to_number": "0" * 2_000})).json()["code"] == "body_too_large"


async def test_more_than_may_wait_are_sent_away(app: FastAPI, api: httpx2.AsyncClient, spoken: bytes) -> None:
    """One is answered and four wait; the sixth hears at once to come back later."""
    six = await asyncio.gather(*(upload(api, wav(spoken)) for _ in range(6)))
    assert sorted(answer.status_code for answer in six) == [200] * 5 + [503]
    refused = next(answer for answer in six if answer.status_code == 503)
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("pipeline_busy", "2")


@pytest.fixture
async def running(api_settings: Settings, store: Store) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a real API process."""
    async with process(api_settings) as api, httpx2.AsyncClient(base_url=api.url, headers={"X-API-Key": KEY}) as found:
        yield found


async def test_the_api_answers_others_while_a_recording_is_answered(running: httpx2.AsyncClient, spoken: bytes) -> None:
    """A long recording is listened to elsewhere: the API's own answers stay quick."""
    long = asyncio.create_task(upload(running, wav(spoken * 4)))
    slowest = 0.0
    while not long.done():
        began = asyncio.get_running_loop().time()
        assert (await running.get("/livez")).status_code == 200
        slowest = max(slowest, asyncio.get_running_loop().time() - began)
        await asyncio.sleep(0.01)
    assert (await long).status_code == 200
    assert slowest < 1.0
