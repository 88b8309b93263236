"""One upload from bytes to answer: its turn, its decoding, its worker, its deadline. Loads no model and never blocks the loop."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from config import Settings
from modules.calls import Call, Direction, new_call_id
from modules.calls.errors import InvalidField, VoicefleetError
from modules.conversation import vendors
from modules.conversation.call_script import Composer
from modules.conversation.voice_pipeline.decode import container_of, decoded
from modules.conversation.voice_pipeline.decode_child import BYTES_A_SECOND
from modules.conversation.voice_pipeline.errors import NothingHeard, NothingToSay, PipelineBusy, PipelineTimedOut, VendorFailed
from modules.conversation.voice_pipeline.wire import Head
from modules.conversation.voice_pipeline.workers import Worker, WorkerLost, Workers
from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError

log = get_logger(__name__)

SOUND = "audio/wav"
WAITING_FOR_EACH = 4
"""How many uploads may wait for each that is being answered."""
ANSWER_S = 60.0
"""How long a worker may take, beyond the length of what it hears: some vendors listen no faster than people speak."""
_STARTS_WITHIN_S = 30.0
_FROM_WORKERS = {kind.code: kind for kind in (NothingHeard, NothingToSay, VendorFailed, PipelineTimedOut, InvalidField)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a personality heard and answered. `wav` is the reply as a WAV file; `times` are seconds by stage, in order."""

    personality: str
    sha256: str
    transcript: str
    reply: str
    wav: bytes
    heard_s: float
    times: dict[str, float]

    def to_json(self) -> Head:
        """Return it as people and programs are answered, the sound in base64."""
        return {
            "transcript": self.transcript,
            "reply": self.reply,
            "audio": base64.b64encode(self.wav).decode(),
            "audio_type": SOUND,
            "personality": self.personality,
            "personality_hash": self.sha256,
            "heard_s": round(self.heard_s, 3),
            "times": {name: round(seconds, 4) for name, seconds in self.times.items()},
        }


class VoicePipeline:
    """Answers uploads, `settings.voice_pipelines` at once."""

    def __init__(self, settings: Settings, composer: Composer) -> None:
        self._settings = settings
        self._composer = composer
        self._workers = Workers(settings)
        self._turns = asyncio.Semaphore(settings.voice_pipelines)
        self._here = 0

    async def answer(self, upload: bytes, personality: str, variables: dict[str, str]) -> Answer:
        """Return the personality's answer to what is said in `upload`, a WAV, OGG, MP3 or WebM file.

        Raises UnknownPersonality, InvalidField for a value or a key that is missing or a file that is broken,
        and what errors.py names.
        """
        call = call_of(personality or self._settings.default_personality, variables)
        of = {"personality": call.personality, "variables": variables, "call_id": call.call_id}
        try:
            script = self._composer.compose(call)
        except YamlError as error:
            raise unusable(call.personality, error) from None
        vendors.check_keys(script.personality.id, script.personality.content.components, self._settings)
        container = container_of(upload)
        arrived = time.perf_counter()
        async with self._turn(), self._workers.one() as worker:
            its_turn = time.perf_counter()
            sound = await decoded(upload, container, self._settings.voice_pipeline_limit_s)
            plain = time.perf_counter()
            head = await _by(worker, of, sound)
        now = time.perf_counter()
        stages = {name: float(head[name]) for name in ("stt_s", "llm_s", "tts_s")}
        waited = (its_turn - arrived) + (now - plain - sum(stages.values()))
        times = {"wait_s": waited, "decode_s": plain - its_turn, **stages, "total_s": now - arrived}
        return Answer(
            personality=script.personality.id, sha256=head["sha256"], transcript=head["transcript"], reply=head["reply"],
            wav=head["wav"], heard_s=len(sound) / BYTES_A_SECOND, times=times,
        )  # fmt: skip

    async def close(self) -> None:
        """End the processes."""
        await self._workers.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        at_once = self._settings.voice_pipelines
        if self._here >= at_once * (1 + WAITING_FOR_EACH):
            raise PipelineBusy(f"{self._here} uploads are being answered or waiting; try again later.")
        self._here += 1
        try:
            async with self._turns:
                yield
        finally:
            self._here -= 1


async def _by(worker: Worker, of: Head, sound: bytes) -> Head:
    """Return a worker's answer with the sound in it."""
    within_s = ANSWER_S + len(sound) / BYTES_A_SECOND
    try:
        async with asyncio.timeout(within_s + _STARTS_WITHIN_S):
            answer, wav = await worker.ask({"of": of, "within_s": within_s}, sound)
    except TimeoutError:
        raise PipelineTimedOut(f"There was no answer within {within_s:.0f} s.") from None
    except WorkerLost as error:
        log.error("voice_pipeline.worker_lost", why=str(error))
        raise VoicefleetError("The process that answers uploads ended; the log has the details.") from None
    if wrong := answer.get("error"):
        raise _FROM_WORKERS.get(wrong["code"], VoicefleetError)(wrong["message"], field=wrong["field"])
    return answer | {"wav": wav}


def unusable(personality: str, error: YamlError) -> InvalidField:
    """What a broken file is to somebody who wanted to be answered by it."""
    return InvalidField(f"The personality '{personality}' cannot be used: {error}", field="personality")


def call_of(personality: str, variables: dict[str, str], call_id: str = "") -> Call:
    """A call that is never placed: what a script is put together from."""
    now = datetime.now(UTC)
    return Call(
        call_id=call_id or new_call_id(Direction.OUTBOUND, now),
        personality=personality,
        variables=variables,
        created_at=now,
        expires_at=now,
    )
