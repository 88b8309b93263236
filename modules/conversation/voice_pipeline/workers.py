"""Warm processes with the models in them. One answers one upload at a time; it is started when it is needed, kept for the next,
ended when nobody came for a while, replaced when it fails or is worn.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config import Settings
from modules.conversation.voice_pipeline.wire import Head, receive, send, settings_to_wire

_PROJECT = Path(__file__).resolve().parents[3]
LONGEST_HEAD = 4 * 1024 * 1024
IDLE_S = 300.0
# Some vendors' plugins leave a connection open with every model that is closed; they go with the process.
WORN_AFTER = 200


class WorkerLost(Exception):
    """The process ended, or said something that is no message, before it had answered."""


class Worker:
    """One such process."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self._asked = self._answered = 0
        self.idle: asyncio.TimerHandle | None = None

    @classmethod
    async def started(cls, settings: Settings) -> "Worker":
        """Start one. What is asked of it waits in its pipe until its libraries are loaded."""
        command = [sys.executable, "-m", "modules.conversation.voice_pipeline"]
        pipe = asyncio.subprocess.PIPE
        environment = dict(os.environ) | {"PYTHONPATH": str(_PROJECT)}
        child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environment, limit=LONGEST_HEAD)
        worker = cls(child)
        assert child.stdin
        with contextlib.suppress(ConnectionError):
            await send(child.stdin, settings_to_wire(settings))
        return worker

    @property
    def usable(self) -> bool:
        """Whether it may be asked: it is there, not in the middle of something, not worn."""
        return self._child.returncode is None and self._asked == self._answered < WORN_AFTER

    async def ask(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        """Return its answer. Raises WorkerLost."""
        self._asked += 1
        assert self._child.stdin and self._child.stdout
        try:
            await send(self._child.stdin, head, body)
            answer = await receive(self._child.stdout)
        except (ConnectionError, ValueError) as error:
            raise WorkerLost(type(error).__name__) from error
        if answer is None:
            raise WorkerLost("it ended")
        self._answered += 1
        return answer

    async def end(self) -> None:
        """End it, whatever it is doing: it holds nothing that is worth waiting for."""
        with contextlib.suppress(ProcessLookupError):
            self._child.kill()
        await self._child.wait()


class Workers:
    """The processes of one caller. How many at once is the caller's to count."""

    def __init__(self, settings: Settings, idle_s: float = IDLE_S) -> None:
        self._settings = settings
        self._idle_s = idle_s
        self._idle: list[Worker] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Worker]:
        """Lend a worker. One that is given back in the middle of something is ended."""
        worker = self._take() or await Worker.started(self._settings)
        try:
            yield worker
        finally:
            if worker.usable and not self._closed:
                self._keep(worker)
            else:
                await worker.end()

    async def close(self) -> None:
        """End those that are idle, and let no other become it."""
        self._closed = True
        while worker := self._take():
            await worker.end()
        await asyncio.gather(*self._ending)

    def _take(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.idle:
                worker.idle.cancel()
            if worker.usable:
                return worker
        return None

    def _keep(self, worker: Worker) -> None:
        self._idle.append(worker)
        worker.idle = asyncio.get_running_loop().call_later(self._idle_s, self._let_go, worker)

    def _let_go(self, worker: Worker) -> None:
        self._idle.remove(worker)
        task = asyncio.create_task(worker.end(), name="voice-pipeline-idle")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
