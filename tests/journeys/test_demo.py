"""The first thing a newcomer does: `demo`, as a process of its own, on real parts."""

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from modules.setup import find_livekit_server, find_redis_server
from modules.setup.places import PROJECT

pytestmark = [
    pytest.mark.fleet,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for left processes in /proc"),
    pytest.mark.skipif(not (find_livekit_server() and find_redis_server()), reason="./start_scripts/test.sh gets the servers"),
]
WaitUntil = Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]


class Demo:
    """A running `demo`, and every process that came of it."""

    def __init__(self, process: asyncio.subprocess.Process, mark: str) -> None:
        self.process = process
        self._mark = mark.encode()

    async def said(self, text: str) -> None:
        """Wait until standard error says this."""
        assert self.process.stderr is not None
        async with asyncio.timeout(120):
            while text not in (line := (await self.process.stderr.readline()).decode()):
                assert line, f"it ended without saying {text!r}"

    async def ended(self) -> tuple[int, str, str]:
        """Wait for its end; return exit code, standard output, standard error."""
        async with asyncio.timeout(180):
            out, err = await self.process.communicate()
        return self.process.returncode or 0, out.decode(), err.decode()

    def left(self) -> list[int]:
        """The processes of this demo that run now."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark in (path / "environ").read_bytes():
                    found.append(int(path.name))
            except OSError:
                continue
        return found


@asynccontextmanager
async def demo(*words: str, **extra: str) -> AsyncIterator[Demo]:
    mark = f"VOICEFLEET_TEST_MARK={uuid.uuid4()}"
    env = dict(os.environ) | dict([mark.split("=")]) | extra
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "modules", "demo", *words, cwd=PROJECT, env=env, start_new_session=True,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Demo(process, mark)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_the_demo_holds_a_whole_conversation() -> None:
    """I type one command and hear an agent ask a gym everything it wanted to know."""
    async with demo("--once", "--json") as running:
        code, out, err = await running.ended()
        left = running.left()
    assert code == 0, err
    told = json.loads(out)
    assert told["outcome"] == "completed" and told["recording"] is None
    assert [entry["state"] for entry in told["states"]] == ["queued", "placing", "ringing", "in_progress", "ended"]
    assert [entry["at"] for entry in told["states"]] == sorted(entry["at"] for entry in told["states"])
    speakers = [turn["speaker"] for turn in told["transcript"]]
    assert len(speakers) >= 8 and min(speakers.count("agent"), speakers.count("callee")) >= 4
    assert all(turn["text"] and turn["end_s"] >= turn["start_s"] >= 0 for turn in told["transcript"])
    assert told["latency"]["first_word_ms"] >= 0 and len(told["latency"]["turns_ms"]) >= 3
    assert left == []


async def test_a_number_that_nobody_has_fails_the_demo() -> None:
    """The exit code of --once says whether somebody was spoken to."""
    async with demo("--once", "--json", "--to", "+12025550198") as running:
        code, out, _ = await running.ended()
    told = json.loads(out)
    assert code == 1 and told["outcome"] == "invalid_number" and told["transcript"] == []


@pytest.mark.parametrize("moment", ["starting redis", "+12025550100"])
async def test_ctrl_c_at_any_moment_stops_everything(moment: str) -> None:
    """Ctrl-C while it starts, or while they talk: nothing keeps running."""
    async with demo("--once") as running:
        await running.said(moment)
        running.process.send_signal(signal.SIGINT)
        code, _, err = await running.ended()
        assert code == 130 and "Traceback" not in err
        assert running.left() == []


async def test_a_killed_demo_leaves_nothing_running(wait_until: WaitUntil) -> None:
    """Closing the terminal the hard way leaves no server behind."""
    async with demo("--once") as running:
        await running.said("all of it is ready")
        assert len(running.left()) > 6
        running.process.kill()
        await running.process.communicate()

        async def nothing_left() -> bool:
            return running.left() == []

        await wait_until(nothing_left, 10)


async def test_a_part_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    """I see which part failed and why."""
    broken = tmp_path / "livekit-server"
    broken.write_text("#!/bin/sh\necho cannot bind to anything >&2\nexit 4\n")
    broken.chmod(0o755)
    async with demo("--once", "--json", LIVEKIT_SERVER_BIN=str(broken)) as running:
        code, out, err = await running.ended()
        assert running.left() == []
    assert code == 1 and "livekit-server ended before it was ready, with exit code 4" in json.loads(out)["error"]["message"]
    assert "cannot bind to anything" in err
