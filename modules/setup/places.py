"""Where the set-up keeps things: the project's folder, the user's cache, a program on PATH.

Only paths; nothing is created or fetched here.
"""

import os
import shutil
import sys
from pathlib import Path

from modules.setup.problem import SetupProblem

PROJECT = Path(__file__).resolve().parents[2]
WINDOWS = sys.platform == "win32"


def cache_dir() -> Path:
    """The user's cache for parts that are not Python packages (may not exist yet)."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "voicefleet"
    if WINDOWS and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "voicefleet"
    return Path.home() / ".cache" / "voicefleet"


def cached_program(name: str) -> Path:
    """Where the cache holds a program of this name."""
    return cache_dir() / "bin" / (f"{name}.exe" if WINDOWS else name)


def is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def named_by_env(variable: str) -> Path | None:
    """The program a user named in the environment. A name that is no program is an error, never skipped."""
    value = os.environ.get(variable, "").strip()
    if not value:
        return None
    path = Path(value).expanduser()
    if not is_program(path):
        raise SetupProblem(variable, f"it names {path}, which is not a program", f"unset {variable}, or correct it")
    return path


def on_path(*names: str) -> Path | None:
    """The first of these programs that PATH has."""
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    return None


def venv_python(project: Path = PROJECT) -> Path:
    """The Python inside the project's own environment (may not exist yet)."""
    return project / ".venv" / ("Scripts/python.exe" if WINDOWS else "bin/python")
