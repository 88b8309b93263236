"""The project's own Python environment in `.venv`, holding exactly what the lock names.

A stamp in it records which lock files it satisfies, so a repeat run does nothing.
"""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from modules.setup import debian
from modules.setup.command import CommandFailed, run
from modules.setup.places import PROJECT, venv_python
from modules.setup.problem import SetupProblem
from modules.setup.progress import Progress

RUN_LOCK, DEV_LOCK = "requirements.txt", "requirements-dev.txt"
_STAMP = ".voicefleet-lock.json"


def make_python_env(progress: Progress, dev: bool = False, project: Path = PROJECT) -> Path:
    """Makes `.venv` satisfy the lock and returns its Python. The development lock contains the other one."""
    python = venv_python(project)
    wanted = {name: _sha256(project / name) for name in ((RUN_LOCK, DEV_LOCK) if dev else (RUN_LOCK,))}
    stamp = project / ".venv" / _STAMP
    have = _read(stamp) if python.exists() else {}
    if wanted.items() <= have.items():
        return python
    stamp.unlink(missing_ok=True)
    if not _starts(python):
        _create(progress, project)
    _install(progress, python, project / (DEV_LOCK if dev else RUN_LOCK))
    part = stamp.with_suffix(".part")
    part.write_text(json.dumps(wanted), encoding="utf-8")
    os.replace(part, stamp)
    return python


def _create(progress: Progress, project: Path) -> None:
    folder = project / ".venv"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with progress.step("making the Python environment .venv"):
            run([sys.executable, "-m", "venv", folder])
    except CommandFailed as error:
        shutil.rmtree(folder, ignore_errors=True)
        package = f"python3.{sys.version_info.minor}-venv"
        if "ensurepip" in str(error) and debian.install(progress, package):
            run([sys.executable, "-m", "venv", folder])
            return
        raise SetupProblem("a Python environment", str(error), f"sudo apt-get install {package}") from error


def _install(progress: Progress, python: Path, lock: Path) -> None:
    pip: list[str | Path] = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps"]
    try:
        with progress.step(f"installing the packages of {lock.name} into .venv"):
            run([*pip, "--require-hashes", "-r", lock])
    except CommandFailed as error:
        fix = "check the network or pip's index settings, then run the same command again; it goes on from there"
        raise SetupProblem("the Python packages", str(error), fix) from error


def _starts(python: Path) -> bool:
    try:
        run([python, "-m", "pip", "--version"])
    except CommandFailed:
        return False
    return True


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(stamp: Path) -> dict[str, str]:
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
