"""One set-up at a time: a lock on a file that the operating system drops when its holder ends, however it ends."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modules.setup.progress import Progress

_RETRY_S = 0.2


@contextmanager
def exclusive(path: Path, progress: Progress) -> Iterator[None]:
    """Holds the lock at `path`; waits, visibly, while another set-up has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not try_lock(handle):
            with progress.step("waiting for another set-up to finish"):
                while not try_lock(handle):
                    time.sleep(_RETRY_S)
        yield
    finally:
        os.close(handle)  # closing the file is what releases the lock


if sys.platform == "win32":
    import msvcrt

    def try_lock(handle: int) -> bool:
        """Return whether the lock on this open file is ours now; never waits."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(handle: int) -> bool:
        """Return whether the lock on this open file is ours now; never waits."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
