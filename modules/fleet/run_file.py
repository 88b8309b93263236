"""The one fleet of a data folder: a lock that the system drops when its holder ends, and beside it who holds it and where.

The file is a claim, the lock is the truth: a run file without a held lock was left behind by a fleet that was killed.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from modules.fleet.errors import AlreadyRunning
from modules.setup.exclusive import try_lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A fleet that runs: the process that keeps it, its addresses, its parts' processes at the start."""

    pid: int
    api_url: str = ""
    logs: str = ""
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether everything has been started."""
        return bool(self.parts)


class RunFile:
    """run.json and its lock in one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "run.json"
        self._lock = data_dir / "run.lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the fleet of this folder. Raises AlreadyRunning."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not try_lock(handle):
                raise AlreadyRunning(f"a fleet runs already{_where(self._read())}", "./voicefleet down ends it")
            self.write(Run(pid=os.getpid()))
            try:
                yield
            finally:
                self.path.unlink(missing_ok=True)
        finally:
            os.close(handle)  # this is what releases the lock

    def write(self, run: Run) -> None:
        """Say how the running fleet can be reached."""
        part = self.path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(asdict(run), indent=2), encoding="utf-8")
        os.replace(part, self.path)

    def running(self) -> Run | None:
        """Return the fleet that runs in this folder now."""
        if not self._lock.exists():
            return None
        handle = os.open(self._lock, os.O_RDWR)
        try:
            return None if try_lock(handle) else self._read()
        finally:
            os.close(handle)

    def _read(self) -> Run | None:
        try:
            return Run(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def _where(run: Run | None) -> str:
    return f" (process {run.pid}{', ' + run.api_url if run.api_url else ''})" if run else ""
