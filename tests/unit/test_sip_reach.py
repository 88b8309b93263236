"""Is the carrier there? Asked with a real datagram to a real socket."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from modules.setup.places import PROJECT
from modules.sip_management.reach import reach
from tests.sip_carrier import Carrier, listening

pytestmark = pytest.mark.unit

SECRET = "only-for-tests-0123456789-0123456789-abcdef"


@pytest.mark.parametrize("answer", [b"SIP/2.0 200 OK\r\n\r\n", b"SIP/2.0 403 Forbidden\r\n\r\n"])
async def test_any_answer_means_somebody_is_there(answer: bytes) -> None:
    """A carrier that refuses strangers is still reachable."""
    carrier = Carrier(answer)
    async with listening(carrier) as address:
        assert await reach(address) == "answers"
    assert carrier.asked[0].startswith(b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n") and b"\r\n\r\n" in carrier.asked[0]


async def test_a_lost_request_is_sent_again() -> None:
    """One lost packet is not an outage."""
    carrier = Carrier(b"SIP/2.0 200 OK\r\n\r\n", ignored=1)
    async with listening(carrier) as address:
        assert await reach(address) == "answers"
    assert len(carrier.asked) == 2 and carrier.asked[0] == carrier.asked[1]


async def test_something_else_on_that_port_is_not_a_carrier() -> None:
    """A machine that answers, but not SIP, counts as silent."""
    carrier = Carrier(b"hello")
    async with listening(carrier) as address:
        assert await reach(address) == "silent"


async def test_a_name_that_does_not_exist_is_called_that() -> None:
    """A typing mistake in SIP_TRUNK_HOSTNAME is told apart from a carrier that is down."""
    assert await reach("no-such-carrier.invalid") == "unknown_name"


@pytest.mark.parametrize(
    ("answer", "reached"), [(b"SIP/2.0 200 OK\r\n\r\n", "answers"), (b"HTTP/1.1 400", "silent"), (b"", "silent")]
)
async def test_a_carrier_that_takes_only_tcp_is_asked_over_tcp(answer: bytes, reached: str) -> None:
    """My trunk says transport: tcp, so that is how it is asked; who answers something else, or hangs up, is no carrier."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await reach(f"127.0.0.1:{port}", "tcp") == reached
    assert b"Via: SIP/2.0/TCP 127.0.0.1:" in asked[0]


async def test_a_port_nobody_listens_on_is_silent() -> None:
    """A refused connection is told as silence at once, also where TLS is wanted."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert await reach(f"127.0.0.1:{port}", "tls") == "silent"


def test_the_monitor_shows_its_findings_and_stops_when_told(tmp_path: Path) -> None:
    """It starts without livekit-server and Redis, says so at /healthz and /metrics, and ends well on SIGTERM."""
    login = {"LIVEKIT_URL": "ws://127.0.0.1:1", "LIVEKIT_API_KEY": "testing", "LIVEKIT_API_SECRET": SECRET}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(PROJECT / "trunk_monitor.py"), "--port", str(port), "--every-s", "60"]
    env = {"PATH": os.environ["PATH"], "LOG_FORMAT": "json", "REDIS_URL": "redis://127.0.0.1:1/0", **login}
    env |= {"AGENTS_DIR": str(PROJECT / "agents"), "PROMPTS_DIR": str(PROJECT / "prompts")}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as monitor:
        assert monitor.stderr is not None
        for line in monitor.stderr:
            if b'"what": "redis"' in line:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            body = json.load(answer)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        monitor.send_signal(signal.SIGTERM)
        monitor.stderr.read()
        assert monitor.wait(10) == 0
    assert [(one["what"], one["ok"]) for one in body["findings"]] == [("livekit_sip_api", False), ("redis", False)]
    assert not body["well"]
    assert 'voicefleet_trunk_ok{trunk="",what="livekit_sip_api"} 0.0' in metrics
