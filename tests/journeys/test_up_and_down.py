"""`up --detach`, a call, `down`: the configured fleet, from its environment alone."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.fleet import Plan
from modules.fleet.plan import throwaway_ground
from modules.fleet.ports import Ports
from modules.fleet.process import ended
from modules.setup import find_livekit_server, find_redis_server

pytestmark = [
    pytest.mark.fleet,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
    pytest.mark.skipif(not (find_livekit_server() and find_redis_server()), reason="./start_scripts/test.sh gets the servers"),
]


class Shell:
    """Types commands in a folder and an environment of its own."""

    def __init__(self, folder: Path) -> None:
        ports = Ports()
        self._env = dict(throwaway_ground(Plan(), folder, ports).env) | {"WORKER_PORT": str(ports.take())}
        self.folder = folder

    def __call__(self, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "modules", *words]
        return subprocess.run(
            command, cwd=self.folder, env=self._env | extra, capture_output=True, text=True, timeout=180, check=False
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell("down", "--now")


def test_a_configured_fleet_comes_up_calls_and_goes_down(shell: Shell) -> None:
    """I start my fleet, place a call by its name, and stop it again; nothing is left."""
    up = shell("up", "--detach", "--json")
    assert up.returncode == 0, up.stderr
    told = json.loads(up.stdout)
    assert list(told["parts"]) == [
        "redis-server", "livekit-server", "simulation", "api_server", "outbound_orchestrator", "voice_agent",
    ]  # fmt: skip
    again = shell("up", "--detach")
    assert again.returncode == 1 and "runs already" in again.stderr
    call = shell("call", "+12025550103", "--trunk", "simulated", "--watch")
    assert call.returncode == 1 and "busy" in call.stdout, call.stderr
    down = shell("down", "--json")
    assert json.loads(down.stdout) == {"stopped": True, "pid": told["pid"]}
    assert all(ended(pid) for pid in [told["pid"], *told["parts"].values()])
    assert shell("down").stdout.strip() == "no fleet runs here"


def test_a_part_that_should_be_elsewhere_is_not_started_here(shell: Shell) -> None:
    """A Redis on another machine that does not answer is an error, not a reason for an empty one here."""
    up = shell("up", REDIS_URL="redis://192.0.2.1:6379/0")
    assert up.returncode == 1 and "REDIS_URL names 192.0.2.1:6379" in up.stderr
    assert not (shell.folder / "redis").exists()


def test_a_taken_port_is_named(shell: Shell) -> None:
    """When something else has the API's port I am told which setting to change."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        up = shell("up", API_PORT=str(other.getsockname()[1]))
    assert up.returncode == 1 and "of the API is taken" in up.stderr and "API_PORT" in up.stderr
