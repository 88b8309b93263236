"""A worker process: `python voice_agent.py start`. LiveKit's other verbs (dev, console, connect, download-files) work too.

Importable without side effects: LiveKit forks job processes that import this file again.
"""

import asyncio
import os
import signal
import sys

# Read by livekit-agents when it is imported: no thread that watches the loop, no 244 MB of turn-detector weights.
os.environ.setdefault("LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS", "0")
os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")

from livekit.agents import AgentServer, JobContext, JobProcess

import config
from modules import after_call
from modules.conversation.job import run_job
from modules.conversation.priority import give_up_real_time
from modules.conversation.session import voice_activity
from modules.conversation.worker import make_server, refuse_the_cloud, serve
from modules.metrics_logger import configure


def prewarm(process: JobProcess) -> None:
    """Get a job process ready before a call needs it."""
    settings = config.load()
    configure(settings.log_format, settings.log_level)
    process.userdata["settings"] = settings
    process.userdata["activity"] = voice_activity()


async def entrypoint(ctx: JobContext) -> None:
    """One call."""
    await run_job(ctx, ctx.proc.userdata["settings"], ctx.proc.userdata["activity"])


async def start(server: AgentServer, settings: config.Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal forces."""
    stop = asyncio.Event()

    def heard() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, heard)
    left = asyncio.Event()
    after = asyncio.create_task(after_call.run(settings, left), name="after calls")
    try:
        await serve(server, settings, stop)
    finally:
        left.set()
        await after


def main() -> None:
    settings = config.load()
    configure(settings.log_format, settings.log_level)
    refuse_the_cloud(settings)
    give_up_real_time()
    server = make_server(settings, entrypoint, prewarm)
    if sys.argv[1:2] == ["start"] and len(sys.argv) == 2:
        asyncio.run(start(server, settings))
    else:
        from livekit.agents import cli

        cli.run_app(server)


if __name__ == "__main__":
    main()
