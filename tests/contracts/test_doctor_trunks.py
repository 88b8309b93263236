"""The doctor and what a real livekit-server stores: a rule and a trunk that somebody changed by hand, found and mended."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import api
from typer.testing import CliRunner

from config import Settings
from modules.command_line import app
from modules.setup.places import PROJECT
from modules.sip_management.client import sip_client
from modules.sip_management.shelves import Noun, everything
from tests.trunk_server import KEY, SECRET, trunk_server

pytestmark = pytest.mark.livekit

STORED = ("inbound_numbers", "rules", "closed", "no_duplicates")


@pytest.fixture(scope="module")
def livekit_url(redis_url: str) -> Iterator[str]:
    with trunk_server(redis_url) as url:
        yield url


@pytest.fixture
def env(settings: Settings, livekit_url: str, tmp_path: Path) -> dict[str, str]:
    """A fleet with one Twilio trunk from four values."""
    return {
        "LIVEKIT_URL": livekit_url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET, "REDIS_URL": settings.redis_url,
        "SIP_TRUNK_HOSTNAME": "me.pstn.twilio.com", "SIP_AUTH_USERNAME": "me", "SIP_AUTH_PASSWORD": "very-hidden-7291",
        "SIP_FROM_NUMBER": "+12025550100", "SIP_TRUNKS_FILE": str(tmp_path / "trunks.yaml"), "DATA_DIR": str(tmp_path),
        "AGENTS_DIR": str(PROJECT / "agents"), "PROMPTS_DIR": str(PROJECT / "prompts"), "LIVEKIT_AGENT_NAME": "doctored",
    }  # fmt: skip


async def doctor(env: dict[str, str], *words: str) -> tuple[int, dict[str, str], list[Any]]:
    """Type the command; return its exit code, each check's colour, and what it mended."""
    chosen = [word for name in STORED for word in ("--only", name)]
    result = await asyncio.to_thread(CliRunner().invoke, app, ["doctor", "--json", *chosen, *words], env=env)
    told = json.loads(result.stdout)
    return result.exit_code, {found["name"]: found["colour"] for found in told["checks"]}, told["mended"]


async def test_what_somebody_opened_by_hand_is_found_and_closed_again(
    env: dict[str, str], settings: Settings, livekit_url: str
) -> None:
    """The rule lost its trunks, the trunk its addresses: scanners cost me agents. --fix puts back what the settings say."""
    code, _, mended = await doctor(env, "--fix")
    assert (code, sorted(change["doing"] for change in mended)) == (0, ["create", "create"])
    ours = settings.model_copy(update={"livekit_url": livekit_url, "livekit_api_key": KEY})
    async with sip_client(ours) as lkapi:
        stored = await everything(lkapi)
        [rule], [trunk] = stored[Noun.RULE], stored[Noun.INBOUND]
        assert isinstance(rule, api.SIPDispatchRuleInfo) and isinstance(trunk, api.SIPInboundTrunkInfo)
        del rule.trunk_ids[:]
        await lkapi.sip.update_dispatch_rule(rule.sip_dispatch_rule_id, rule)
        code, found, _ = await doctor(env)
        assert (code, found["closed"]) == (1, "red")
        code, found, mended = await doctor(env, "--fix")
        assert (code, set(found.values())) == (0, {"green"})
        assert [(change["doing"], change["noun"]) for change in mended] == [("update", "dispatch-rule")]
