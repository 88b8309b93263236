"""`voice-pipeline`: a recording is heard, answered and spoken by a personality, here and now, without a fleet."""

from pathlib import Path
from typing import Annotated

import typer

import config
from modules.calls.errors import BadRequest, VoicefleetError
from modules.command_line.calls import Personality, Variables, variables_of
from modules.command_line.errors import CommandError, WrongUse
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.conversation.call_script import Composer
from modules.conversation.personalities import personalities_of
from modules.conversation.voice_pipeline import Answer, VoicePipeline
from modules.metrics_logger import configure


def voice_pipeline(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What somebody says: WAV, OGG, MP3 or WebM.", show_default=False)],
    personality: Personality = "",
    var: Variables = None,
    reply: Annotated[str, typer.Option("--output", "-o", metavar="WAV", help="Where the spoken reply is written.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let a personality answer a recording: speech to text, language model, text to speech. No fleet is needed.

    With --json the answer is what POST /api/voice-pipeline answers; the sound is left out of it where --output takes it.

    Example: ./voicefleet voice-pipeline question.wav --output reply.wav
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        settings = config.load()
        configure("console", "ERROR")
        upload = _read(file, settings.voice_pipeline_limit_bytes)
        output.progress("listening, thinking, speaking")
        answer = await _answered(settings, upload, personality, variables_of(var or []))
        if reply:
            _write(Path(reply), answer.wav)
        told = answer.to_json() | ({"output": reply} if reply else {})
        if as_json:
            output.json({name: value for name, value in told.items() if not (reply and name == "audio")})
        else:
            _print(output, answer, reply)

    run(work(), output)


async def _answered(settings: config.Settings, upload: bytes, personality: str, variables: dict[str, str]) -> Answer:
    pipeline = VoicePipeline(settings, Composer(personalities_of(settings)))
    try:
        return await pipeline.answer(upload, personality, variables)
    except BadRequest as error:
        raise WrongUse(error.message, code=error.code) from None
    except VoicefleetError as error:
        raise CommandError(error.message, code=error.code) from None
    finally:
        await pipeline.close()


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}", "name a recording, e.g. question.wav") from None
    if len(content) > most:
        raise WrongUse(f"{file} has more than {most} bytes", "cut it, or raise VOICE_PIPELINE_LIMIT_BYTES")
    return content


def _write(file: Path, wav: bytes) -> None:
    try:
        file.write_bytes(wav)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}", "name another file with --output") from None


def _print(output: Output, answer: Answer, reply: str) -> None:
    output.line(f"heard     {answer.transcript}")
    output.line(f"answered  {answer.reply}", "bold")
    output.say("  ".join(f"{name.removesuffix('_s')} {seconds:.2f} s" for name, seconds in answer.times.items()))
    output.say(f"spoken in {reply}" if reply else "to hear it: --output reply.wav")
