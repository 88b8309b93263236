"""Trunks and rules as the real livekit-server stores them: made once, corrected when changed, never doubled."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml
from livekit import api
from livekit.protocol.sip import ListSIPOutboundTrunkRequest

from config import Settings
from modules.setup import find_livekit_server
from modules.setup.places import PROJECT
from modules.sip_management.ensure import PREFIX, dispatch_rules, drift, ensure, inbound_trunks, outbound_trunks
from modules.sip_management.findings import look, wanted_outbound

pytestmark = pytest.mark.livekit

KEY, SECRET = "testing", "only-for-tests-0123456789-0123456789-abcdef"
CARRIER = {"address": "example.invalid", "numbers": ["+12025550100"], "auth_username": "me", "auth_password": "hidden"}


@pytest.fixture(scope="module")
def livekit_url(redis_url: str) -> Iterator[str]:
    """A real livekit-server that keeps its trunks in this run's Redis."""
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
        "redis": {"address": urlsplit(redis_url).netloc},
        "rtc": {"node_ip": "127.0.0.1", "use_external_ip": False, "tcp_port": rtc_port, "udp_port": rtc_port},
        "keys": {KEY: SECRET},
        "logging": {"level": "warn"},
    }
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([program], env={**os.environ, "LIVEKIT_CONFIG": yaml.safe_dump(config)}) as server:
        deadline_s = time.monotonic() + 30
        while server.poll() is None and time.monotonic() < deadline_s:
            with suppress(OSError), urllib.request.urlopen(url, timeout=1):
                break
        yield url
        server.terminate()


@pytest.fixture
async def lkapi(livekit_url: str) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(livekit_url, KEY, SECRET) as client:
        yield client


@pytest.fixture
def key() -> str:
    return f"test-{uuid4().hex}"


def with_carrier(settings: Settings, livekit_url: str, **changes: str) -> Settings:
    values = {"livekit_url": livekit_url, "sip_trunk_hostname": "carrier.invalid", "sip_from_number": "+12025550100"}
    return settings.model_copy(update=values | changes)


async def test_a_trunk_is_made_once(lkapi: api.LiveKitAPI, key: str) -> None:
    """Running it again finds everything in order and changes nothing."""
    shelf, wanted = outbound_trunks(lkapi), api.SIPOutboundTrunkInfo(**CARRIER)  # type: ignore[arg-type]
    first = await ensure(shelf, key, wanted)
    again = await ensure(shelf, key, wanted)
    assert (first.did, again.did) == ("created", "kept")
    assert first.id == again.id and again.extra_ids == ()


async def test_a_changed_wish_replaces_the_trunk_under_the_same_id(lkapi: api.LiveKitAPI, key: str) -> None:
    """I change the password or drop the user name, and callers keep using the same trunk."""
    shelf = outbound_trunks(lkapi)
    made = await ensure(shelf, key, api.SIPOutboundTrunkInfo(**CARRIER))  # type: ignore[arg-type]
    wanted = api.SIPOutboundTrunkInfo(address="example.invalid", numbers=["+12025550101"])
    done = await ensure(shelf, key, wanted)
    assert (done.did, done.id) == ("updated", made.id)
    stored = (await lkapi.sip.list_outbound_trunk(ListSIPOutboundTrunkRequest(trunk_ids=[made.id]))).items[0]
    assert list(stored.numbers) == ["+12025550101"]
    assert stored.auth_username == "", "what is no longer wished is gone"


async def test_a_change_by_somebody_else_is_seen_and_undone(lkapi: api.LiveKitAPI, key: str) -> None:
    """Someone edited the trunk with another tool: I am told which field, never its value, and one run puts it right."""
    shelf, wanted = outbound_trunks(lkapi), api.SIPOutboundTrunkInfo(**CARRIER)  # type: ignore[arg-type]
    made = await ensure(shelf, key, wanted)
    await lkapi.sip.update_outbound_trunk_fields(made.id, auth_password="guessed")
    assert await drift(shelf, key, wanted) == ["auth_password"]
    assert (await ensure(shelf, key, wanted)).did == "updated"
    assert await drift(shelf, key, wanted) == []


async def test_doubles_are_reported_and_ours_is_used(lkapi: api.LiveKitAPI, key: str) -> None:
    """Two trunks of my name: the one we made goes on, the other is named to me, and neither is deleted."""
    shelf, wanted = outbound_trunks(lkapi), api.SIPOutboundTrunkInfo(**CARRIER)  # type: ignore[arg-type]
    made = await ensure(shelf, key, wanted)
    double = api.SIPOutboundTrunkInfo(name=f"{PREFIX}{key}", **CARRIER)  # type: ignore[arg-type]
    other = await lkapi.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=double))
    assert not other.HasField("created_at"), "this server has no times; ours is told by its metadata"
    done = await ensure(shelf, key, wanted)
    assert (done.did, done.id, done.extra_ids) == ("kept", made.id, (other.sip_trunk_id,))


