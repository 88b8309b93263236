"""trunks.yaml in use: read again when it has changed. A broken edit is not used; the last version that was good stands in.

Its copy under DATA_DIR, which a worker's next call and a restarted process find there, may hold what trunks.yaml holds, passwords
too: its owner alone may read it. A `password_file` is never copied.
"""

import contextlib
import os
import secrets
from pathlib import Path

from config import Settings
from modules.metrics_logger import get_logger
from modules.sip_management.trunk_file import password_files
from modules.sip_management.trunks import LOOP, Trunk, TrunksUnusable, choose, configured, looped, of_settings

log = get_logger("sip_management")

_Seen = dict[Path, tuple[int, int, int] | None]


class TrunkBook:
    """The trunks of one process. `problem` is set while trunks.yaml cannot be used as it is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._copy = settings.data_dir / "trunks" / "good.yaml"
        self._trunks: dict[str, Trunk] | None = None
        self._seen: _Seen = {}
        self.problem: TrunksUnusable | None = None

    def trunks(self) -> dict[str, Trunk]:
        """Return the trunks by name, the one used by default first. Raises TrunksUnusable for a file that never was good."""
        if self._trunks is None or self.problem or self._seen != {path: _stamp(path) for path in self._seen}:
            self._look()
        assert self._trunks is not None
        return self._trunks

    def of_call(self, name: str) -> Trunk:
        """Return the trunk of a call that was accepted. Only a trunk of trunks.yaml can suffer from a mistake in that file.

        Raises TrunksUnusable, and InvalidField where the trunk is gone.
        """
        if name == LOOP:
            return looped(self._settings)
        return of_settings(self._settings).get(name) or choose(self.trunks(), name)

    def _look(self) -> None:
        file = self._settings.sip_trunks_file
        try:
            seen = {path: _stamp(path) for path in (file, *password_files(file))}
            self._trunks, self._seen = configured(self._settings), seen
        except TrunksUnusable as error:
            self._use_last_good(error)
            return
        if self.problem:
            log.info("trunks.mended", file=file.name)
        self.problem = None
        self._keep(file, seen)

    def _use_last_good(self, error: TrunksUnusable) -> None:
        if self._trunks is None:
            if not self._copy.exists():
                raise error
            try:
                self._trunks = configured(self._settings, self._copy)
            except TrunksUnusable:  # its own password file is gone, or a setting has taken its name
                raise error from None
        if self.problem is None or self.problem.message != error.message:
            log.error("trunks.broken", problem=error.message, next="correct the file; the last good version goes on being used")
        self.problem = error

    def _keep(self, file: Path, seen: _Seen) -> None:
        """Copy the file as it was read; a copy that is the same already is left alone."""
        with contextlib.suppress(OSError):  # a container may keep its disk read-only
            if not file.exists():
                self._copy.unlink(missing_ok=True)
                return
            text = file.read_bytes()
            if _stamp(file) != seen[file] or (self._copy.exists() and self._copy.read_bytes() == text):
                return
            self._copy.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._copy.with_name(f"{self._copy.name}.{secrets.token_hex(4)}")
            try:
                with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                    copy.write(text)
                fresh.replace(self._copy)
            finally:
                fresh.unlink(missing_ok=True)  # where the disk is full, not one more at every call


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """By what a change is seen; through links, as Kubernetes mounts files by them."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
