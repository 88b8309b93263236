"""The application: routes, the layers around them, and its life. Built by a function from settings; nothing runs at import."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

import httpx2
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from config import Settings
from modules.api_server import problems
from modules.api_server.access_log import AccessLog
from modules.api_server.body_cap import BodyCap
from modules.api_server.fan_out import FanOut
from modules.api_server.guard import Guard, documented
from modules.api_server.health_checks import LIMIT_S, Health
from modules.api_server.keys import KeyRing
from modules.api_server.metrics import Metrics
from modules.api_server.openapi import describe
from modules.api_server.parts import Parts, parts_of
from modules.api_server.routes import (
    calls,
    do_not_call,
    events,
    fleet,
    health,
    keys,
    personalities,
    phone,
    voice_pipeline,
    web,
    webhook,
)
from modules.api_server.routes.editing import router as editing_router
from modules.api_server.routes.stats import router as stats_router
from modules.api_server.security_headers import SecurityHeaders
from modules.api_server.session import Sessions
from modules.call_history import Recorder
from modules.call_queue_manager import make_durable
from modules.calls.errors import Unavailable
from modules.conversation.voice_pipeline import VoicePipeline
from modules.metrics_logger import get_logger

log = get_logger(__name__)
_RESTART_PAUSE_S = 1.0
_CANCEL_AFTER_S = 0.2
_CANCEL_AGAIN_S = 0.5


def create_app(settings: Settings) -> FastAPI:
    """Return the API. It starts without Redis and without a database, says so, and goes on when they come."""
    app = FastAPI(
        title="Voicefleet",
        summary="Place phone calls by voice agents, follow them live, read what was said.",
        version=_version(),
        lifespan=_life,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    parts, metrics = parts_of(settings), Metrics()
    ring = KeyRing(parts)
    sessions = Sessions(settings.livekit_api_secret.get_secret_value(), ring)
    app.state.fan_out = FanOut(parts.listening)
    app.state.parts, app.state.metrics, app.state.ring, app.state.sessions = parts, metrics, ring, sessions
    app.state.voice_pipeline = VoicePipeline(settings, parts.composer)
    for module in (calls, phone, events, fleet, do_not_call, keys, personalities, voice_pipeline):
        app.include_router(module.router, dependencies=documented)
    app.include_router(webhook.router)
    app.include_router(stats_router, dependencies=documented)
    app.include_router(editing_router, dependencies=documented)
    app.include_router(health.router)
    app.include_router(web.router)
    app.mount("/web", StaticFiles(directory=web.FOLDER))
    problems.install(app)
    describe(app)
    # The last one added is the outermost.
    larger = {voice_pipeline.PATH: settings.voice_pipeline_limit_bytes}
    app.add_middleware(BodyCap, limit_bytes=settings.body_limit_bytes, others=larger)
    app.add_middleware(Guard, ring=ring, sessions=sessions)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLog, metrics=metrics)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    async with AsyncExitStack() as closing:
        closing.push_async_callback(parts.close)
        closing.push_async_callback(app.state.voice_pipeline.close)
        http = await closing.enter_async_context(httpx2.AsyncClient(timeout=LIMIT_S, trust_env=False))
        app.state.health = Health(parts, http)
        await _first_look(parts)
        stop = asyncio.Event()
        jobs = {"fan-out": app.state.fan_out.run, "recorder": lambda: _record(parts, stop)}
        tasks = {asyncio.create_task(_kept_running(name, job, stop), name=f"api-{name}") for name, job in jobs.items()}
        closing.push_async_callback(_stopped, tasks)
        closing.callback(stop.set)
        closing.callback(app.state.fan_out.close)
        yield


async def _first_look(parts: Parts) -> None:
    """Open what can be opened; say what cannot. Settings that can never work raise here and stop the start."""
    try:
        changed = await make_durable((await parts.live.get()).store)
        log.info("redis.ready", durability_set=changed)
    except Unavailable as error:
        log.warning("redis.missing", reason=error.message)
    try:
        await parts.past.get()
    except Unavailable as error:
        log.warning("database.missing", reason=error.message)
    broken = parts.personalities.problems()  # a first look, which also keeps a copy of those that are good
    log.info("personalities.read", count=len(parts.personalities.ids()), broken=sorted(broken))
    if not parts.settings.api_key.get_secret_value():
        log.warning("api.no_first_key", reason="API_KEY is empty; only keys made earlier open this API.")


async def _record(parts: Parts, stop: asyncio.Event) -> None:
    """Write what happens to history. Every API process does; the recorder sees to it that each event is written once."""
    settings = parts.settings
    past, store = await parts.past.get(), await parts.listening.get()
    await Recorder(store, past.history, logs_dir=settings.logs_dir if settings.export_conversations else None).run(stop)


async def _kept_running(name: str, job: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await job()
        except Unavailable as error:
            log.warning("api.task_waiting", task=name, reason=error.message)
        except Exception:
            log.exception("api.task_failed", task=name)
        if not stop.is_set():
            await asyncio.sleep(_RESTART_PAUSE_S)


async def _stopped(tasks: set[asyncio.Task[None]]) -> None:
    _, pending = await asyncio.wait(tasks, timeout=_CANCEL_AFTER_S)
    # Python 3.11's asyncio.wait_for, inside redis-py, loses a cancellation that comes together with a result: ask again.
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)


def _version() -> str:
    try:
        return version("voicefleet")
    except PackageNotFoundError:
        return "0.1.0"
