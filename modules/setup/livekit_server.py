"""livekit-server: found where the machine has it, else the official release, else built with Go from the pinned module.

Starting it is `modules.fleet`'s work.
"""

import os
import platform
import re
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from modules.setup.command import CommandFailed, run
from modules.setup.download import DownloadFailed, fetch_file, fetch_text
from modules.setup.places import WINDOWS, cached_program, is_program, named_by_env, on_path
from modules.setup.problem import SetupProblem
from modules.setup.progress import Progress

VERSION = "1.13.5"
_CACHED = f"livekit-server-{VERSION}"
_RELEASES = "https://github.com/livekit/livekit/releases/download"
_MODULE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find_livekit_server() -> Path | None:
    """LIVEKIT_SERVER_BIN, else PATH when it is the pinned version or a later 1.x, else our cache."""
    if named := named_by_env("LIVEKIT_SERVER_BIN"):
        return named
    cached = cached_program(_CACHED)
    if is_program(cached):
        return cached
    found = on_path("livekit-server")
    return found if found and _is_recent(found) else None


def get_livekit_server(progress: Progress, releases: str = _RELEASES) -> Path:
    """Finds livekit-server or brings it here."""
    if found := find_livekit_server():
        return found
    reasons = []
    try:
        with progress.step(f"downloading livekit-server {VERSION}"):
            return _from_release(releases)
    except DownloadFailed as error:
        reasons.append(f"the release could not be had ({error})")
        progress.say(reasons[-1])
    try:
        with progress.step(f"building livekit-server {VERSION} with Go (about 3 minutes the first time)"):
            return _from_go()
    except CommandFailed as error:
        reasons.append(f"it could not be built ({error})")
    fix = f"put livekit-server {VERSION} on PATH, or name it in LIVEKIT_SERVER_BIN, or install Go 1.26 or newer"
    raise SetupProblem(f"livekit-server {VERSION}", "; ".join(reasons), fix)


def _is_recent(program: Path) -> bool:
    try:
        said = run([program, "--version"], timeout_s=10)
    except CommandFailed:
        return False
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if found is None:
        return False
    have = tuple(int(part) for part in found.groups())
    want = tuple(int(part) for part in VERSION.split("."))
    return have[0] == want[0] and have >= want


def _from_release(releases: str) -> Path:
    system = {"linux": "linux", "win32": "windows"}.get(sys.platform)
    machine = _MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise DownloadFailed(f"there is no release for {sys.platform} on {platform.machine()}")
    name = f"livekit_{VERSION}_{system}_{machine}.{'zip' if WINDOWS else 'tar.gz'}"
    sha256 = _promised_hash(fetch_text(f"{releases}/v{VERSION}/checksums.txt"), name)
    target = cached_program(_CACHED)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".livekit-", dir=target.parent) as folder:
        archive = Path(folder) / name
        fetch_file(f"{releases}/v{VERSION}/{name}", sha256, archive)
        binary = _unpack(archive, Path(folder))
        binary.chmod(0o755)
        os.replace(binary, target)
    return target


def _promised_hash(checksums: str, name: str) -> str:
    for line in checksums.splitlines():
        if line.split()[1:] == [name]:
            return line.split()[0]
    raise DownloadFailed(f"the release's checksums.txt does not list {name}")


def _unpack(archive: Path, folder: Path) -> Path:
    """Takes out the one file we want; the archive's own paths are never followed."""
    wanted, target = ("livekit-server.exe" if WINDOWS else "livekit-server"), folder / "unpacked"
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as zipped:
                target.write_bytes(zipped.read(wanted))
        else:
            with tarfile.open(archive) as tar:
                member = tar.extractfile(wanted)
                if member is None:
                    raise KeyError(wanted)
                target.write_bytes(member.read())
    except (KeyError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DownloadFailed(f"{archive.name} holds no {wanted}: {error}") from error
    return target


def _from_go() -> Path:
    if on_path("go") is None:
        raise CommandFailed("Go is not installed")
    target = cached_program(_CACHED)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".go-", dir=target.parent) as folder:
        run(["go", "install", _MODULE], env={"GOBIN": folder})
        os.replace(Path(folder) / ("server.exe" if WINDOWS else "server"), target)
    return target
