"""`voice-pipeline FILE`: what the API does with a recording, without a fleet."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modules.conversation.speech.local import flite_tts
from modules.setup.places import PROJECT
from tests.uploads import encoded, wav

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to work in, with what somebody said in it, and what nobody did."""
    path = tmp_path_factory.mktemp("recordings")
    said = asyncio.run(flite_tts("kal16").speak("One visit costs twenty dollars."))
    (path / "said.ogg").write_bytes(encoded(said, "ogg", "libopus"))
    (path / "silence.wav").write_bytes(wav(bytes(32_000)))
    (path / "page.wav").write_bytes(b"<html>")
    return path


def vf(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Type the command in a folder without .env."""
    given = {"LIVEKIT_API_KEY": "APIx", "LIVEKIT_API_SECRET": "0123456789" * 4, "DATA_DIR": str(folder / "data")}
    given |= {f"{name.upper()}_DIR": str(PROJECT / name) for name in ("agents", "prompts", "scenarios")}
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    command = [sys.executable, "-m", "modules", "voice-pipeline", *words]
    environment = kept | given | settings | {"PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110)


def test_a_recording_is_answered_without_a_fleet(folder: Path) -> None:
    """I try a personality on what I have recorded, and get its answer to listen to."""
    found = vf(folder, "said.ogg", "--personality", "local_demo", "--output", "reply.wav")
    assert found.returncode == 0, found.stderr
    heard, answered = found.stdout.splitlines()
    assert heard.split(maxsplit=1) == ["heard", "one visit costs twenty dollars"]
    assert answered.split(maxsplit=1) == ["answered", "What is the price of a drop in visit?"]
    assert (folder / "reply.wav").read_bytes().startswith(b"RIFF")


def test_a_program_gets_the_answer_of_the_api(folder: Path) -> None:
    """One JSON document and nothing else on standard output; the sound is in it."""
    found = vf(folder, "said.ogg", "--json")
    told = json.loads(found.stdout)
    assert (told["transcript"], told["personality"]) == ("one visit costs twenty dollars", "local_demo")
    assert base64.b64decode(told["audio"]).startswith(b"RIFF") and told["times"]["total_s"] > 0


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "says"),
    [
        (("nothing.wav",), 2, "failed", "nothing.wav cannot be read: No such file"),
        (("page.wav",), 2, "unsupported_audio", "its first bytes do"),
        (("silence.wav",), 2, "nothing_heard", "No words were understood"),
        (("said.ogg", "-p", "nobody"), 2, "unknown_personality", "There is no personality 'nobody'"),
        (("said.ogg", "-p", "german_assistant"), 2, "invalid_field", "set it in .env"),
        (("said.ogg", "--var", "x"), 2, "failed", "--var x is not NAME=VALUE"),
        (("said.ogg", "-o", "no/such/folder.wav"), 1, "failed", "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], exit_code: int, code: str, says: str, folder: Path) -> None:
    """Each mistake has one line, one code and the exit code of all commands."""
    found = vf(folder, *words, "--json")
    assert found.returncode == exit_code, found.stderr
    error = json.loads(found.stdout)["error"]
    assert error["code"] == code and says in error["message"]


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    """The limit of the API holds here as well."""
    found = vf(folder, "said.ogg", VOICE_PIPELINE_LIMIT_BYTES="100")
    assert found.returncode == 2 and "has more than 100 bytes" in found.stderr
