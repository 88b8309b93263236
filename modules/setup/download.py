"""Fetches a file whose SHA-256 is known beforehand. A wrong or half file never gets its final name."""

import hashlib
import http.client
import os
import urllib.request
from pathlib import Path

_STALL_S = 10.0  # for connecting and for each read: a network that says nothing is given up soon
_CHUNK_BYTES = 1 << 16
_TEXT_LIMIT_BYTES = 1 << 20


class DownloadFailed(Exception):
    """A file could not be fetched, or is not the file that was promised."""


def fetch_text(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_STALL_S) as answer:
            body: bytes = answer.read(_TEXT_LIMIT_BYTES)
            return body.decode()
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        raise DownloadFailed(f"{url}: {error}") from error


def fetch_file(url: str, sha256: str, target: Path) -> None:
    """Writes the file to `target` only when its hash is right."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        found = _stream(url, part)
        if found != sha256.lower():
            raise DownloadFailed(f"{url}: its SHA-256 is {found}, expected {sha256.lower()}")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _stream(url: str, part: Path) -> str:
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_STALL_S) as answer, part.open("wb") as out:
            while chunk := answer.read(_CHUNK_BYTES):
                digest.update(chunk)
                out.write(chunk)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(f"{url}: {error}") from error
    return digest.hexdigest()
