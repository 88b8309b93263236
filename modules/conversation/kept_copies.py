"""The last good version of every personality with its prompts, on disk, so that a process that starts now has it as well.

    <folder>/<sha256>.json   the texts of one version, by shelf and name
    <folder>/<id>.good       the sha256 of the last good one

A folder that cannot be written costs the fallback and nothing else.
"""

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from modules.metrics_logger import get_logger

log = get_logger(__name__)
_MOST_VERSIONS = 200
_SHA = re.compile(r"[0-9a-f]{64}")


class KeptCopies:
    """The copies of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, personality_id: str, sha256: str, texts: Mapping[str, str]) -> None:
        """Make this version the last good one."""
        if self._pointer(personality_id) == sha256:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._version(sha256).exists():
                self._write(self._version(sha256), json.dumps(texts, ensure_ascii=False))
                self._prune()
            self._write(self._folder / f"{personality_id}.good", sha256)
        except OSError as error:
            log.warning("personality.not_kept", personality=personality_id, error=error.strerror)

    def last(self, personality_id: str) -> dict[str, str] | None:
        """Return the texts of the last good version, None where there is none."""
        sha256 = self._pointer(personality_id)
        return self.version(sha256) if sha256 else None

    def version(self, sha256: str) -> dict[str, str] | None:
        """Return the texts of one version, None where it is not kept (any more)."""
        try:
            found = json.loads(self._version(sha256).read_text("utf-8")) if _SHA.fullmatch(sha256) else None
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _pointer(self, personality_id: str) -> str:
        try:
            found = (self._folder / f"{personality_id}.good").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""
        return found if _SHA.fullmatch(found) and self._version(found).exists() else ""

    def _version(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"

    def _write(self, path: Path, text: str) -> None:
        """Write so that a reader sees the old file or the new one, never half of it."""
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)

    def _prune(self) -> None:
        used = {pointer.read_text("ascii").strip() for pointer in self._folder.glob("*.good")}
        versions = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in versions[_MOST_VERSIONS:]:
            if path.stem not in used:
                with contextlib.suppress(OSError):
                    path.unlink()