async def test_inbound_trunk_and_rule_are_made_once(lkapi: api.LiveKitAPI, key: str) -> None:
    """The way in is stored as wished, and a second run keeps it."""
    number = f"+1202555{int(uuid4().hex[:6], 16) % 10000:04}"
    trunk = api.SIPInboundTrunkInfo(numbers=[number], allowed_addresses=["192.0.2.0/24"])
    inbound = await ensure(inbound_trunks(lkapi), key, trunk)
    individual = api.SIPDispatchRuleIndividual(room_prefix="inbound")
    rule = api.SIPDispatchRuleInfo(
        rule=api.SIPDispatchRule(dispatch_rule_individual=individual),
        trunk_ids=[inbound.id],
        numbers=[number],
        room_config=api.RoomConfiguration(agents=[api.RoomAgentDispatch(agent_name="voicefleet")]),
    )
    made = await ensure(dispatch_rules(lkapi), key, rule)
    assert (inbound.did, made.did) == ("created", "created")
    assert (await ensure(inbound_trunks(lkapi), key, trunk)).did == "kept"
    assert (await ensure(dispatch_rules(lkapi), key, rule)).did == "kept"


@pytest.mark.parametrize("trunk_ids", [[], [""]])
async def test_a_rule_that_lets_anybody_in_is_refused(lkapi: api.LiveKitAPI, key: str, trunk_ids: list[str]) -> None:
    """Without trunk_ids a stranger's call would be answered; such a rule is never stored."""
    rule = api.SIPDispatchRuleInfo(
        rule=api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix="x")), trunk_ids=trunk_ids
    )
    with pytest.raises(ValueError, match="trunk_ids"):
        await ensure(dispatch_rules(lkapi), key, rule)
    assert await drift(dispatch_rules(lkapi), key, rule) is None


async def test_findings_name_what_is_wrong(settings: Settings, livekit_url: str, lkapi: api.LiveKitAPI) -> None:
    """A trunk id that livekit-server does not know, and a carrier that does not answer, are told apart."""

    async def silent(_: str) -> Literal["silent"]:
        return "silent"

    mine = with_carrier(settings, livekit_url)
    assert [(one.what, one.ok) for one in await look(mine, lkapi, silent)] == [("livekit_sip_api", True), ("carrier", False)]
    typo = with_carrier(settings, livekit_url, sip_outbound_trunk_id="ST_typo")
    wrong = [one for one in await look(typo, lkapi, silent) if not one.ok]
    assert [one.what for one in wrong] == ["stored_trunk", "carrier"] and "ST_typo" in wrong[0].detail
    async with api.LiveKitAPI("http://127.0.0.1:1", KEY, SECRET) as nobody:
        found = await look(mine, nobody, silent)
    assert found[0].what == "livekit_sip_api" and not found[0].ok


def run_init(folder: Path, livekit_url: str, *args: str, **env: str) -> "subprocess.CompletedProcess[str]":
    surroundings = {"PATH": os.environ["PATH"], "LIVEKIT_URL": livekit_url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
    command: list[str | Path] = [sys.executable, PROJECT / "sip_trunk_init.py", *args]
    done = subprocess.run(
        command, cwd=folder, env={**surroundings, "LOG_FORMAT": "json", **env}, capture_output=True, text=True, check=False
    )
    return done


async def test_the_one_shot_stores_the_trunk_once(tmp_path: Path, livekit_url: str, lkapi: api.LiveKitAPI) -> None:
    """I run it twice: created, then kept; the password is in no log line."""
    env = {"SIP_TRUNK_HOSTNAME": "example.invalid", "SIP_FROM_NUMBER": "+12025550100"}
    secret = {"SIP_AUTH_USERNAME": "me", "SIP_AUTH_PASSWORD": "very-hidden"}
    first, again = (run_init(tmp_path, livekit_url, "--store", **env, **secret) for _ in range(2))
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert '"did": "created"' in first.stderr + first.stdout and '"did": "kept"' in again.stderr + again.stdout
    assert "very-hidden" not in first.stderr + first.stdout
    settings = Settings(livekit_api_key=KEY, livekit_api_secret=SECRET, **env, **secret)  # type: ignore[arg-type]
    wanted = wanted_outbound(settings)
    assert wanted is not None and await drift(outbound_trunks(lkapi), "outbound", wanted) is not None


def test_the_one_shot_has_nothing_to_do_by_default(tmp_path: Path) -> None:
    """Without a carrier it says so and ends well, even when livekit-server is away."""
    done = run_init(tmp_path, "ws://127.0.0.1:1")
    assert done.returncode == 0
    assert "only simulated calls" in done.stderr + done.stdout


def test_the_one_shot_says_when_livekit_server_is_away(tmp_path: Path) -> None:
    """With a carrier configured and no livekit-server I get a line with what to check."""
    done = run_init(tmp_path, "ws://127.0.0.1:1", "--store", SIP_TRUNK_HOSTNAME="example.invalid", SIP_FROM_NUMBER="+12025550100")
    assert done.returncode == 1
    assert "LIVEKIT_URL" in done.stderr + done.stdout and "Traceback" not in done.stderr
