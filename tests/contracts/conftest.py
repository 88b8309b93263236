"""A real livekit-server and the simulated carrier beside it, each a process of its own, once for all contract tests."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from livekit import api

from modules.setup import find_livekit_server
from modules.setup.places import PROJECT

KEY, SECRET = "testing", "only-for-tests-0123456789-0123456789-abcdef"


@dataclass(frozen=True, slots=True)
class Network:
    """Where the rooms are, and who answers the SIP API."""

    livekit_url: str
    carrier_url: str


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not come up")


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    program = find_livekit_server()
    if program is None:
        pytest.skip("livekit-server is missing; ./start_scripts/test.sh gets it")
    port, rtc_port, carrier_port = _free_port(), _free_port(), _free_port()
    config = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "node_ip": "127.0.0.1", "use_external_ip": False, "enable_loopback_candidate": True,
            "tcp_port": rtc_port, "udp_port": rtc_port,
        },
        "keys": {KEY: SECRET},
        "logging": {"level": "error"},
    }  # fmt: skip
    running = Network(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{carrier_port}")
    settings = {
        "LIVEKIT_URL": running.livekit_url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET,
        "SIP_API_URL": running.carrier_url, "SCENARIOS_DIR": "scenarios", "PROMPTS_DIR": "prompts", "AGENTS_DIR": "agents",
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="voicefleet-carrier-") as folder:
        settings["SIMULATION_LEDGER"] = str(Path(folder, "ledger.jsonl"))
        with (
            _process([str(program)], {"LIVEKIT_CONFIG": yaml.safe_dump(config)}) as server,
            _process([sys.executable, "-m", "modules.simulation"], settings) as carrier,
        ):
            _wait_for(f"http://127.0.0.1:{port}", server)
            _wait_for(f"{running.carrier_url}/healthz", carrier)
            yield running
            carrier.terminate()
            assert carrier.wait(20) == 0, "the carrier must end well on SIGTERM"
            server.terminate()


def _process(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **env}, stdout=subprocess.DEVNULL)


@pytest.fixture
async def rooms(network: Network) -> AsyncIterator[api.LiveKitAPI]:
    """livekit-server's own API."""
    async with api.LiveKitAPI(network.livekit_url.replace("ws", "http", 1), KEY, SECRET) as client:
        yield client


@pytest.fixture
async def sip(network: Network) -> AsyncIterator[api.LiveKitAPI]:
    """livekit-api's client, pointed at the simulated carrier."""
    async with api.LiveKitAPI(network.carrier_url, KEY, SECRET) as client:
        yield client


@pytest.fixture
def room() -> str:
    return f"test-{uuid4().hex}"
