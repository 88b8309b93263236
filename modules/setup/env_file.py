"""`.env`: gets the secrets it lacks, and nothing else. What a user wrote there is never changed.

A key without a value counts as lacking; the value goes into a new line at the end, which wins over the empty one.
"""

import os
import re
import secrets
from pathlib import Path

from modules.setup.places import PROJECT
from modules.setup.problem import SetupProblem
from modules.setup.progress import Progress

_PAIR = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_EMPTY = re.compile(r"""^(""|'')?\s*(#.*)?$""")


def complete_env_file(progress: Progress, path: Path = PROJECT / ".env") -> dict[str, str]:
    """Adds the missing secrets to `.env` and returns what was added. Prints a new API key once."""
    path = path.resolve()
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    added = _missing(before)
    if not added:
        return {}
    joint = "" if not before or before.endswith("\n") else "\n"
    lines = "".join(f"{key}={value}\n" for key, value in added.items())
    _replace(path, f"{before}{joint}# Made by the set-up. Keep this file to yourself.\n{lines}")
    if key := added.get("API_KEY"):
        progress.say(f"your API key, also in {path.name}: {key}")
    return added


def _missing(text: str) -> dict[str, str]:
    have = {found[1] for line in text.splitlines() if (found := _LINE.match(line)) and not _EMPTY.match(found[2])}
    pair = [key for key in _PAIR if key in have]
    if len(pair) == 1:
        lacking = next(key for key in _PAIR if key not in have)
        why = f".env has {pair[0]} without it, and a made-up one would not fit your server"
        raise SetupProblem(lacking, why, f"add {lacking}=… to .env, or remove {pair[0]} to get a new pair")
    made: dict[str, str] = {}
    if not pair:
        made = {"LIVEKIT_API_KEY": f"API{secrets.token_hex(6)}", "LIVEKIT_API_SECRET": secrets.token_urlsafe(36)}
    if "API_KEY" not in have:
        made["API_KEY"] = f"vf_{secrets.token_urlsafe(24)}"
    return made


def _replace(path: Path, text: str) -> None:
    """The new file is readable by its owner only, from its first byte on."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
