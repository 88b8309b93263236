"""What every test may ask for: a real Redis of its own run, a store on it, settings that could run a fleet.

A test module says what it needs by `pytestmark`; one that does not is refused at collection.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config import Settings
from modules.call_queue_manager import CallQueue, Records, Store, connect, keys
from modules.setup import find_livekit_sip, find_redis_server

NEEDS = {"unit", "redis", "sql", "livekit", "fleet", "chaos", "browser"}
SECRET = "only-for-tests-0123456789-0123456789-abcdef"

# Modest by default, so that the suite stays quick; HYPOTHESIS_PROFILE=thorough (with --timeout 0) looks fifty times as long.
_SLOW_IS_FINE = [HealthCheck.too_slow]
hypothesis_settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=_SLOW_IS_FINE)
hypothesis_settings.register_profile("thorough", max_examples=3000, deadline=None, suppress_health_check=_SLOW_IS_FINE)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def _no_real_sip() -> str:
    """Why tests/sip cannot be run on this machine; "" where it can."""
    if find_livekit_sip() is None:
        return "tests/sip is left out: set LIVEKIT_SIP_BIN to a livekit-sip 1.9 or newer"
    return "" if shutil.which("sipp") else "tests/sip is left out: sipp is not on PATH (Debian's package sip-tester)"


def pytest_report_header() -> str:
    return _no_real_sip() or "tests/sip runs over the livekit-sip that LIVEKIT_SIP_BIN names"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.is_relative_to(Path(__file__).parent / "sip") and _no_real_sip() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    undeclared = sorted({item.path.name for item in items if not NEEDS & {mark.name for mark in item.iter_markers()}})
    if undeclared:
        raise pytest.UsageError(f"say what these need with pytestmark = pytest.mark.<{'|'.join(sorted(NEEDS))}>: {undeclared}")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real redis-server, durable as in production, gone after the run."""
    program = find_redis_server()
    if program is None:
        pytest.skip("redis-server is missing; ./start_scripts/test.sh gets it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="voicefleet-redis-") as folder:
        command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        server = subprocess.Popen([*command, "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL)
        try:
            asyncio.run(_answers(port))
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


async def _answers(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    """An empty Redis. Fails the test if it leaves a key that would live for ever."""
    store = await connect(redis_url, blocking_s=1)
    await store.client.flushall()
    yield store
    immortal = [key async for key in store.client.scan_iter() if await store.client.ttl(key) == -1]
    live = [key for key in immortal if key != keys.DO_NOT_CALL and await store.client.type(key) != "zset"]
    await store.close()
    assert not live, f"keys without an end: {live}"


@pytest.fixture
def queue(store: Store) -> CallQueue:
    return CallQueue(store, lease_s=7, retention_s=3600)


@pytest.fixture
def records(store: Store) -> Records:
    return Records(store, lease_s=7, retention_s=3600)


@pytest.fixture
def settings(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a fleet whose files live in the test's own folder; the machine's own .env has no say."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    return Settings(
        livekit_api_key="testing",
        livekit_api_secret=SECRET,  # type: ignore[arg-type]  # pydantic makes it secret
        redis_url=redis_url,
        database_url=f"sqlite:///{tmp_path}/history.db",
        data_dir=tmp_path / "data",
        logs_dir=tmp_path / "logs",
        sip_trunks_file=tmp_path / "trunks.yaml",
    )


@pytest.fixture
def wait_until() -> Callable[[Callable[[], Awaitable[bool]], float], Awaitable[None]]:
    """Wait for something to become true; the test fails if it does not in time."""

    async def waiting(true: Callable[[], Awaitable[bool]], within_s: float = 10) -> None:
        async with asyncio.timeout(within_s):
            while not await true():  # noqa: ASYNC110 - what is waited for lives in another process
                await asyncio.sleep(0.02)

    return waiting
