"""A call that this process holds: its story is written, its lease kept, its line cut in the same way, whoever rang whom."""

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from livekit import api
from livekit.agents import JobContext, vad

from config import Settings
from modules.call_queue_manager import Held, Records
from modules.calls import Call, Event, Outcome, Report
from modules.calls.errors import VoicefleetError
from modules.conversation import lease
from modules.conversation.call_runner import CallRunner, Desk
from modules.conversation.call_script import CallScript, Composer
from modules.conversation.ending import Ending
from modules.conversation.scribe import Scribe
from modules.conversation.session import make_session
from modules.conversation.speech import build
from modules.conversation.wanted import WAITING
from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError

log = get_logger("voice_agent")


class Said:
    """What the call will say, put together once, when its attempt is taken; or why it cannot be."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._found: CallScript | VoicefleetError | YamlError | None = None

    def facts(self, call: Call) -> dict[str, Any]:
        """Put it together; return what the record shall hold of it."""
        try:
            self._found = self._composer.compose(call)
        except (VoicefleetError, YamlError) as error:
            self._found = error
            return {}
        loaded = self._found.personality
        return {
            "arm": self._found.arm, "personality_hash": loaded.sha256,
            "extraction": WAITING if loaded.content.extract else {},
        }  # fmt: skip

    def script(self) -> CallScript:
        """Return it. Raises what kept it from being put together."""
        if isinstance(self._found, CallScript):
            return self._found
        raise self._found or RuntimeError("the attempt was not taken")


@dataclass(frozen=True, slots=True)
class TakenCall:
    """A held call, the one who writes about it, and the one decision that it is over."""

    held: Held
    scribe: Scribe
    ending: Ending

    @classmethod
    def begin(cls, records: Records, held: Held, closing: contextlib.AsyncExitStack) -> Self:
        """Write and renew from here on, until `closing` closes."""
        taken = cls(held, Scribe(records, held), Ending())
        for work, name in ((taken.scribe.run(), "scribe"), (lease.keep(records, held, taken.ending), "lease")):
            closing.push_async_callback(_stop, asyncio.create_task(work, name=name))
        return taken

    def runner(self, desk: Desk, settings: Settings, activity: vad.VAD, said: Said) -> CallRunner | None:
        """Return the call's runner; None where the personality cannot be used, which is then the call's end."""
        try:
            script = said.script()
            voice = build(script.personality.content.components, settings, script.variables, activity)
        except (VoicefleetError, YamlError) as error:
            log.error("personality.unusable", call_id=self.held.call.call_id, error=str(error))
            self.scribe.report(Report(Event.ATTEMPT_FAILED, Outcome.AGENT_FAILED, str(error)))
            return None
        session = make_session(script, voice, activity)
        return CallRunner(desk, self.held, self.scribe, script, voice, session, self.ending)

    async def written(self) -> None:
        """Wait until what was reported is written, for as long as that may take."""
        await self.scribe.finish(lease.RENEW_S * 10)


def worker_id() -> str:
    """Return how this process is called in a call's record."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def hang_up(ctx: JobContext) -> None:
    """Delete the room: whoever is in it is cut off."""
    try:
        await ctx.api.room.delete_room(api.DeleteRoomRequest(room=ctx.room.name or ctx.job.room.name))
    except api.ServerError as error:
        if error.code != "not_found":
            raise


async def cut(ctx: JobContext, taken: TakenCall, report: Report | None) -> None:
    """Hang up and write how the call ended; None where somebody else has written it. Where LiveKit does not answer, the lease
    stays and the reaper ends the room."""
    try:
        await hang_up(ctx)
        gone = True
    except (api.ServerError, aiohttp.ClientError, TimeoutError) as error:
        log.warning("room.not_closed", call_id=taken.held.call.call_id, error=type(error).__name__)
        gone = False
    if report:
        taken.scribe.report(report, release=gone)
    elif gone:
        taken.scribe.release()
    await taken.written()


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
