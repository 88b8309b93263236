"""A command at a real terminal: a process on a pseudo-terminal of its own, read and typed into as a person does."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
_PATIENCE_S = 60.0


class Terminal:
    """`./voicefleet WORDS` in a folder. Use it as a context manager."""

    def __init__(self, folder: Path, *words: str, **env: str) -> None:
        self.screen = ""
        self._read = 0
        self._terminal, theirs = pty.openpty()
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "modules", *words], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
            env=kept | {"PYTHONPATH": str(PROJECT), "TERM": "dumb", "COLUMNS": "300"} | env,
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self._terminal)
        print(self.screen)

    def sees(self, text: str) -> None:
        """Wait until `text` is on the screen, after what was seen before."""
        until = time.monotonic() + _PATIENCE_S
        while text not in self.screen[self._read :]:
            if not self._more(until):
                raise AssertionError(f"never saw {text!r} in:\n{self.screen}")
        self._read = self.screen.index(text, self._read) + len(text)

    def types(self, line: str) -> None:
        """Type a line and press Enter."""
        os.write(self._terminal, f"{line}\n".encode())

    def interrupts(self) -> int:
        """Press Ctrl-C until the command has ended; return its exit code.

        Python does not see a signal that comes just before it begins to read; a person presses again.
        """
        for _ in range(12):
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
                break
        return self.ends()

    def ends(self) -> int:
        """Wait until the command has ended; return its exit code."""
        until = time.monotonic() + _PATIENCE_S
        while self._more(until):
            pass
        return self.process.wait(10)

    def _more(self, until: float) -> bool:
        """Read what comes; return whether more may come."""
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, until - time.monotonic()))
        try:
            came = os.read(self._terminal, 65536) if ready else b""
        except OSError:  # Linux says EIO once the other side is closed
            return False
        self.screen += came.decode(errors="replace").replace("\r\n", "\n")
        return bool(came)
