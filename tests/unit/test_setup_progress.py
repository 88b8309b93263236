"""What a person sees during a slow set-up, and what two of them at once do."""

import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modules.setup.exclusive import exclusive
from modules.setup.places import PROJECT
from modules.setup.progress import Progress

pytestmark = pytest.mark.unit

HOLDER = """
import sys
from pathlib import Path
from modules.setup.exclusive import exclusive
from modules.setup.progress import Progress
with exclusive(Path(sys.argv[1]), Progress()):
    print("held", flush=True)
    sys.stdin.readline()
"""


class Watched(io.StringIO):
    """Remembers that something was shown."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal
        self.shown = threading.Event()

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        written = super().write(text)
        self.shown.set()
        return written


@pytest.mark.parametrize("terminal", [True, False])
def test_slow_steps_show_themselves(terminal: bool) -> None:
    """Anything slower than a second says what it is; only a terminal gets a line that rewrites itself."""
    out = Watched(terminal)
    with Progress(out).step("building"):
        assert out.shown.wait(30)
    assert "building" in out.getvalue()
    assert out.getvalue().endswith("s\n") and "building: done after" in out.getvalue()
    assert ("\r" in out.getvalue()) is terminal


def test_quick_steps_say_nothing() -> None:
    """A set-up that has nothing to do is silent."""
    out = Watched(terminal=True)
    with Progress(out).step("looking"):
        pass
    assert out.getvalue() == ""


def test_a_failed_step_is_called_failed() -> None:
    """I see which step broke."""
    out = Watched(terminal=False)
    with pytest.raises(ZeroDivisionError), Progress(out).step("dividing"):
        _ = 1 / 0
    assert "dividing: failed" in out.getvalue()


def test_a_second_set_up_waits_for_the_first_even_if_that_one_is_killed(tmp_path: Path) -> None:
    """Two starts at once do not collide, and a killed one blocks nobody."""
    lock, out = tmp_path / "locks" / "setup.lock", Watched(terminal=False)
    entered = threading.Event()

    def second() -> None:
        with exclusive(lock, Progress(out)):
            entered.set()

    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None and first.stdout.readline() == b"held\n"
        waiter = threading.Thread(target=second, name="second set-up")
        waiter.start()
        assert out.shown.wait(30)
        assert not entered.is_set()
        first.kill()
        waiter.join(30)
    assert entered.is_set()
    assert "waiting for another set-up" in out.getvalue()
