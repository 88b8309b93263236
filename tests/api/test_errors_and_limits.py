"""Errors have one shape, bodies have a limit, and a missing part is named while everything else goes on."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from config import Settings
from modules.api_server import create_app
from modules.api_server.body_cap import BodyCap
from modules.api_server.openapi import Problem
from modules.api_server.problems import MEDIA_TYPE, answer, catalogue
from modules.call_queue_manager import CallQueue, Store
from modules.calls.errors import VoicefleetError
from modules.setup import find_redis_server
from tests.api.conftest import KEY, NUMBER, client, free_port, process

pytestmark = pytest.mark.redis


def kinds(kind: type[VoicefleetError] = VoicefleetError) -> list[type[VoicefleetError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in kinds(child))]


async def test_every_error_is_a_problem_with_its_own_paragraph(stranger: httpx2.AsyncClient) -> None:
    """Whatever goes wrong, my program reads the same fields, and the type leads me to an explanation."""
    docs = (await stranger.get("/docs")).text
    codes: dict[str, type[VoicefleetError]] = {}
    for kind in kinds():
        error = kind("refusal", "Because.") if kind.__name__ == "GateRefused" else kind("Because.")  # type: ignore[call-arg]
        response = answer(error)
        problem = json.loads(bytes(response.body))
        assert Problem.model_validate(problem).detail == "Because."
        assert (response.media_type, response.status_code, problem["status"]) == (MEDIA_TYPE, kind.status, kind.status)
        assert f'id="{problem["type"].removeprefix("/docs#")}"' in docs, kind
        assert issubclass(kind, codes.setdefault(kind.code, kind)), "two errors with one code"
    assert set(codes) == set(catalogue())


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/v1/nothing", 404, "not_found"), ("PUT", "/v1/calls", 405, "method_not_allowed"),
     ("GET", "/web/no", 404, "not_found"),
     ("GET", "/v1/calls?limit=0", 422, "bad_request"), ("GET", "/v1/calls?cursor=abc", 422, "invalid_field"),
     ("GET", "/v1/calls?to_number=12", 422, "invalid_number"), ("GET", "/web/../app.py", 404, "not_found"),
     ("GET", "/web/%2e%2e/app.py", 404, "not_found")],
)  # fmt: skip
async def test_the_frameworks_own_errors_are_problems_too(
    api: httpx2.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """I mistype an address and still get the usual answer."""
    found = await api.request(method, path)
    assert (found.status_code, found.json()["code"]) == (status, code)
    assert found.headers["content-type"] == MEDIA_TYPE
    if status == 405:
        assert "POST" in found.headers["allow"]


async def test_a_fault_of_ours_says_nothing_about_our_insides(api_settings: Settings) -> None:
    """Something breaks inside; I get a 500 without its details."""
    app = create_app(api_settings)

    @app.get("/livez/broken")
    async def broken() -> None:
        raise RuntimeError("secret detail")

    async with client(app, {"X-API-Key": KEY}) as caller:
        found = await caller.get("/livez/broken")
    assert (found.status_code, found.json()["code"]) == (500, "internal")
    assert "secret" not in found.text and "Traceback" not in found.text


async def test_too_large_bodies_are_refused_whatever_they_claim(api: httpx2.AsyncClient, queue: CallQueue) -> None:
    """Somebody sends a gigabyte in pieces; it is refused after the first megabyte."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1024):
            sent += 1_048_576
            yield b" " * 1_048_576

    for body in (b" " * 1_048_577, endless()):
        found = await api.post("/v1/calls", content=body)
        assert (found.status_code, found.json()["code"]) == (413, "body_too_large")
    lying = await api.post("/v1/calls", content=b"{}", headers={"Content-Length": "9" * 30})
    assert lying.status_code == 413
    assert sent < 5_000_000
    assert (await queue.waiting())["ready"] == 0


async def test_a_body_that_never_comes_is_not_waited_for() -> None:
    """Somebody opens a request and sends one byte a minute."""
    answered: list[int] = []

    async def never() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            answered.append(int(str(message["status"])))

    async def app(*_: object) -> None:
        raise AssertionError("the application must not see it")

    capped = BodyCap(app, limit_bytes=100, within_s=0.05)
    await capped({"type": "http", "method": "POST", "headers": []}, never, send)  # type: ignore[arg-type]
    assert answered == [408]


async def test_every_answer_carries_the_security_headers(api: httpx2.AsyncClient, stranger: httpx2.AsyncClient) -> None:
    """A browser runs nothing but our own files, also on an error page."""
    for found in (await stranger.get("/"), await stranger.get("/v1/calls"), await api.get("/v1/nothing"), await api.get("/docs")):
        policy = found.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert found.headers["x-content-type-options"] == "nosniff"


async def test_logs_hold_no_number_no_key_and_no_words(api_settings: Settings, store: Store) -> None:
    """I can hand my logs to anybody."""
    async with process(api_settings.model_copy(update={"log_level": "DEBUG"})) as running:
        async with httpx2.AsyncClient(base_url=running.url, headers={"X-API-Key": KEY}, trust_env=False) as http:
            body = {"to_number": NUMBER, "llm_prompt": "sing the canary song", "caller_name": "Quentin Canary"}
            assert (await http.post("/v1/calls", json=body)).status_code == 202
            await http.get("/v1/calls", params={"q": "sing the canary", "to_number": NUMBER})
            await http.get(f"/{NUMBER}")
            await http.post("/v1/calls", json={"to_number": NUMBER + "000000000000000", KEY: 1})
            await http.post("/sign-in", data={"key": KEY}, headers={"Sec-Fetch-Site": "same-origin"})
        assert await running.leave() == 0
    log = running.log.read_text()
    assert '"route": "/v1/calls"' in log
    for private in (NUMBER, NUMBER[1:], KEY, "canary", "Canary"):
        assert private not in log


