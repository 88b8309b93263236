"""`python -m modules.conversation.voice_pipeline`: a worker. Settings, then one upload after the other on standard input, an
answer to each on standard output, until the input ends. Started by workers.py; of no use to a person.
"""

import asyncio
import os
import signal
import sys

# Read by livekit-agents when it is imported: no thread that watches the loop, no 244 MB of turn-detector weights.
os.environ.setdefault("LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS", "0")
os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")

from livekit.agents import vad
from livekit.agents.utils import http_context

from config import Settings
from modules.calls.errors import InvalidField, VoicefleetError
from modules.conversation.call_script import Composer
from modules.conversation.personalities import personalities_of
from modules.conversation.session import voice_activity
from modules.conversation.speech.missing import MissingKey
from modules.conversation.voice_pipeline.errors import PipelineTimedOut
from modules.conversation.voice_pipeline.pipeline import call_of, unusable
from modules.conversation.voice_pipeline.stages import answered
from modules.conversation.voice_pipeline.wire import Head, receive, send, settings_from_wire
from modules.conversation.voice_pipeline.workers import LONGEST_HEAD
from modules.metrics_logger import configure, get_logger
from modules.strict_yaml import YamlError

log = get_logger(__name__)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer until the other side leaves."""
    first = await receive(reader)
    if first is None:
        return
    settings = settings_from_wire(first[0])
    configure(settings.log_format, settings.log_level)
    composer = Composer(personalities_of(settings))
    activity = voice_activity()
    while asked := await receive(reader):
        head, sound = asked
        await send(writer, *await _answer(head, sound, composer, settings, activity))


async def _answer(head: Head, sound: bytes, composer: Composer, settings: Settings, activity: vad.VAD) -> tuple[Head, bytes]:
    try:
        script = composer.compose(call_of(**head["of"]))
        async with asyncio.timeout(head["within_s"]), http_context.open():
            spoken = await answered(sound, script, settings, activity)
    except TimeoutError:
        return _error(PipelineTimedOut(f"There was no answer within {head['within_s']:.0f} s."))
    except MissingKey as error:
        return _error(InvalidField(error.message, field="personality"))
    except VoicefleetError as error:
        return _error(error)
    except YamlError as error:
        return _error(unusable(head["of"]["personality"], error))
    except Exception as error:  # its own words stay out of the log: speech may be in them
        log.error("voice_pipeline.failed", error=type(error).__name__)
        return _error(VoicefleetError("Something broke on our side; the log has the details."))
    told = {"transcript": spoken.transcript, "reply": spoken.reply, "sha256": script.personality.sha256}
    times = {"stt_s": spoken.stt_s, "llm_s": spoken.llm_s, "tts_s": spoken.tts_s}
    return told | times, spoken.wav


def _error(error: VoicefleetError) -> tuple[Head, bytes]:
    return {"error": {"code": error.code, "message": error.message, "field": error.field}}, b""


async def main() -> None:
    """Open both pipes; what any library prints goes to standard error instead."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LONGEST_HEAD)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, answers)
    try:
        await serve(reader, asyncio.StreamWriter(transport, protocol, None, loop))
    except ConnectionError:
        return  # nobody is there to be answered


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this; its end is the end of the input
    asyncio.run(main())
