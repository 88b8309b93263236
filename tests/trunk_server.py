"""A real livekit-server that stores trunks, without livekit-sip and without the rest of the fleet."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
import yaml

from modules.setup import find_livekit_server

KEY, SECRET = "testing", "only-for-tests-0123456789-0123456789-abcdef"


@contextmanager
def trunk_server(redis_url: str) -> Iterator[str]:
    """Start livekit-server on a free port; it keeps trunks and rules in database 1 of that Redis. Yields its http address."""
    program = find_livekit_server()
    if program is None:
        pytest.skip("livekit-server is missing; ./start_scripts/test.sh gets it")
    with socket.socket() as probe, socket.socket() as rtc:
        probe.bind(("127.0.0.1", 0))
        rtc.bind(("127.0.0.1", 0))
        port, rtc_port = probe.getsockname()[1], rtc.getsockname()[1]
    config = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "redis": {"address": urlsplit(redis_url).netloc, "db": 1},
        "rtc": {"node_ip": "127.0.0.1", "use_external_ip": False, "tcp_port": rtc_port, "udp_port": rtc_port},
        "keys": {KEY: SECRET},
        "logging": {"level": "error"},
    }
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([program], env={**os.environ, "LIVEKIT_CONFIG": yaml.safe_dump(config)}) as server:
        deadline_s = time.monotonic() + 30
        while server.poll() is None and time.monotonic() < deadline_s:
            with suppress(OSError), urllib.request.urlopen(url, timeout=1):
                break
        try:
            yield url
        finally:
            server.terminate()
