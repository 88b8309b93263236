"""A Postgres for one test run: own folder, own port on loopback, own password; gone when the run ends, however it ends.

It never touches a database that is already on the machine. As root it runs as the package's `postgres` user.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modules.setup import debian
from modules.setup.places import on_path
from modules.setup.problem import SetupProblem
from modules.setup.progress import Progress

_DEBIAN_BINARIES = Path("/usr/lib/postgresql")


@contextmanager
def throwaway_postgres(progress: Progress, installed: Path = _DEBIAN_BINARIES) -> Iterator[str]:
    """The URL of a running, empty Postgres."""
    binaries = _find_binaries(installed) or _install_binaries(progress, installed)
    folder = Path(tempfile.mkdtemp(prefix="voicefleet-postgres-"))
    try:
        with progress.step("starting a Postgres for this run"):
            url = _start(binaries, folder)
        yield url
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            _as_postgres([binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _start(binaries: Path, folder: Path) -> str:
    password_file = folder / "password"
    password = secrets.token_urlsafe(18)
    password_file.write_text(password, encoding="utf-8")
    if _is_root():
        for path in (folder, password_file):
            shutil.chown(path, "postgres", "postgres")
    login = ["-U", "voicefleet", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    _as_postgres([binaries / "initdb", "-D", folder / "data", *login, "--encoding=UTF8", "--no-locale", "--no-sync"])
    port = _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    log = folder / "log"
    _as_postgres([binaries / "pg_ctl", "-D", folder / "data", "-l", log, "-o", options, "-w", "start"])
    return f"postgresql://voicefleet:{password}@127.0.0.1:{port}/postgres"


def _find_binaries(installed: Path) -> Path | None:
    versions = sorted(installed.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else on_path("initdb")
    return found.parent if found else None


def _install_binaries(progress: Progress, installed: Path) -> Path:
    debian.install(progress, "postgresql")
    if found := _find_binaries(installed):
        return found
    raise SetupProblem("Postgres", "it is not here and could not be installed", "sudo apt-get install postgresql")


def _as_postgres(command: list[str | Path]) -> None:
    who: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if _is_root() else {}
    # The server inherits standard output and error, so these must not be pipes: reading them would never end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", check=False, **who)
        if done.returncode != 0:
            said.seek(0)
            why = said.read().decode(errors="replace").strip()
            raise SetupProblem("a running Postgres", why, "run without --postgres, or set TEST_POSTGRES_URL")


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
