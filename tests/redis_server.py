"""A redis-server of a test's own that can be frozen and killed, and a wire to it that loses answers."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

from modules.call_queue_manager import Store, connect
from modules.calls.errors import Unavailable
from modules.setup import find_redis_server

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


class OwnRedis:
    """One redis-server on one folder; after `kill` it can be started again on what it had on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._server: subprocess.Popen[bytes] | None = None

    async def start(self, *options: str) -> Store:
        """Start the server and return a connection to it."""
        program = find_redis_server()
        assert program is not None, "redis-server is missing; ./start_scripts/test.sh gets it"
        command = [str(program), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        self._server = await asyncio.to_thread(subprocess.Popen, [*command, *options], stdout=subprocess.DEVNULL)
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(Unavailable):
                    return await connect(self.url, blocking_s=1)
                await asyncio.sleep(0.02)

    def freeze(self) -> None:
        """Stop the server in the middle of whatever it does."""
        assert self._server
        os.kill(self._server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._server
        os.kill(self._server.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, as a power cut would. Safe to repeat."""
        if self._server:
            self._server.kill()
            self._server.wait(10)
            self._server = None


class Wire:
    """A TCP wire to a Redis. It can be told to lose the next answer, as a broken connection does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lose = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Return the address of the wire's near end."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    def lose_the_next_answer(self) -> None:
        """The next request arrives and is obeyed; its answer never comes back, and the connection is gone."""
        self._lose = True

    async def close(self) -> None:
        """Cut everything."""
        assert self._server
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        there = asyncio.create_task(self._pump(reader, far_writer, answers=False), name="wire there")
        back = asyncio.create_task(self._pump(far_reader, writer, answers=True), name="wire back")
        self._tasks |= {there, back}
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        for task in (there, back):
            task.cancel()
        await asyncio.gather(there, back, return_exceptions=True)
        self._tasks -= {there, back}
        for end in (writer, far_writer):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        while data := await source.read(65536):
            if answers and self._lose:
                self._lose = False
                return
            sink.write(data)
            await sink.drain()
