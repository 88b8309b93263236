"""Real small processes under supervision: started in order, started again, given up, ended, and never left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from modules.fleet import PartFailed
from modules.fleet.errors import AlreadyRunning
from modules.fleet.part import Part
from modules.fleet.process import ended
from modules.fleet.run_file import Run, RunFile
from modules.fleet.supervisor import Supervisor

pytestmark = pytest.mark.chaos
WaitUntil = Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]

# Writes what happens to it into a shared diary; a file of its name says that it is ready.
CHILD = """
import pathlib, signal, sys, time
name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
def note(what):
    with open(folder / "diary", "a") as diary: diary.write(f"{what} {name}\\n")
def leave(*_):
    note("end"); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
note("start"); (folder / name).touch()
while True: time.sleep(60)
"""


def _part(name: str, folder: Path, code: str = CHILD, *, stop_within_s: float = 5.0, others_wait: bool = False) -> Part:
    async def ready() -> bool:
        return (folder / name).exists()

    command = (sys.executable, "-c", code, name, str(folder))
    return Part(
        name=name, command=command, env=dict(os.environ), cwd=folder, ready=ready, others_wait=others_wait,
        start_within_s=10, stop_within_s=stop_within_s,
    )  # fmt: skip


def _diary(folder: Path) -> list[str]:
    return (folder / "diary").read_text().splitlines()


async def test_parts_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    """Redis is there before who needs it, and goes last."""
    supervisor = Supervisor(tmp_path / "log")
    await supervisor.start([_part(name, tmp_path, others_wait=True) for name in ("one", "two", "three")])
    await supervisor.stop()
    assert _diary(tmp_path) == ["start one", "start two", "start three", "end three", "end two", "end one"]


async def test_the_last_part_stops_first_then_those_nobody_waited_for(tmp_path: Path) -> None:
    """Whoever holds calls finishes them while everything else is there; the ground under all of them goes last."""
    supervisor = Supervisor(tmp_path / "log")
    ground = [_part("ground", tmp_path, others_wait=True)]
    await supervisor.start([*ground, *(_part(name, tmp_path) for name in ("this", "that", "calls"))])
    await supervisor.stop()
    ends = [line for line in _diary(tmp_path) if line.startswith("end")]
    assert (ends[0], set(ends[1:3]), ends[3]) == ("end calls", {"end this", "end that"}, "end ground")


async def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    """A crash costs a moment, not the fleet."""
    supervisor = Supervisor(tmp_path / "log")
    await supervisor.start([_part("one", tmp_path)])
    keeper = supervisor.keepers["one"]
    before = keeper.pid
    await keeper.kill()
    await keeper.ready()
    assert keeper.pid != before and keeper.starts == 2
    await supervisor.stop()


async def test_killing_a_part_often_on_purpose_does_not_give_it_up(tmp_path: Path) -> None:
    """A chaos test may kill the same part ten times."""
    supervisor = Supervisor(tmp_path / "log")
    await supervisor.start([_part("one", tmp_path)])
    for _ in range(8):
        await supervisor.keepers["one"].kill()
        await supervisor.keepers["one"].ready()
    assert supervisor.keepers["one"].starts == 9
    await supervisor.stop()


async def test_a_part_that_dies_before_it_is_ready_fails_the_start_with_its_last_words(tmp_path: Path) -> None:
    """I see why it did not start without looking for a log."""
    supervisor = Supervisor(tmp_path / "log")
    with pytest.raises(PartFailed, match="broken ended before it was ready, with exit code 3") as failed:
        await supervisor.start([_part("broken", tmp_path, "import sys; print('no such port'); sys.exit(3)")])
    await supervisor.stop()
    assert "no such port" in failed.value.tail and failed.value.log.exists()


async def test_a_part_that_keeps_dying_is_given_up_loudly(tmp_path: Path) -> None:
    """A part that cannot live does not restart for ever in silence."""
    supervisor = Supervisor(tmp_path / "log")
    short = CHILD.replace("while True: time.sleep(60)", "time.sleep(0.3); sys.exit(9)")
    await supervisor.start([_part("one", tmp_path, short)])
    with pytest.raises(PartFailed, match="5 times in a row, with exit code 9"):
        await supervisor.during(asyncio.Event().wait())
    await supervisor.stop()


async def test_a_halted_part_stays_down_until_it_is_started(tmp_path: Path) -> None:
    """A test can take Redis away for ten seconds and bring it back."""
    supervisor = Supervisor(tmp_path / "log")
    await supervisor.start([_part("one", tmp_path)])
    keeper = supervisor.keepers["one"]
    await keeper.halt(hard=True)
    assert keeper.pid == 0
    keeper.start()
    await keeper.ready()
    assert keeper.starts == 2 and "end one" not in _diary(tmp_path)
    await supervisor.stop()


async def test_a_part_that_will_not_go_is_killed(tmp_path: Path) -> None:
    """Stopping always ends."""
    supervisor = Supervisor(tmp_path / "log")
    stubborn = CHILD.replace('note("end"); sys.exit(0)', 'note("heard")')
    await supervisor.start([_part("one", tmp_path, stubborn, stop_within_s=0.5)])
    pid = supervisor.keepers["one"].pid
    await supervisor.stop()
    assert ended(pid) and _diary(tmp_path) == ["start one", "heard one"]


async def test_hurrying_ends_a_part_that_takes_its_time(tmp_path: Path) -> None:
    """A second Ctrl-C does not wait for calls in progress."""
    supervisor = Supervisor(tmp_path / "log")
    stubborn = CHILD.replace('note("end"); sys.exit(0)', 'note("heard")')
    await supervisor.start([_part("one", tmp_path, stubborn, stop_within_s=100)])
    supervisor.hurry()
    async with asyncio.timeout(20):
        await supervisor.stop()


FLEET = """
import asyncio, os, pathlib, sys
from modules.fleet.part import Part
from modules.fleet.supervisor import Supervisor
folder = pathlib.Path(sys.argv[1])
async def ready(): return len(list(folder.glob("pid-*"))) == 4
code = '''
import os, pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
folder = pathlib.Path(sys.argv[1])
again = [sys.executable, "-c", (folder / "code").read_text(), sys.argv[1], "grandchild"]
if len(sys.argv) == 2: subprocess.Popen(again)
(folder / f"pid-{os.getpid()}").touch()
time.sleep(600)
'''
(folder / "code").write_text(code)
async def main():
    supervisor = Supervisor(folder / "log")
    command = (sys.executable, "-c", code, str(folder))
    await supervisor.start([Part(name=n, command=command, env=dict(os.environ), cwd=folder, ready=ready) for n in "ab"])
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
async def test_nothing_outlives_a_fleet_that_is_killed(tmp_path: Path, wait_until: WaitUntil) -> None:
    """kill -9 of the fleet leaves no process of it behind, not even children of its parts that ignore SIGTERM."""
    env = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])}
    fleet = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FLEET, str(tmp_path), env=env, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert fleet.stdout is not None
    async with asyncio.timeout(30):
        assert await fleet.stdout.readline() == b"ready\n"
    pids = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]  # noqa: ASYNC240 - a test's own folder
    assert len(pids) == 4 and not any(ended(pid) for pid in pids)
    fleet.send_signal(signal.SIGKILL)
    await fleet.communicate()

    async def all_gone() -> bool:
        return all(ended(pid) for pid in pids)

    await wait_until(all_gone, 10)


def test_a_data_folder_has_one_fleet(tmp_path: Path) -> None:
    """`up` twice says that it runs already, and where."""
    file = RunFile(tmp_path)
    with file.held():
        file.write(Run(pid=4711, api_url="http://127.0.0.1:8000", parts={"api_server": 4712}))
        with pytest.raises(AlreadyRunning, match="process 4711, http://127.0.0.1:8000"), RunFile(tmp_path).held():
            pass
        running = RunFile(tmp_path).running()
        assert running and running.ready and running.pid == 4711
    assert RunFile(tmp_path).running() is None


def test_a_run_file_left_behind_is_not_a_running_fleet(tmp_path: Path) -> None:
    """After a power cut `down` ends nobody else's process and `up` starts."""
    file = RunFile(tmp_path)
    with file.held():
        file.write(Run(pid=os.getpid()))
        left_behind = file.path.read_text()
    file.path.write_text(left_behind)
    assert file.running() is None
