"""Finding and getting redis-server, livekit-server and flite on machines that have different things."""

import hashlib
import io
import platform
import sys
import tarfile
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from modules.setup import SetupProblem, find_flite, find_livekit_server, find_redis_server
from modules.setup.desktop_parts import get_flite
from modules.setup.livekit_server import VERSION, get_livekit_server
from modules.setup.places import cached_program
from modules.setup.progress import Progress
from tests.unit.conftest import Machine

pytestmark = pytest.mark.unit

NOWHERE = "http://127.0.0.1:1"
FAKE_GO = '[ "$1" = install ] && printf "#!/bin/sh\\necho built" > "$GOBIN/server" && /bin/chmod 755 "$GOBIN/server"'


def quiet() -> Progress:
    return Progress(io.StringIO())


def test_an_empty_machine_has_nothing(machine: Machine) -> None:
    """Looking for parts finds none and breaks nothing."""
    assert (find_redis_server(), find_livekit_server(), find_flite()) == (None, None, None)
    assert not machine.cache.exists()


def test_programs_on_path_are_taken(machine: Machine) -> None:
    """What I installed is used."""
    redis_server, flite = machine.has("redis-server"), machine.has("flite")
    assert (find_redis_server(), find_flite()) == (redis_server, flite)


@pytest.mark.parametrize("variable", ["REDIS_SERVER_BIN", "LIVEKIT_SERVER_BIN"])
def test_my_own_choice_comes_first(machine: Machine, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A program I name wins over PATH."""
    machine.has("redis-server")
    machine.has("livekit-server", f"echo livekit-server version {VERSION}")
    mine = machine.has("mine")
    monkeypatch.setenv(variable, str(mine))
    found = find_redis_server() if variable.startswith("REDIS") else find_livekit_server()
    assert found == mine


def test_a_wrong_choice_is_said_not_skipped(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """When I name a program that is not there I want to know."""
    machine.has("redis-server")
    monkeypatch.setenv("REDIS_SERVER_BIN", "/nowhere/redis-server")
    with pytest.raises(SetupProblem, match="/nowhere/redis-server"):
        find_redis_server()


@pytest.mark.parametrize(("version", "fits"), [("1.13.5", True), ("1.14.0", True), ("1.9.12", False), ("2.0.0", False)])
def test_an_old_livekit_server_on_path_is_not_taken(machine: Machine, version: str, fits: bool) -> None:
    """An unfit version would lose calls silently, so it is passed over."""
    installed = machine.has("livekit-server", f"echo livekit-server version {version}")
    assert find_livekit_server() == (installed if fits else None)


def release(name: str = "livekit-server") -> bytes:
    """A release archive as LiveKit publishes it, with a shell script for a server."""
    program, made = b"#!/bin/sh\necho released\n", io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(program)
        tar.addfile(entry, io.BytesIO(program))
    return made.getvalue()


def serve(httpserver: HTTPServer, archive: bytes, promised: str) -> str:
    machines = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    name = f"livekit_{VERSION}_linux_{machines[platform.machine()]}.tar.gz"
    httpserver.expect_request(f"/v{VERSION}/checksums.txt").respond_with_data(f"{'0' * 64}  other.zip\n{promised}  {name}\n")
    httpserver.expect_request(f"/v{VERSION}/{name}").respond_with_data(archive)
    return httpserver.url_for("/").rstrip("/")


@pytest.mark.skipif(sys.platform != "linux", reason="LiveKit releases binaries for Linux and Windows")
def test_the_official_release_is_fetched_and_kept(machine: Machine, httpserver: HTTPServer) -> None:
    """On a machine without livekit-server it comes from LiveKit's release, once."""
    archive = release()
    got = get_livekit_server(quiet(), serve(httpserver, archive, hashlib.sha256(archive).hexdigest()))
    assert got == cached_program(f"livekit-server-{VERSION}") == find_livekit_server()
    assert "released" in got.read_text(encoding="utf-8")
    assert get_livekit_server(quiet(), NOWHERE) == got
    assert [path.name for path in got.parent.iterdir()] == [got.name]


@pytest.mark.skipif(sys.platform != "linux", reason="LiveKit releases binaries for Linux and Windows")
@pytest.mark.parametrize("flaw", ["another hash", "not in the list", "no server inside"])
def test_a_release_that_is_not_what_it_says_is_not_used(machine: Machine, httpserver: HTTPServer, flaw: str) -> None:
    """A tampered or wrong release leaves nothing behind, and Go builds the pinned module instead."""
    machine.has("go", FAKE_GO)
    archive = release("../livekit-server" if flaw == "no server inside" else "livekit-server")
    promised = {"another hash": "f" * 64, "not in the list": ""}.get(flaw, hashlib.sha256(archive).hexdigest())
    got = get_livekit_server(quiet(), serve(httpserver, archive, promised))
    assert "built" in got.read_text(encoding="utf-8")
    assert [path.name for path in got.parent.iterdir()] == [got.name]


def test_a_machine_that_can_get_no_livekit_server_says_what_to_type(machine: Machine) -> None:
    """I am told what is missing, why, and what to do, and nothing half-made stays."""
    with pytest.raises(SetupProblem) as problem:
        get_livekit_server(quiet(), NOWHERE)
    said = str(problem.value).splitlines()
    assert said[0] == f"missing: livekit-server {VERSION}"
    assert "Go is not installed" in problem.value.why
    assert said[-1].startswith("type:") and "LIVEKIT_SERVER_BIN" in said[-1]
    assert not list(machine.cache.rglob("livekit*"))


def test_a_build_that_fails_shows_its_last_words(machine: Machine) -> None:
    """Go's own error reaches me."""
    machine.has("go", "echo 'go.mod requires go >= 1.26' >&2; exit 1")
    with pytest.raises(SetupProblem, match=r"requires go >= 1\.26"):
        get_livekit_server(quiet(), NOWHERE)
    assert list((machine.cache / "voicefleet" / "bin").iterdir()) == []


def with_packages(machine: Machine, apt_script: str) -> None:
    """A Debian on which this user may install: as root, or through a sudo that asks nothing."""
    machine.has("apt-get", apt_script)
    machine.has("env", 'exec /usr/bin/env "$@"')
    machine.has("sudo", 'shift; exec "$@"')


def test_flite_is_installed_where_that_is_allowed(machine: Machine) -> None:
    """A fresh Debian has no package lists: the set-up fetches them and tries again."""
    lists, flite = machine.bin / "lists", machine.bin / "flite"
    install = f'printf "#!/bin/sh" > "{flite}"; /bin/chmod 755 "{flite}"'
    with_packages(machine, f'case "$*" in *update*) : > "{lists}";; *) [ -e "{lists}" ] || exit 100; {install};; esac')
    assert get_flite(quiet()) == flite


def test_without_flite_the_set_up_goes_on(machine: Machine) -> None:
    """Only the demo's voice needs flite, so I get a line and not an error."""
    out = io.StringIO()
    assert get_flite(Progress(out)) is None
    assert "sudo apt-get install flite" in out.getvalue()


def test_cached_programs_are_found_again(machine: Machine) -> None:
    """What an earlier run fetched is used."""
    cached = cached_program(f"livekit-server-{VERSION}")
    cached.parent.mkdir(parents=True)
    cached.write_text("", encoding="utf-8")
    assert find_livekit_server() is None, "not a program yet"
    cached.chmod(0o755)
    assert find_livekit_server() == cached == Path(cached)
