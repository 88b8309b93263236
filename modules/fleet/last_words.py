"""What the parts of a fleet complained about, from their logs: for whoever must find out why something went wrong in it."""

import re
from pathlib import Path

_COMPLAINT = re.compile(r"\[(warning|error|critical)\s*\]|\t(WARN|ERROR)\t|^Traceback|^\w*(Error|Exception):")
# livekit-server says this of every participant that leaves.
_USUAL = re.compile(r"error reading data channel|could not restart (participant|transport)|no warmed process available")


def last_words(logs: Path, most: int = 15) -> list[str]:
    """Return up to `most` lines of each part's log, `part: line`, oldest first."""
    found: list[str] = []
    for log in sorted(logs.glob("*.log")):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [line for line in lines if _COMPLAINT.search(line) and not _USUAL.search(line)]
        found += [f"{log.stem}: {line[:400]}" for line in said[-most:]]
    return found
