"""Shows that something slow is going on: a spinner on a terminal, a line every few seconds otherwise.

Everything goes to standard error; standard output belongs to the command that follows the set-up.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_FIRST_SIGN_S = 1.0
_LINE_EVERY_S = 5.0
_FRAMES = "|/-\\"


class Progress:
    """Tells a person about the steps of the set-up."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._live = self._out.isatty()

    def say(self, line: str) -> None:
        print(line, file=self._out, flush=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Shows `title` with the seconds elapsed once it takes longer than a second."""
        started, done = time.monotonic(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(title, started, done), name="progress", daemon=True)
        watcher.start()
        result = "failed"
        try:
            yield
            result = "done"
        finally:
            done.set()
            watcher.join()
            elapsed_s = time.monotonic() - started
            if elapsed_s >= _FIRST_SIGN_S or result == "failed":
                self.say(f"{self._clear()}{title}: {result} after {elapsed_s:.0f} s")

    def _clear(self) -> str:
        return "\r\x1b[K" if self._live else ""

    def _watch(self, title: str, started: float, done: threading.Event) -> None:
        if done.wait(_FIRST_SIGN_S):
            return
        frame = 0
        if not self._live:
            self.say(f"{title} …")
        while not done.wait(0.1 if self._live else _LINE_EVERY_S):
            elapsed_s = time.monotonic() - started
            if self._live:
                sign = _FRAMES[frame % len(_FRAMES)]
                print(f"\r\x1b[K{sign} {title} {elapsed_s:.0f} s", end="", file=self._out, flush=True)
                frame += 1
            else:
                self.say(f"{title} … {elapsed_s:.0f} s")
