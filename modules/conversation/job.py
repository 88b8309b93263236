"""A LiveKit job as one call: opens what the call needs, takes the attempt or leaves, runs it, closes in reverse.

This file is for calls that we place; for those that come in, inbound.py.
"""

import contextlib

from livekit import api
from livekit.agents import JobContext, vad

from config import Settings, policy
from modules.call_queue_manager import CallQueue, Pacing, Records, connect
from modules.calls import Event, Outcome, Report
from modules.calls.errors import VoicefleetError
from modules.calls.job import CallJob, InboundJob, read_job
from modules.conversation import lease
from modules.conversation.call_runner import Desk
from modules.conversation.call_script import Composer
from modules.conversation.hand_over import HandOver
from modules.conversation.inbound import receive
from modules.conversation.personalities import personalities_of
from modules.conversation.phone_line import PhoneLine
from modules.conversation.rehearsal import rehearse
from modules.conversation.taken_call import Said, TakenCall, cut, hang_up, worker_id
from modules.metrics_logger import get_logger
from modules.sip_management import CALLEE
from modules.sip_management.trunk_book import TrunkBook

log = get_logger("voice_agent")


async def run_job(ctx: JobContext, settings: Settings, activity: vad.VAD) -> None:
    """Run the call this job was sent for, if it is still ours to run."""
    if not ctx.job.metadata:
        await rehearse(ctx, settings, activity)
        return
    job = read_job(ctx.job.metadata)
    if isinstance(job, InboundJob):
        await receive(ctx, settings, activity, job)
    else:
        await _place(ctx, settings, activity, job)


async def _place(ctx: JobContext, settings: Settings, activity: vad.VAD, job: CallJob) -> None:
    ctx.log_context_fields = {"call_id": job.call_id, "attempt": job.attempt}
    async with contextlib.AsyncExitStack() as closing:
        store = await connect(settings.redis_url)
        closing.push_async_callback(store.close)
        records = Records(store, lease_s=settings.lease_s, retention_s=settings.retention_s)
        said = Said(Composer(personalities_of(settings)))
        held = await lease.take(records, job, worker_id(), said.facts)
        if held is None:
            log.info("job.not_ours", call_id=job.call_id, attempt=job.attempt)
            if await lease.is_over(records, job):
                await hang_up(ctx)
                await records.release(job.call_id, job.token)
            ctx.shutdown("not ours")
            return
        taken = TakenCall.begin(records, held, closing)
        queue = CallQueue(store, lease_s=settings.lease_s, retention_s=settings.retention_s)
        try:
            trunk = TrunkBook(settings).of_call(held.call.trunk)
        except VoicefleetError as error:  # trunks.yaml has lost this trunk since, or never was good here
            log.error("trunk.unusable", call_id=job.call_id, error=error.message)
            await cut(ctx, taken, Report(Event.ATTEMPT_FAILED, Outcome.TRUNK_MISCONFIGURED, error.message))
            ctx.shutdown("no trunk")
            return
        pacing = Pacing(store, trunk.name, settings.calls_per_second)
        line = PhoneLine(records, queue, pacing, policy(settings), trunk)
        carrier = _carrier(settings, trunk.sip_api_url)
        closing.push_async_callback(carrier.aclose)
        desk = Desk(
            ctx.room,
            connect=ctx.connect,
            ring=lambda held, dialing: line.ring(held, ctx.room, carrier, dialing),
            delete_room=lambda: hang_up(ctx),
            hand_over=HandOver(settings, store, held, ctx.job.room.name, CALLEE).to,
        )
        runner = taken.runner(desk, settings, activity, said)
        await (runner.run() if runner else taken.written())
    ctx.shutdown("call over")


def _carrier(settings: Settings, url: str) -> api.LiveKitAPI:
    # No failover: a dial request that is sent twice rings twice.
    secret = settings.livekit_api_secret.get_secret_value()
    return api.LiveKitAPI(url, settings.livekit_api_key, secret, failover=False)
