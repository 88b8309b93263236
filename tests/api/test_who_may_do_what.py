"""Keys, scopes, the browser's cookie: every route is closed until a key with the right scope opens it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from modules.api_server.guard import PUBLIC
from modules.api_server.session import COOKIE, LASTS
from modules.call_queue_manager import Store
from tests.api.conftest import KEY, NUMBER, client

pytestmark = pytest.mark.redis

SCOPES = {
    ("POST", "/api/outbound-call"): "calls:write",
    ("POST", "/api/phone/call"): "calls:write",
    ("POST", "/v1/calls"): "calls:write",
    ("POST", "/api/voice-pipeline"): "calls:write",
    ("GET", "/v1/calls"): "calls:read",
    ("GET", "/v1/calls/{call_id}"): "calls:read",
    ("POST", "/v1/calls/{call_id}/cancel"): "calls:write",
    ("GET", "/v1/calls/{call_id}/transcript"): "calls:read",
    ("GET", "/v1/calls/{call_id}/events"): "calls:read",
    ("GET", "/v1/events"): "calls:read",
    ("GET", "/v1/personalities"): "calls:read",
    ("GET", "/v1/personalities/{personality_id}"): "calls:read",
    ("POST", "/v1/personalities/{personality_id}/validate"): "calls:read",
    ("PUT", "/v1/personalities/{personality_id}"): "personalities:write",
    ("DELETE", "/v1/personalities/{personality_id}"): "personalities:write",
    ("PUT", "/v1/prompts/{key}"): "personalities:write",
    ("DELETE", "/v1/prompts/{key}"): "personalities:write",
    ("GET", "/v1/prompts"): "calls:read",
    ("GET", "/v1/prompts/{key}"): "calls:read",
    ("GET", "/v1/stats"): "calls:read",
    ("GET", "/v1/trunks"): "calls:read",
    ("GET", "/v1/queue"): "calls:read",
    ("POST", "/v1/queue/pause"): "admin",
    ("POST", "/v1/queue/resume"): "admin",
    ("GET", "/v1/do-not-call"): "calls:read",
    ("PUT", "/v1/do-not-call/{number}"): "calls:write",
    ("DELETE", "/v1/do-not-call/{number}"): "admin",
    ("POST", "/v1/keys"): "admin",
    ("GET", "/v1/keys"): "admin",
    ("DELETE", "/v1/keys/{key_id}"): "admin",
}
OPEN = {"/", "/docs", "/openapi.json", "/health", "/livez", "/readyz", "/metrics", "/sign-in", "/api/phone/health"}
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """Return every (method, path) that any route of the application answers, documented or not."""
    found: set[tuple[str, str]] = set()
    waiting: list[Any] = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting += inner.routes
        elif getattr(route, "methods", None):
            found |= {(method, route.path) for method in route.methods if method not in ("HEAD", "OPTIONS")}
        else:
            assert route.path == "/web", f"an unknown kind of route: {route}"
    return found


async def made(api: httpx2.AsyncClient, *scopes: str, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/v1/keys", json={"name": "a test", "scopes": scopes} | fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def filled(path: str) -> str:
    return path.format(call_id="outbound-nobody", key_id="key_nobody", personality_id="nobody", key="nothing", number=NUMBER)


async def test_without_a_key_only_the_named_addresses_answer(app: FastAPI, stranger: httpx2.AsyncClient) -> None:
    """A stranger finds every door closed, also those that do not exist yet."""
    assert PUBLIC == OPEN
    closed = [(method, path) for method, path in routes(app) if path not in OPEN]
    assert set(closed) == set(SCOPES) | {("POST", "/sign-out"), ("POST", "/api/webhook")}, "a new route: say here what it needs"
    for method, path in [*closed, ("GET", "/v1/nothing"), ("POST", "//v1/calls"), ("GET", "/v1/calls/")]:
        answer = await stranger.request(method, filled(path), json={"to_number": NUMBER})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for path in OPEN - {"/sign-in"}:
        assert (await stranger.get(path)).status_code in (200, 503), path


async def test_a_key_opens_exactly_what_its_scopes_say(app: FastAPI, api: httpx2.AsyncClient) -> None:
    """I give a program a key that may only read, and it can do nothing else."""
    scopes = ["calls:read", "calls:write", "personalities:write", "recordings:read", "admin"]
    keys = {scope: (await made(api, scope))["key"] for scope in scopes}
    for (method, path), needed in SCOPES.items():
        for scope, key in keys.items():
            if path.endswith("/events") and scope in (needed, "admin"):
                continue  # an open stream does not end; test_following_a_call.py reads them
            async with client(app, {"Authorization": f"Bearer {key}"}) as caller:
                answer = await caller.request(method, filled(path), json={} if method == "POST" else None)
            refused = answer.status_code == 403 and answer.json()["code"] == "forbidden"
            assert refused is (scope not in (needed, "admin")), (method, path, scope, answer.text)


async def test_wrong_expired_and_revoked_keys_open_nothing(app: FastAPI, api: httpx2.AsyncClient) -> None:
    """I revoke a key and the next request with it is refused."""
    good = await made(api, "calls:read")
    async with client(app, {"X-API-Key": good["key"]}) as caller:
        assert (await caller.get("/v1/queue")).status_code == 200
        assert (await api.delete(f"/v1/keys/{good['id']}")).json()["usable"] is False
        assert (await caller.get("/v1/queue")).status_code == 401
    for wrong in (KEY + "x", KEY[:-1], good["key"][:-1], "vf_00000000_" + "a" * 43, "x" * 10_000, "\u00e4", " "):
        async with client(app, {}) as caller:
            answer = await caller.get("/v1/queue", headers=[(b"x-api-key", wrong.encode())])
        assert answer.status_code == 401, wrong
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    refused = await api.post("/v1/keys", json={"name": "late", "scopes": ["calls:read"], "expires_at": past})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "expires_at")


async def test_a_key_is_shown_once_and_stored_nowhere(app: FastAPI, api: httpx2.AsyncClient, store: Store) -> None:
    """Whoever steals the database has no key."""
    key = (await made(api, "admin"))["key"]
    await api.post("/v1/calls", json={"to_number": NUMBER}, headers={"X-API-Key": key})
    assert key not in (await api.get("/v1/keys")).text
    database = app.state.parts.settings.database_url.removeprefix("sqlite:///")
    kept = await _everything_in(store) + _bytes_of(database) + _bytes_of(f"{database}-wal")
    assert NUMBER in kept
    assert key not in kept and key.split("_", 2)[2] not in kept and KEY not in kept


def _bytes_of(name: str) -> str:
    return Path(name).read_bytes().decode("latin-1")


async def _everything_in(store: Store) -> str:
    found: list[Any] = []
    async for name in store.client.scan_iter():
        match await store.client.type(name):
            case "hash":
                found.append((name, await store.client.hgetall(name)))
            case "stream":
                found.append((name, await store.client.xrange(name)))
            case _:
                found.append(name)
    return str(found)


async def test_signing_in_swaps_the_key_for_a_cookie(app: FastAPI, stranger: httpx2.AsyncClient) -> None:
    """I sign in on the page once; my browser then asks without the key, and signing out ends it."""
    wrong = await stranger.post("/sign-in", data={"key": "nonsense"}, headers=SAME_SITE)
    assert (wrong.status_code, wrong.headers["content-type"]) == (401, "application/problem+json")
    answer = await stranger.post("/sign-in", data={"key": KEY}, headers=SAME_SITE)
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 204 and KEY not in cookie
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert (await stranger.get("/v1/queue")).status_code == 200
    assert (await stranger.post("/v1/calls", json={"to_number": NUMBER}, headers=SAME_SITE)).status_code == 202
    assert (await stranger.post("/sign-out", headers=SAME_SITE)).status_code == 204
    assert (await stranger.get("/v1/queue")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://voicefleet.test"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_other_sites_cannot_use_a_signed_in_browser(
    app: FastAPI, stranger: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    """I am signed in and open a bad page; it cannot call anybody for me."""
    await stranger.post("/sign-in", data={"key": KEY}, headers=SAME_SITE)
    for path in ("/v1/calls", "/v1/queue/pause", "/sign-out"):
        answer = await stranger.post(path, json={"to_number": NUMBER}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site"), path
    assert (await stranger.get("/v1/queue")).json() == {"ready": 0, "scheduled": 0, "held": 0, "paused": False}


async def test_another_site_cannot_sign_a_browser_in(stranger: httpx2.AsyncClient) -> None:
    """A bad page cannot make me work in its account."""
    answer = await stranger.post("/sign-in", data={"key": KEY}, headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


async def test_forged_and_old_cookies_are_worth_nothing(app: FastAPI, api: httpx2.AsyncClient) -> None:
    """A cookie is bound to its key and its time."""
    sessions = app.state.sessions
    made_key = await made(api, "calls:read")
    now = datetime.now(UTC)
    principal = await app.state.ring.check(made_key["key"], now)
    good = sessions.sign(principal, now)
    version, key_id, until, mac = good.split(".")
    forged = [f"{version}.first.{until}.{mac}", f"{version}.{key_id}.{int(until) + 9}.{mac}", good[:-1], "", "...", "ä.b.c.d"]
    for cookie in forged:
        assert await sessions.read(cookie, now) is None, cookie
    assert await sessions.read(good, now + LASTS) is None
    assert (await sessions.read(good, now)).by_cookie
    await api.delete(f"/v1/keys/{made_key['id']}")
    assert await sessions.read(good, now) is None
    async with client(app, {"Cookie": f"{COOKIE}={good}"}) as caller:
        assert (await caller.get("/v1/queue")).status_code == 401
