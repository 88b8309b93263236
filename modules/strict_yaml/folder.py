"""One small text file of one folder, and nothing else of the disk: no path in a name, no symbolic link, no pipe, no giant."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

LARGEST_BYTES = 64 * 1024
_NAME = re.compile(r"[a-z0-9_-]{1,64}\.(yaml|md)")
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class Unreadable(ValueError):
    """The file cannot be used, whatever is in it; the message says why."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a change of a file is seen. A file that is not there has none."""

    inode: int
    size: int
    changed_ns: int


def stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file as it is now."""
    try:
        return _stamp(os.lstat(path))
    except OSError:
        return None


def read(folder: Path, name: str) -> tuple[str, Stamp]:
    """Return a file's text and its stamp. Raises Unreadable."""
    if not _NAME.fullmatch(name):
        raise Unreadable("its name must be small letters, digits, _ and - (64 at most) before .yaml or .md")
    try:
        handle = _open(folder, name)
    except FileNotFoundError:
        raise Unreadable("there is no such file") from None
    except OSError as error:
        linked = "it is a symbolic link; put the file itself here" if (folder / name).is_symlink() else ""
        raise Unreadable(linked or f"cannot be read: {error.strerror}") from None
    with open(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("it is not a file")
        content = file.read(LARGEST_BYTES + 1)
    return text_of(content), _stamp(found)


def text_of(content: bytes) -> str:
    """Return a file's bytes as text. Raises Unreadable for too many of them and for what is not UTF-8."""
    if len(content) > LARGEST_BYTES:
        raise Unreadable(f"has more than {LARGEST_BYTES // 1024} KiB")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 (byte {error.start + 1})") from None


def _open(folder: Path, name: str) -> int:
    if os.open not in os.supports_dir_fd:  # Windows
        if (folder / name).is_symlink():
            raise OSError("a symbolic link")
        return os.open(folder / name, _OPEN | getattr(os, "O_BINARY", 0))
    directory = os.open(folder, _DIRECTORY)
    try:
        return os.open(name, _OPEN, dir_fd=directory)
    finally:
        os.close(directory)


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
