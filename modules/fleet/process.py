"""One running process of the fleet: started under the guard, its output in a file, ended with everything it started.

Whether it should be running is keeper.py's business.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from modules.fleet.guard import GONE, kill_group
from modules.fleet.part import Part

_GUARD = str(Path(__file__).with_name("guard.py"))
_PYTHON = (sys.executable, "-I", "-S")
_LOG_BYTES = 10 << 20
_POLL_S = 0.05


class Guard:
    """The watcher beside this fleet, and the end of the pipe that says it still lives."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self.pipe = -1

    async def open(self) -> None:
        """Start the watcher. Windows has no process groups; there a killed fleet leaves its parts."""
        if sys.platform == "win32":
            return
        reading, self.pipe = os.pipe()
        command = (*_PYTHON, _GUARD, "watch", str(reading))
        self._process = await asyncio.create_subprocess_exec(*command, pass_fds=(reading,), start_new_session=True)
        os.close(reading)

    def forget(self, group: int) -> None:
        """Say that nothing is left of this group."""
        with contextlib.suppress(OSError):  # a watcher that was killed has no list to keep
            os.write(self.pipe, GONE + b"%d\n" % group)

    async def close(self) -> None:
        """End the watcher; it kills what it still knows."""
        if self._process:
            os.close(self.pipe)
            await self._process.wait()


class Process:
    """A started part."""

    def __init__(self, inner: asyncio.subprocess.Process, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard
        self.pid = inner.pid

    async def wait(self) -> int:
        """Wait for its end and return its exit code (negative: the signal that ended it)."""
        return await self._inner.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the process alone, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self._inner.send_signal(number)

    async def end(self, within_s: float) -> bool:
        """SIGTERM, then after `within_s` SIGKILL (at 0: that alone); return whether the first was enough.

        Nothing of its group is left.
        """
        if within_s:
            self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(within_s):
                await self.wait()
        except TimeoutError:
            await self.sweep(0)
            await self.wait()
            return False
        await self.sweep(within_s)
        return True

    async def sweep(self, within_s: float) -> None:
        """Give what it started `within_s` to end by itself, then kill it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while _alive(self.pid):  # noqa: ASYNC110 - nobody tells the end of a process that is not our child
                    await asyncio.sleep(_POLL_S)
        if sys.platform != "win32":
            kill_group(self.pid)
        self._guard.forget(self.pid)


async def spawn(part: Part, log: Path, guard: Guard) -> Process:
    """Start a part."""
    command = part.command if guard.pipe < 0 else (*_PYTHON, _GUARD, "enter", str(guard.pipe), *part.command)
    with _opened(log) as out:
        inner = await asyncio.create_subprocess_exec(
            *command,
            cwd=part.cwd,
            env=_environment(part.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=() if guard.pipe < 0 else (guard.pipe,),
        )
    return Process(inner, guard)


def _opened(log: Path) -> BinaryIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def tail(log: Path, lines: int = 25) -> str:
    """Return the end of a log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def ended(pid: int) -> bool:
    """Return whether a process is gone; one that only waits to be collected by its parent is."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    return {**env, "PYTHONUNBUFFERED": "1"}


def _alive(group: int) -> bool:
    """Return whether a group has a member that is more than a zombie."""
    if sys.platform == "win32":
        return False
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    members = [path for path in Path("/proc").glob("[0-9]*/stat")] if sys.platform == "linux" else []
    return not members or any(_is_member(path, group) for path in members)


def _is_member(stat: Path, group: int) -> bool:
    try:
        state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return int(its_group) == group and state != "Z"