async def test_sigterm_ends_open_streams_and_leaves_with_0(api_settings: Settings, store: Store) -> None:
    """I restart the API while dashboards are open and it does not hang."""
    async with process(api_settings) as running, httpx2.AsyncClient(base_url=running.url, trust_env=False) as http:
        async with http.stream("GET", "/v1/events", headers={"X-API-Key": KEY}, timeout=20) as stream:
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith(":")
            leaving = asyncio.create_task(running.leave())
            assert [line async for line in lines if line.startswith("data")] == []
        assert await leaving == 0


class Redis:
    """A redis-server of one test, to be stopped and started."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._server = subprocess.Popen([*self._command, "--appendonly", "yes"], stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._server:
            self._server.kill()
            self._server.wait(10)
            self._server = None

    def freeze(self) -> None:
        assert self._server
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._server
        self._server.send_signal(signal.SIGCONT)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    program = find_redis_server()
    assert program
    server = Redis(str(program), tmp_path)
    yield server
    server.stop()


async def test_the_api_starts_without_redis_and_goes_on_when_it_comes(api_settings: Settings, own_redis: Redis) -> None:
    """I start things in the wrong order, and it sorts itself out."""
    settings = api_settings.model_copy(update={"redis_url": own_redis.url})
    app = create_app(settings)
    async with app.router.lifespan_context(app), client(app, {"X-API-Key": KEY}) as caller:
        await expect_down(caller)
        own_redis.start()
        await until_ready(caller)
        first = await caller.post("/v1/calls", json={"to_number": NUMBER})
        assert first.status_code == 202
        health = (await caller.get("/health")).json()["services"]
        assert (health["redis"]["status"], health["redis"]["durable"]) == ("up", True)
        own_redis.stop()
        await expect_down(caller)
        own_redis.start()
        await until_ready(caller)
        assert (await caller.get(f"/v1/calls/{first.json()['call_id']}")).json()["state"] == "queued"
        assert (await caller.get("/v1/queue")).json()["ready"] == 1


async def test_what_a_frozen_redis_did_not_accept_is_never_dialled_later(api_settings: Settings, own_redis: Redis) -> None:
    """Redis hangs while I place a call; I am told 503, and when Redis wakes up the call is not there."""
    own_redis.start()
    app = create_app(api_settings.model_copy(update={"redis_url": own_redis.url}))
    async with app.router.lifespan_context(app), client(app, {"X-API-Key": KEY}) as caller:
        await until_ready(caller)
        own_redis.freeze()
        refused = await caller.post("/v1/calls", json={"to_number": NUMBER}, headers={"Idempotency-Key": "k"}, timeout=30)
        own_redis.thaw()
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        await until_ready(caller)
        assert (await caller.get("/v1/queue")).json()["ready"] == 0
        again = await caller.post("/v1/calls", json={"to_number": NUMBER}, headers={"Idempotency-Key": "k"})
        assert (again.status_code, (await caller.get("/v1/queue")).json()["ready"]) == (202, 1)


async def expect_down(caller: httpx2.AsyncClient) -> None:
    """Everything that needs Redis says 503, and the rest answers."""
    for method, path in [("POST", "/v1/calls"), ("GET", "/v1/queue"), ("GET", "/v1/events"), ("GET", "/v1/calls/outbound-x")]:
        found = await caller.request(method, path, json={"to_number": NUMBER} if method == "POST" else None)
        assert (found.status_code, found.json()["code"]) == (503, "unavailable"), path
        assert found.headers["retry-after"]
    assert (await caller.get("/livez")).status_code == 200
    assert (await caller.get("/readyz")).status_code == 503
    services = (await caller.get("/readyz")).json()["services"]
    assert {name: found["status"] for name, found in services.items()} == {"redis": "down", "database": "up"}
    assert re.search(r"^voicefleet_redis_up 0", (await caller.get("/metrics")).text, re.MULTILINE)


async def until_ready(caller: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while (await caller.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - it recovers by itself, unannounced
            await asyncio.sleep(0.05)


async def test_health_names_every_part(app: FastAPI, stranger: httpx2.AsyncClient) -> None:
    """One look tells me what is missing."""
    found = await stranger.get("/health")
    services = found.json()["services"]
    assert (found.status_code, found.json()["status"]) == (503, "degraded")
    assert set(services) == {"redis", "database", "livekit", "workers", "personalities", "sip_trunk_simulated"}
    assert {name for name, service in services.items() if service["status"] == "up"} == {"redis", "database"}
    assert all(service.get("reason") for service in services.values() if service["status"] == "down")


async def test_calls_are_accepted_only_onto_disk(api: httpx2.AsyncClient, store: Store) -> None:
    """Somebody restarts Redis without its settings; the next call is still on disk when it is accepted."""
    try:
        await store.client.config_set("appendfsync", "no")
        assert (await api.post("/v1/calls", json={"to_number": NUMBER})).status_code == 202
        assert (await store.client.config_get("appendfsync")) == {"appendfsync": "always"}
    finally:
        await store.client.config_set("appendfsync", "always")
