"""What docker-compose.yaml starts, started without Docker: its commands, its environments, its own health checks.

Only what an engine would provide is replaced: names of machines become ports on loopback, /app becomes a folder.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from modules.call_queue_manager import connect
from modules.setup import find_livekit_server, find_redis_server
from modules.setup.places import PROJECT
from tests.compose import services

pytestmark = pytest.mark.fleet

SERVICES = services()
STAYING = ["api-server", "outbound-orchestrator", "voice-agent", "trunk-monitor"]
IN_THE_IMAGE = re.findall(r"^!(\S+)", (PROJECT / ".dockerignore").read_text(encoding="utf-8"), re.M)
PORTS = ("7880", "7881", "7882", "8000", "8070", "8081")
WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the containers would be: a folder like the image's /app, and what each name and port became."""

    app: Path
    became: dict[str, str]

    def placed(self, text: str) -> str:
        known = "|".join(re.escape(was) for was in self.became)
        return re.sub(rf"(?<!\d)({known})(?!\d)", lambda found: self.became[found[0]], text)

    def env(self, service: str) -> dict[str, str]:
        said = {key: self.placed(str(value)) for key, value in SERVICES[service].get("environment", {}).items()}
        return {"PATH": os.environ["PATH"], "HOME": str(self.app)} | said

    def command(self, words: list[str]) -> list[str]:
        return [sys.executable if word == "python" else self.placed(word) for word in words]

    def start(self, service: str, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=self.app, env=self.env(service))

    def healthy(self, service: str) -> bool:
        test = SERVICES[service]["healthcheck"]["test"]
        assert test[0] == "CMD"
        checked = subprocess.run(
            self.command(test[1:]), cwd=self.app, env=self.env(service), capture_output=True, timeout=30, check=False
        )
        return checked.returncode == 0


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Redis with compose's flags and livekit-server with compose's configuration, both real."""
    redis_server, livekit_server = find_redis_server(), find_livekit_server()
    if redis_server is None or livekit_server is None:
        pytest.skip("redis-server or livekit-server is missing; ./start_scripts/test.sh gets them")
    app = tmp_path_factory.mktemp("app")
    for name in IN_THE_IMAGE:
        (app / name).symlink_to(PROJECT / name)
    free = free_ports(len(PORTS) + 1)
    ports = dict(zip(PORTS, free, strict=False))
    names = {"livekit:7880": f"127.0.0.1:{ports['7880']}", "redis:6379": f"127.0.0.1:{free[-1]}"}
    ground = Ground(app, names | ports | {"/app": str(app)})
    redis_port = ["--bind", "127.0.0.1", "--port", free[-1], "--dir", str(app)]
    with ExitStack() as running:
        redis = ground.start("redis", [str(redis_server), *SERVICES["redis"]["command"][1:], *redis_port])
        running.callback(stop, redis)
        livekit = ground.start("livekit", [str(livekit_server), "--bind", "127.0.0.1"])
        running.callback(stop, livekit)
        wait_for_http(livekit, f"http://127.0.0.1:{ports['7880']}/")
        yield ground


def free_ports(count: int) -> list[str]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [str(probe.getsockname()[1]) for probe in probes]


def wait_for_http(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, "it ended instead of starting"
        with suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
    pytest.fail(f"{url} did not answer")


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


async def test_redis_has_every_write_on_disk_before_it_answers(ground: Ground) -> None:
    """With compose's flags an accepted call survives a power cut."""
    store = await connect(f"redis://{ground.became['redis:6379']}/0")
    asked = {name: await store.call("CONFIG", "GET", name) for name in ("appendonly", "appendfsync", "maxmemory-policy")}
    await store.close()
    said = {name: dict(zip(answer[::2], answer[1::2], strict=True)) if isinstance(answer, list) else answer
            for name, answer in asked.items()}  # fmt: skip
    assert {name: answer[name] for name, answer in said.items()} == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
    }


def test_livekit_server_takes_the_embedded_configuration(ground: Ground) -> None:
    """It refuses unknown settings, so one that answers has understood every line."""
    with urllib.request.urlopen(f"http://{ground.became['livekit:7880']}/", timeout=5) as answer:
        assert answer.read() == b"OK"


@pytest.mark.parametrize("service", STAYING)
def test_a_service_starts_gets_healthy_and_stops_when_told(ground: Ground, service: str) -> None:
    """Its command runs, its own health check turns good, and SIGTERM ends it with 0."""
    process = ground.start(service, ground.command(SERVICES[service]["command"]))
    try:
        deadline_s = time.monotonic() + WITHIN_S
        while not ground.healthy(service):
            assert process.poll() is None, "it ended instead of starting"
            assert time.monotonic() < deadline_s, "it never became healthy"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        stop(process)
    assert not ground.healthy(service) or service == "outbound-orchestrator", "a stopped service must not look well"


def test_the_one_shot_ends_well(ground: Ground) -> None:
    """Everything that waits for it can start."""
    process = ground.start("sip-trunk-init", ground.command(SERVICES["sip-trunk-init"]["command"]))
    assert process.wait(WITHIN_S) == 0


def test_all_services_of_ours_are_covered() -> None:
    """A new service cannot be forgotten here."""
    assert {name for name, service in SERVICES.items() if "build" in service} == {*STAYING, "sip-trunk-init"}


@pytest.mark.parametrize(("status", "well"), [(200, True), (429, True), (503, False)])
def test_livekit_sip_is_asked_without_curl(status: int, well: bool) -> None:
    """Its image has only bash: the check is a shell line, and here it meets each answer livekit-sip can give."""
    bash = shutil.which("bash")
    assert bash is not None
    test = SERVICES["sip-server"]["healthcheck"]["test"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = test[3].replace("/8090", f"/{server.getsockname()[1]}")
        with subprocess.Popen([bash, "-c", line]) as checking:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as request:
                assert [request.readline(), request.readline()] == [b"GET / HTTP/1.0\r\n", b"\r\n"]
                connection.sendall(f"HTTP/1.1 {status} x\r\n\r\n".encode())
                assert (checking.wait(10) == 0) is well
