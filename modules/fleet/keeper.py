"""Keeps one part running: starts it, asks until it is ready, starts it again when it dies, gives up when that does not help.

What "ready" means is the part's own; which parts there are and in which order, the fleet's.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from modules.fleet.errors import PartFailed
from modules.fleet.part import Part
from modules.fleet.process import Guard, Process, spawn, tail
from modules.metrics_logger import get_logger

log = get_logger("fleet")

# A part that dies before it is ready, or this soon after its start, has helped nobody; so many in a row and we stop trying.
QUICK_DEATH_S = 5.0
QUICK_DEATHS = 5
_BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 4.0)
_ASK_EVERY_S = 0.05
# What a dead part started (job processes of a worker) may use this long to hang up and go.
_ORPHANS_S = 8.0


class Wanted(Enum):
    """What the keeper is there for at this moment."""

    RUNNING = "running"
    HALTED = "halted"
    ENDED = "ended"


class Keeper:
    """One part and the task that keeps it running."""

    def __init__(self, part: Part, logs: Path, guard: Guard, given_up: Callable[[PartFailed], None]) -> None:
        self.part = part
        self.log = logs / f"{part.name}.log"
        self.starts = 0
        self._guard = guard
        self._given_up = given_up
        self._process: Process | None = None
        self._wanted = Wanted.RUNNING
        self._ready = asyncio.Event()
        self._failure: PartFailed | None = None
        self._killed_on_purpose = False
        self._quick_deaths = 0
        self._task: asyncio.Task[None] | None = None
        self._sweeps: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int:
        """The process id now; 0 while nothing runs."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the part and keep it running."""
        self._wanted = Wanted.RUNNING
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")

    async def ready(self) -> None:
        """Wait until the part says it is ready. Raises PartFailed when it will not be."""
        try:
            async with asyncio.timeout(self.part.start_within_s):
                await self._ready.wait()
        except TimeoutError:
            raise self._failed(f"did not become ready within {self.part.start_within_s:g} s") from None
        if self._failure:
            raise self._failure

    async def kill(self) -> None:
        """SIGKILL the process, as a crash would; the keeper starts it again. Returns when it is dead."""
        self._ready.clear()
        if process := self._process:
            self._killed_on_purpose = True
            process.signal(signal.SIGKILL)
            await process.wait()

    async def halt(self, *, hard: bool = False) -> None:
        """Stop the part and leave it stopped until `start`."""
        await self._end(Wanted.HALTED, 0.0 if hard else self.part.stop_within_s)

    async def end(self, within_s: float | None = None) -> bool:
        """Stop the part for good; return whether it went by itself."""
        return await self._end(Wanted.ENDED, self.part.stop_within_s if within_s is None else within_s)

    async def _end(self, wanted: Wanted, within_s: float) -> bool:
        self._wanted = wanted
        self._ready.clear()
        willing = await self._process.end(within_s) if self._process else True
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(*self._sweeps, return_exceptions=True)
        if self._process:  # one that was started while the one before was being ended
            await self._process.end(within_s)
            self._process = None
        return willing

    async def _keep(self) -> None:
        while self._wanted is Wanted.RUNNING:
            started = time.monotonic()
            self.starts += 1
            self._process = await spawn(self.part, self.log, self._guard)
            asking = asyncio.create_task(self._ask(), name=f"ask {self.part.name}")
            try:
                code = await self._process.wait()
            finally:
                asking.cancel()
            if self._wanted is not Wanted.RUNNING:
                return
            self._leave_orphans(self._process)
            if not await self._again(code, time.monotonic() - started):
                return

    async def _ask(self) -> None:
        while not await self.part.ready():  # noqa: ASYNC110 - what is asked is another process
            await asyncio.sleep(_ASK_EVERY_S)
        self._ready.set()

    async def _again(self, code: int, lived_s: float) -> bool:
        """Wait a little and return whether to start once more."""
        helped, on_purpose = self._ready.is_set() and lived_s >= QUICK_DEATH_S, self._killed_on_purpose
        was_ready = self._ready.is_set() or self.starts > 1
        self._ready.clear()
        self._process, self._killed_on_purpose = None, False
        self._quick_deaths = 0 if helped or on_purpose else self._quick_deaths + 1
        if not on_purpose and (not was_ready or self._quick_deaths >= QUICK_DEATHS):
            often = f" {self._quick_deaths} times in a row" if was_ready else " before it was ready"
            self._failure = self._failed(f"ended{often}, with {_spoken(code)}")
            self._ready.set()
            self._given_up(self._failure)
            return False
        log.warning("part.died", part=self.part.name, code=code, lived_s=round(lived_s, 1))
        await asyncio.sleep(_BACKOFF_S[min(self._quick_deaths, len(_BACKOFF_S) - 1)])
        return True

    def _leave_orphans(self, process: Process) -> None:
        sweep = asyncio.create_task(process.sweep(_ORPHANS_S), name=f"sweep {self.part.name}")
        self._sweeps.add(sweep)
        sweep.add_done_callback(self._sweeps.discard)

    def _failed(self, why: str) -> PartFailed:
        return PartFailed(self.part.name, why, self.log, tail(self.log))


def _spoken(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
