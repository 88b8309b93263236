"""A worker process around LiveKit's AgentServer: how many calls it takes, its heartbeat, how it drains."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable

from livekit.agents import AgentServer, JobContext, JobProcess

from config import Settings
from modules.call_queue_manager import Store, Worker, Workers, connect
from modules.call_queue_manager.workers import BEAT_S
from modules.calls.errors import Unavailable, VoicefleetError
from modules.conversation.personalities import personalities_of
from modules.conversation.vendors import KINDS, lacking, vendor
from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError

log = get_logger("voice_agent")

_FORBIDDEN = ("LIVEKIT_DEV_MODE", "LIVEKIT_REMOTE_EOT_URL", "LIVEKIT_OBSERVABILITY_URL", "LIVEKIT_INFERENCE_URL")
# libwebrtc and the interpreter are shared between jobs; these are what one call adds at most.
_WARN_MB, _LIMIT_MB = 500, 1000
# A call gives its slot back when its line is cut; its process takes a few seconds more to leave. LiveKit offers a job once: a
# worker that counted such leavers as calls would refuse the next one, which then waits for PLACE_TIMEOUT_S.
_LEAVING_PER_SLOT, _LEAVING_AT_LEAST = 0.5, 2


def refuse_the_cloud(settings: Settings) -> None:
    """Leave when something in the environment would send a call's audio to LiveKit's cloud."""
    for name in _FORBIDDEN:
        if os.environ.get(name):
            raise SystemExit(f"{name} is set: it sends audio to LiveKit's cloud. Unset it.")
    if settings.livekit_url.rstrip("/").endswith(".livekit.cloud"):
        raise SystemExit("LIVEKIT_URL is LiveKit's cloud; Voicefleet runs on a livekit-server of your own.")


def make_server(
    settings: Settings,
    entrypoint: Callable[[JobContext], Awaitable[None]],
    prewarm: Callable[[JobProcess], None],
) -> AgentServer:
    """Return the worker, not running. The queue sends the fleet no more calls than `worker_slots` of each worker."""
    jobs = (
        settings.worker_slots + settings.overflow_lines + max(_LEAVING_AT_LEAST, int(settings.worker_slots * _LEAVING_PER_SLOT))
    )
    server = AgentServer(
        ws_url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret.get_secret_value(),
        load_fnc=lambda server: min(1.0, len(server.active_jobs) / jobs),
        load_threshold=1.0,
        num_idle_processes=min(3, settings.worker_slots),
        job_memory_warn_mb=_WARN_MB,
        job_memory_limit_mb=_LIMIT_MB,
        drain_timeout=settings.max_call_s + settings.ring_timeout_s + 10,
        session_end_timeout=60,
        port=settings.worker_port,
        host="127.0.0.1",
        setup_fnc=prewarm,
        preload_modules=vendors_in_use(settings),
    )
    server.rtc_session(entrypoint, agent_name=settings.livekit_agent_name)
    return server


def vendors_in_use(settings: Settings) -> list[str]:
    """Return the vendors' packages that a call may need, for LiveKit to import once and share among all jobs.

    A call that imported Azure's and OpenAI's itself would stand still for a second, on a busy machine for as long as its lease.
    """
    found: set[str] = set()
    personalities = personalities_of(settings)
    for name in personalities.ids():
        with contextlib.suppress(VoicefleetError, YamlError):  # a broken one says so elsewhere
            components = personalities.load(name).content.components
            ready = [(kind, one) for kind in KINDS for one in getattr(components, kind) if not lacking(kind, one, settings)]
            found |= {f"livekit.plugins.{plugin}" for kind, one in ready if (plugin := vendor(kind, one.provider).plugin)}
    return sorted(found)


async def serve(server: AgentServer, settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop`, then take no new calls, finish the present ones, and leave."""
    beating = asyncio.create_task(_beat(server, settings), name="heartbeat")
    running = asyncio.create_task(server.run(), name="agent server")
    stopping = asyncio.create_task(stop.wait(), name="stop signal")
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        log.info("worker.draining", calls=len(server.active_jobs))
        await server.drain(timeout=settings.max_call_s + settings.ring_timeout_s + 10)
        await server.aclose()
    for task in (beating, stopping):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await running


async def _beat(server: AgentServer, settings: Settings) -> None:
    worker_id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
    store: Store | None = None
    try:
        while True:
            try:
                store = store or await connect(settings.redis_url)
                active = len(server.active_jobs)
                ready = server.worker_info is not None and server.id != "unregistered"
                slots = 0 if not ready else active if server.draining else settings.worker_slots
                await Workers(store).beat(Worker(worker_id, slots, active))
            except Unavailable:
                log.warning("redis.away")
            await asyncio.sleep(BEAT_S)
    finally:
        if store:
            with contextlib.suppress(Unavailable):
                await Workers(store).leave(worker_id)
            await store.close()
