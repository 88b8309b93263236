"""`up` and `down`: the configured fleet on this machine, in the foreground or on its own."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Annotated

import typer

from config import load
from modules.command_line.errors import CommandError, WrongUse
from modules.command_line.interrupt import interruptible
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.fleet import EVERYTHING, SIP, Fleet, Plan
from modules.fleet.process import ended
from modules.fleet.run_file import Run, RunFile
from modules.metrics_logger import configure
from modules.setup import SetupProblem, find_livekit_sip
from modules.setup.places import PROJECT

# Beyond the longest conversation a worker needs this long to write down how it ended.
_AFTER_TALK_S = 30.0
_START_S = 120.0
_LOOK_EVERY_S = 0.1
_PATIENCE_S = 5.0


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready; `down` ends it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start the fleet that .env describes: what it needs and does not find running is started here, on loopback.

    Ctrl-C lets calls in progress end (at most MAX_CALL_S), a second one ends them.

    Example: ./voicefleet up --detach
    """
    output = Output(as_json=as_json)
    settings = load()
    file = RunFile(settings.data_dir.resolve())
    if detach:
        run(_detached(file, output), output)
        return
    configure(settings.log_format, settings.log_level)
    last_words_s = settings.max_call_s + _AFTER_TALK_S
    try:
        parts = (*EVERYTHING, SIP) if find_livekit_sip() else EVERYTHING
    except SetupProblem as error:
        output.failure(WrongUse(f"{error.what}: {error.why}", error.fix))
        raise typer.Exit(2) from None
    plan = Plan(parts=parts, throwaway=False, workers=settings.num_agents, stores_trunks=True, worker_stop_within_s=last_words_s)
    fleet = Fleet(plan, tell=output.progress)

    async def work() -> int:
        with file.held():
            await interruptible(_up(fleet, file, output), fleet)
        return 0  # being told to stop is how it ends

    run(work(), output)


def down(
    now: Annotated[bool, typer.Option("--now", help="End calls in progress instead of waiting for them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop the fleet that `up` started. Calls in progress may end first.

    Example: ./voicefleet down
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        file = RunFile(load().data_dir.resolve())
        running = file.running()
        if running:
            await _stop(file, running, output, now=now)
        if as_json:
            output.json({"stopped": bool(running), "pid": running.pid if running else None})
        else:
            output.line("the fleet is stopped" if running else "no fleet runs here")

    run(work(), output)


async def _up(fleet: Fleet, file: RunFile, output: Output) -> int:
    async with fleet:
        pids = {name: keeper.pid for name, keeper in fleet.parts.items()}
        told = Run(pid=os.getpid(), api_url=fleet.api_url, logs=str(fleet.logs), parts=pids)
        file.write(told)
        _tell(told, output)
        await fleet.during(asyncio.Event().wait())
    return 0


async def _detached(file: RunFile, output: Output) -> None:
    if running := file.running():
        raise CommandError(f"a fleet runs already (process {running.pid}, {running.api_url})", "./voicefleet down ends it")
    log = file.path.parent / "log" / "fleet.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - it outlives this command
            [sys.executable, "-m", "modules", "up"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            env=dict(os.environ) | {"PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
    output.say("starting the fleet …")
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        running = file.running()
        if running and running.ready:
            _tell(running, output)
            return
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8").strip()
            raise CommandError(f"the fleet did not start:\n{said}", f"its log: {log}")
        await asyncio.sleep(_LOOK_EVERY_S)
    process.terminate()
    raise CommandError(f"the fleet was not ready within {_START_S:g} s", f"its log: {log}")


async def _stop(file: RunFile, running: Run, output: Output, *, now: bool) -> None:
    _end(running.pid)
    say_at = time.monotonic() + _PATIENCE_S
    while not ended(running.pid):
        if now and file.running():  # the second signal says that nothing is to take its time
            _end(running.pid)
        if time.monotonic() > say_at:
            output.say("still stopping; calls in progress may end first. ./voicefleet down --now does not wait for them")
            say_at = float("inf")
        await asyncio.sleep(_LOOK_EVERY_S)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def _tell(running: Run, output: Output) -> None:
    if output.as_json:
        output.json({"pid": running.pid, "api_url": running.api_url, "logs": running.logs, "parts": running.parts})
        return
    output.line(f"the fleet is up: {running.api_url}/  (sign in with API_KEY from .env)", "bold green")
    output.say(f"logs: {running.logs}   stop it: ./voicefleet down", "")
