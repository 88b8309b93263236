"""Writing one small text file of a folder so that a reader sees the old one or the new one, never half of one."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from modules.conversation.editing.refusals import NotWritable
from modules.strict_yaml.folder import Unreadable, read

_LOCK_WITHIN_S = 10.0


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Save while nobody else does, in whichever process. Raises NotWritable."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=_LOCK_WITHIN_S):
            yield
    except Timeout:
        raise NotWritable("Somebody else is saving; try again in a moment.") from None
    except OSError as error:
        raise NotWritable(f"{lock.name} cannot be written: {error.strerror}.") from None


def current(folder: Path, name: str) -> str | None:
    """Return a file's text, None where there is no file. Raises NotWritable for what is not an ordinary readable file."""
    if not os.path.lexists(folder / name):
        return None
    try:
        return read(folder, name)[0]
    except Unreadable as error:
        raise NotWritable(f"{folder.name}/{name} is left alone: {error}") from None


def replace(folder: Path, name: str, text: str) -> None:
    """Write a file, or an empty place, with the mode it had. Raises NotWritable."""
    path = folder / name
    unfinished = folder / f".{name}.{secrets.token_hex(4)}.tmp"
    try:
        mode = stat.S_IMODE(path.lstat().st_mode) if path.exists() else None
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            unfinished.chmod(mode)
        unfinished.replace(path)
    except OSError as error:
        raise NotWritable(f"{folder.name}/{name} cannot be written: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def remove(folder: Path, name: str) -> None:
    """Delete a file. Raises NotWritable."""
    try:
        (folder / name).unlink()
    except OSError as error:
        raise NotWritable(f"{folder.name}/{name} cannot be deleted: {error.strerror}.") from None
