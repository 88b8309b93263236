"""A LiveKit job as one call: opens what the call needs, takes the attempt or leaves, runs it, closes in reverse."""

import asyncio
import contextlib
import os
import socket
from typing import Any

from livekit import api
from livekit.agents import JobContext, vad

from config import Settings, policy
from modules.call_queue_manager import CallQueue, Held, Pacing, Records, connect
from modules.calls import Call, Event, Outcome, Report
from modules.calls.errors import VoicefleetError
from modules.calls.job import CallJob
from modules.conversation import lease
from modules.conversation.call_runner import CallRunner, Desk
from modules.conversation.call_script import CallScript, Composer
from modules.conversation.ending import Ending
from modules.conversation.personalities import personalities_of
from modules.conversation.phone_line import PhoneLine
from modules.conversation.rehearsal import rehearse
from modules.conversation.scribe import Scribe
from modules.conversation.session import make_session
from modules.conversation.speech import build
from modules.metrics_logger import get_logger
from modules.sip_management import choose, configured
from modules.strict_yaml import YamlError

log = get_logger("voice_agent")


async def run_job(ctx: JobContext, settings: Settings, activity: vad.VAD) -> None:
    """Run the call this job was sent for, if it is still ours to run."""
    if not ctx.job.metadata:
        await rehearse(ctx, settings, activity)
        return
    job = CallJob.model_validate_json(ctx.job.metadata)
    ctx.log_context_fields = {"call_id": job.call_id, "attempt": job.attempt}
    async with contextlib.AsyncExitStack() as closing:
        store = await connect(settings.redis_url)
        closing.push_async_callback(store.close)
        records = Records(store, lease_s=settings.lease_s, retention_s=settings.retention_s)
        said = _Said(Composer(personalities_of(settings)))
        held = await lease.take(records, job, f"{socket.gethostname()}:{os.getpid()}", said.facts)
        if held is None:
            log.info("job.not_ours", call_id=job.call_id, attempt=job.attempt)
            if await lease.is_over(records, job):
                await _delete(ctx)
                await records.release(job.call_id, job.token)
            ctx.shutdown("not ours")
            return
        ending = Ending()
        scribe = Scribe(records, held)
        for work, name in ((scribe.run(), "scribe"), (lease.keep(records, held, ending), "lease")):
            closing.push_async_callback(_stop, asyncio.create_task(work, name=name))
        queue = CallQueue(store, lease_s=settings.lease_s, retention_s=settings.retention_s)
        trunk = choose(configured(settings), held.call.trunk)
        pacing = Pacing(store, trunk.name, settings.calls_per_second)
        line = PhoneLine(records, queue, pacing, policy(settings), trunk)
        carrier = _carrier(settings, trunk.sip_api_url)
        closing.push_async_callback(carrier.aclose)
        desk = Desk(
            ctx.room,
            connect=ctx.connect,
            ring=lambda held, dialing: line.ring(held, ctx.room, carrier, dialing),
            delete_room=lambda: _delete(ctx),
        )
        runner = _runner(desk, held, scribe, settings, activity, ending, said)
        await (runner.run() if runner else scribe.finish(lease.RENEW_S * 10))
    ctx.shutdown("call over")


class _Said:
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
        return {"arm": self._found.arm, "personality_hash": self._found.personality.sha256}

    def script(self) -> CallScript:
        """Return it. Raises what kept it from being put together."""
        if isinstance(self._found, CallScript):
            return self._found
        raise self._found or RuntimeError("the attempt was not taken")


def _runner(
    desk: Desk, held: Held, scribe: Scribe, settings: Settings, activity: vad.VAD, ending: Ending, said: _Said
) -> CallRunner | None:
    """Return the call's runner; None where the personality cannot be used, which is then the call's end."""
    try:
        script = said.script()
        voice = build(script.personality.content.components, settings, script.variables)
    except (VoicefleetError, YamlError) as error:
        log.error("personality.unusable", call_id=held.call.call_id, error=str(error))
        scribe.report(Report(Event.ATTEMPT_FAILED, Outcome.AGENT_FAILED, str(error)))
        return None
    return CallRunner(desk, held, scribe, script, voice, make_session(script, voice, activity), ending)


def _carrier(settings: Settings, url: str) -> api.LiveKitAPI:
    # No failover: a dial request that is sent twice rings twice.
    secret = settings.livekit_api_secret.get_secret_value()
    return api.LiveKitAPI(url, settings.livekit_api_key, secret, failover=False)


async def _delete(ctx: JobContext) -> None:
    try:
        await ctx.api.room.delete_room(api.DeleteRoomRequest(room=ctx.room.name or ctx.job.room.name))
    except api.ServerError as error:
        if error.code != "not_found":
            raise


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
