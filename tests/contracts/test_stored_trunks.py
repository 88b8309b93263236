"""Trunks and rules as the real livekit-server stores them: made once, corrected where they differ, and nobody else's touched."""

import asyncio
import json
import logging
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from livekit import api
from livekit.protocol.sip import ListSIPInboundTrunkRequest
from typer.testing import CliRunner, Result

from config import Settings
from modules.call_queue_manager import Store
from modules.command_line import app
from modules.setup.places import PROJECT
from modules.sip_management.client import sip_client
from modules.sip_management.ensure import delete, dry_run, ensure
from modules.sip_management.findings import look
from modules.sip_management.inbound import ensure_inbound
from modules.sip_management.plan import Change, Wish
from modules.sip_management.reach import Reach
from modules.sip_management.shelves import Noun, Thing, everything, id_of, shelves
from modules.sip_management.wanted import wanted
from tests.sip_carrier import Carrier, listening
from tests.trunk_server import KEY, SECRET, trunk_server

pytestmark = pytest.mark.livekit

PASSWORD = "very-hidden-7291"
LISTED = "+12025550123"


@pytest.fixture(scope="module")
def livekit_url(redis_url: str) -> Iterator[str]:
    with trunk_server(redis_url) as url:
        yield url


@pytest.fixture
def fleet() -> str:
    """A fleet of this test's own, so that what other tests store is foreign to it."""
    return f"fleet-{uuid4().hex[:8]}"


@pytest.fixture
def mine(settings: Settings, livekit_url: str, fleet: str, tmp_path: Path) -> Settings:
    """A Twilio trunk from four values, and room for a trunks.yaml."""
    values = {
        "livekit_url": livekit_url, "livekit_agent_name": fleet, "sip_trunk_hostname": "me.pstn.twilio.com",
        "sip_auth_username": "me", "sip_from_number": "+12025550100", "sip_trunks_file": tmp_path / "trunks.yaml",
    }  # fmt: skip
    return Settings(**(settings.model_dump() | values | {"sip_auth_password": PASSWORD}))


@pytest.fixture
async def lkapi(mine: Settings) -> AsyncIterator[api.LiveKitAPI]:
    """livekit-server's SIP API, with nothing stored."""
    async with sip_client(mine) as client:
        for noun, things in (await everything(client)).items():
            for thing in things:
                await shelves(client)[noun].delete(id_of(noun, thing))
        yield client


def did(changes: list[Change]) -> list[str]:
    return [f"{change.doing} {change.noun}" for change in changes]


async def apply(lkapi: api.LiveKitAPI, store: Store, settings: Settings, *numbers: str, outbound: bool = False) -> list[Change]:
    wishes = wanted(settings, numbers, store_outbound=outbound).wishes
    return await ensure(lkapi, store, wishes, settings.livekit_agent_name)


async def the_only(lkapi: api.LiveKitAPI, noun: Noun) -> Thing:
    [thing] = (await everything(lkapi))[noun]
    return thing


async def test_ten_at_once_make_one_trunk_and_one_rule(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Ten machines start at the same moment: the first makes both, the others find them, nothing is doubled."""
    runs = await asyncio.gather(*(apply(lkapi, store, mine, LISTED) for _ in range(10)))
    assert sorted(did(run)[0] for run in runs) == ["create inbound-trunk", *["keep inbound-trunk"] * 9]
    trunk, rule = await the_only(lkapi, Noun.INBOUND), await the_only(lkapi, Noun.RULE)
    assert isinstance(trunk, api.SIPInboundTrunkInfo) and isinstance(rule, api.SIPDispatchRuleInfo)
    assert list(rule.trunk_ids) == [trunk.sip_trunk_id]


async def test_a_caller_gets_a_room_and_an_agent_and_strangers_nothing(
    lkapi: api.LiveKitAPI, store: Store, mine: Settings, fleet: str
) -> None:
    """Only the carrier's networks may call our numbers; the rule names our agents, and its trunk, and no stranger's."""
    await apply(lkapi, store, mine, LISTED)
    trunk, rule = await the_only(lkapi, Noun.INBOUND), await the_only(lkapi, Noun.RULE)
    assert isinstance(trunk, api.SIPInboundTrunkInfo) and isinstance(rule, api.SIPDispatchRuleInfo)
    assert trunk.name == f"{fleet}-inbound-default" and list(trunk.numbers) == ["+12025550100", LISTED]
    assert "54.172.60.0/30" in trunk.allowed_addresses and len(trunk.allowed_addresses) == 8
    assert not trunk.auth_username, "Twilio cannot answer when it is asked for a password"
    agent = rule.room_config.agents[0]
    assert (agent.agent_name, json.loads(agent.metadata)) == (fleet, {"direction": "inbound"})
    assert rule.rule.dispatch_rule_individual.room_prefix == "inbound-" and not rule.hide_phone_number
    assert not rule.numbers and not rule.inbound_numbers


async def test_exactly_the_difference_is_written(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """I add a second carrier to trunks.yaml: one trunk more, the rule learns its id, the first trunk is not written again."""
    await apply(lkapi, store, mine, LISTED)
    before = await the_only(lkapi, Noun.INBOUND)
    mine.sip_trunks_file.write_text('trunks: {berlin: {hostname: sip.telnyx.eu, inbound: {numbers: ["+493012345678"]}}}')
    preview = await dry_run(lkapi, wanted(mine, [LISTED]).wishes, mine.livekit_agent_name)
    assert before == await the_only(lkapi, Noun.INBOUND), "a preview changes nothing"
    changes = await apply(lkapi, store, mine, LISTED)
    assert did(preview) == did(changes) == ["keep inbound-trunk", "create inbound-trunk", "update dispatch-rule"]
    assert changes[2].fields == ("trunk_ids",)
    rule = await the_only(lkapi, Noun.RULE)
    assert isinstance(rule, api.SIPDispatchRuleInfo) and list(rule.trunk_ids) == [changes[0].id, changes[1].id]
    assert set(did(await apply(lkapi, store, mine, LISTED))) == {"keep inbound-trunk", "keep dispatch-rule"}


async def test_what_nobody_asks_for_any_more_is_deleted(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """I take the carrier out again: its trunk goes, the rule forgets it. Without any trunk, rule and trunk go."""
    mine.sip_trunks_file.write_text('trunks: {berlin: {hostname: sip.telnyx.eu, inbound: {numbers: ["+493012345678"]}}}')
    await apply(lkapi, store, mine)
    mine.sip_trunks_file.unlink()
    assert did(await apply(lkapi, store, mine)) == ["delete inbound-trunk", "keep inbound-trunk", "update dispatch-rule"]
    nothing = mine.model_copy(update={"sip_trunk_hostname": ""})
    assert did(await apply(lkapi, store, nothing)) == ["delete dispatch-rule", "delete inbound-trunk"]
    assert await everything(lkapi) == {noun: [] for noun in Noun}


async def test_numbers_may_change_places(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Two carriers swap a number. livekit-server refuses a number on two trunks, so one of them is made anew."""

    def delivered(one: str, two: str) -> str:
        return (
            f"trunks:\n  one: {{hostname: sip.telnyx.eu, inbound: {{numbers: ['{one}']}}}}\n"
            f"  two: {{hostname: 192.168.1.4, inbound: {{numbers: ['{two}']}}}}\n"
        )

    only = mine.model_copy(update={"sip_trunk_hostname": ""})
    mine.sip_trunks_file.write_text(delivered("+12025550121", "+12025550122"))
    await apply(lkapi, store, only)
    mine.sip_trunks_file.write_text(delivered("+12025550122", "+12025550121"))
    assert not any(change.refused for change in await apply(lkapi, store, only))
    stored = await everything(lkapi)
    numbers = {thing.name.rpartition("-")[2]: list(thing.numbers) for thing in stored[Noun.INBOUND]}
    assert numbers == {"one": ["+12025550122"], "two": ["+12025550121"]}
    rule = await the_only(lkapi, Noun.RULE)
    assert isinstance(rule, api.SIPDispatchRuleInfo)
    assert set(rule.trunk_ids) == {id_of(Noun.INBOUND, thing) for thing in stored[Noun.INBOUND]}


async def test_whatever_is_configured_next_is_what_is_stored(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Forty configurations in a row, numbers wandering between three carriers in any way: each time livekit-server holds exactly
    what is asked for, a second run finds nothing to do, and a foreign trunk is as it was."""
    chance = random.Random(20261121)
    theirs = api.SIPInboundTrunkInfo(name="theirs", numbers=["+12025550177"])
    foreign = await lkapi.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=theirs))
    only = mine.model_copy(update={"sip_trunk_hostname": ""})
    for _ in range(40):
        brings: dict[str, list[str]] = {name: [] for name in chance.sample(["one", "two", "three"], chance.randint(0, 3))}
        for number in chance.sample([f"+1202555012{digit}" for digit in range(4)], chance.randint(0, 4) if brings else 0):
            brings[chance.choice(list(brings))].append(number)
        listed = {name: {"hostname": "sip.telnyx.eu", "inbound": {"numbers": numbers}} for name, numbers in brings.items()}
        only.sip_trunks_file.write_text(json.dumps({"trunks": listed}))
        assert not any(change.refused for change in await apply(lkapi, store, only))
        assert {change.doing for change in await apply(lkapi, store, only)} <= {"keep"}
        stored = await everything(lkapi)
        ours = {thing.name.rpartition("-")[2]: sorted(thing.numbers) for thing in stored[Noun.INBOUND] if thing.name != "theirs"}
        assert ours == {name: sorted(numbers) for name, numbers in brings.items() if numbers}
        assert len(stored[Noun.RULE]) == bool(ours) and foreign in stored[Noun.INBOUND]
        assert {len(rule.trunk_ids) for rule in stored[Noun.RULE] if isinstance(rule, api.SIPDispatchRuleInfo)} <= {len(ours)}


async def test_what_others_made_is_not_touched(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Another program's trunks and rules stay byte for byte, whatever we make, correct and delete."""
    theirs = api.SIPInboundTrunkInfo(name="theirs", numbers=["+12025550177"], metadata='{"managed_by":"somebody"}')
    trunk = await lkapi.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=theirs))
    other_fleet = mine.model_copy(update={"livekit_agent_name": "another", "sip_from_number": "+12025550178"})
    await apply(lkapi, store, other_fleet, outbound=True)
    foreign = {noun: list(things) for noun, things in (await everything(lkapi)).items()}
    await apply(lkapi, store, mine, LISTED, outbound=True)
    await apply(lkapi, store, mine, outbound=True)
    gone = await delete(lkapi, store, mine.livekit_agent_name)
    assert sorted(did(gone)) == ["delete dispatch-rule", "delete inbound-trunk", "delete outbound-trunk"]
    after = await everything(lkapi)
    assert after == foreign and trunk in after[Noun.INBOUND]


async def test_a_number_that_is_taken_is_refused_and_the_rest_goes_on(
    lkapi: api.LiveKitAPI, store: Store, mine: Settings
) -> None:
    """Another program's trunk has my number: I hear it in livekit-server's words, and the rest is done."""
    theirs = api.SIPInboundTrunkInfo(name="theirs", numbers=[LISTED])
    await lkapi.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=theirs))
    inbound, outbound, rule = await apply(lkapi, store, mine, LISTED, outbound=True)
    assert "Conflicting" in inbound.refused and not outbound.refused
    assert "lets anybody in" in rule.refused, "a rule for no trunk would be a rule for everybody"


async def test_a_change_by_somebody_else_is_seen_and_undone(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Somebody edited our trunks, also where we wish nothing: I am told the fields, and one run puts it right."""
    inbound, outbound, _ = await apply(lkapi, store, mine, LISTED, outbound=True)
    stored = (await lkapi.sip.list_inbound_trunk(ListSIPInboundTrunkRequest(trunk_ids=[inbound.id]))).items[0]
    stored.allowed_numbers.append("+12025550199")
    await lkapi.sip.update_inbound_trunk(inbound.id, stored)
    await lkapi.sip.update_outbound_trunk_fields(outbound.id, auth_password="guessed")
    seen = await dry_run(lkapi, wanted(mine, [LISTED]).wishes, mine.livekit_agent_name)
    assert [change.fields for change in seen] == [("allowed_numbers",), ("auth_password",), ()]
    assert did(await apply(lkapi, store, mine, LISTED)) == ["update inbound-trunk", "update outbound-trunk", "keep dispatch-rule"]
    assert {change.doing for change in await apply(lkapi, store, mine, LISTED)} == {"keep"}


async def test_doubles_are_reported_and_ours_is_used(lkapi: api.LiveKitAPI, store: Store, mine: Settings, fleet: str) -> None:
    """Two outbound trunks of my name: the one we made goes on, the other is named to me, and neither is deleted."""
    made = (await apply(lkapi, store, mine, outbound=True))[1]
    double = api.SIPOutboundTrunkInfo(name=f"{fleet}-outbound-default", address="example.invalid", numbers=["+12025550101"])
    other = await lkapi.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=double))
    again = (await apply(lkapi, store, mine, outbound=True))[1]
    assert (again.doing, again.id, again.extra_ids) == ("keep", made.id, (other.sip_trunk_id,))


async def test_a_rule_that_lets_anybody_in_is_never_stored(lkapi: api.LiveKitAPI, store: Store, fleet: str) -> None:
    """Without trunk_ids a stranger's call would be answered; such a wish is refused and livekit-server is not asked."""
    for trunk_ids in ([], [""]):
        individual = api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix="x"))
        open_rule = api.SIPDispatchRuleInfo(rule=individual, trunk_ids=trunk_ids)
        [change] = await ensure(lkapi, store, [Wish(Noun.RULE, "open", open_rule, source="request")], fleet)
        assert "trunk_ids" in change.refused
    assert (await everything(lkapi))[Noun.RULE] == []


async def test_the_way_in_is_one_call_away(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Whoever has the numbers makes the way in with one call."""
    trunk, rule = await ensure_inbound(mine, lkapi, [LISTED])
    assert (trunk.doing, rule.doing) == ("create", "create")


async def silent(hostname: str, transport: str) -> Reach:
    return "silent"


async def test_findings_name_what_is_wrong(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Nothing stored yet, a trunk id that is not there, a rule for everybody and a silent carrier are told apart."""
    individual = api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix="x"))
    anybody = api.CreateSIPDispatchRuleRequest(dispatch_rule=api.SIPDispatchRuleInfo(rule=individual))
    await lkapi.sip.create_dispatch_rule(anybody)
    mine.sip_trunks_file.write_text("trunks: {old: {stored_id: ST_typo, from_number: '+12025550104'}}")
    found = await look(mine, lkapi, [LISTED], silent)
    wrong = [(one.what, one.trunk) for one in found if not one.ok]
    assert wrong == [("stored", ""), ("stored", ""), ("stored_id", "old"), ("open_rule", ""), ("carrier", "default")]
    await apply(lkapi, store, mine, LISTED)
    assert not any(one.what == "stored" and not one.ok for one in await look(mine, lkapi, [LISTED], silent))
    async with api.LiveKitAPI("http://127.0.0.1:1", KEY, SECRET) as nobody:
        [away] = [one for one in await look(mine, nobody, [], silent) if one.what == "livekit_sip_api"]
    assert not away.ok


@asynccontextmanager
async def process(mine: Settings, script: str, *args: str, log_level: str = "DEBUG") -> AsyncIterator[asyncio.subprocess.Process]:
    """One of our programs in a folder of its own, with this fleet's settings and nothing else."""
    command = ["-m", script] if "." in script and not script.endswith(".py") else [str(PROJECT / script)]
    running = await asyncio.create_subprocess_exec(
        sys.executable, *command, *args, cwd=mine.sip_trunks_file.parent, env=surroundings(mine) | {"LOG_LEVEL": log_level},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    yield running
    if running.returncode is None:
        running.terminate()
        await running.wait()


def surroundings(mine: Settings) -> dict[str, str]:
    """The environment that these settings come from."""
    return {
        "PATH": os.environ["PATH"], "LIVEKIT_URL": mine.livekit_url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET,
        "LIVEKIT_AGENT_NAME": mine.livekit_agent_name, "REDIS_URL": mine.redis_url, "LOG_FORMAT": "json",
        "SIP_TRUNK_HOSTNAME": mine.sip_trunk_hostname, "SIP_AUTH_USERNAME": "me", "SIP_AUTH_PASSWORD": PASSWORD,
        "SIP_FROM_NUMBER": mine.sip_from_number, "SIP_TRUNKS_FILE": str(mine.sip_trunks_file), "DATA_DIR": str(mine.data_dir),
        "AGENTS_DIR": str(PROJECT / "agents"), "PROMPTS_DIR": str(PROJECT / "prompts"), "PYTHONPATH": str(PROJECT),
    }  # fmt: skip


async def output_of(mine: Settings, script: str, *args: str) -> tuple[int, str, str]:
    async with process(mine, script, *args) as running:
        out, err = await running.communicate()
    return running.returncode or 0, out.decode(), err.decode()


async def typed(mine: Settings, *args: str) -> Result:
    """`./voicefleet trunks …`, typed in this process: starting a new one each time takes seconds."""
    env = {name: value for name, value in surroundings(mine).items() if name != "PATH"}
    return await asyncio.to_thread(CliRunner().invoke, app, ["trunks", *args], env=env)


async def test_no_password_is_in_any_output_or_log(
    lkapi: api.LiveKitAPI, mine: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """I grep everything the programs print at DEBUG, while they store, list, compare and delete trunks with passwords."""
    caplog.set_level(logging.DEBUG)
    mine = mine.model_copy(update={"sip_trunk_hostname": "127.0.0.1:9"})  # `status` asks the carrier
    mine.sip_trunks_file.write_text(
        f"trunks: {{office: {{hostname: 127.0.0.1:9, username: a, password: '{PASSWORD}', from_number: '4711',"
        f" inbound: {{numbers: ['{LISTED}'], username: b, password: '{PASSWORD}'}}}}}}"
    )
    request = tmp_path / "request.json"
    trunk = {"name": "from-file", "address": "sip.example.org", "numbers": ["+12025550100"], "auth_password": PASSWORD}
    request.write_text(json.dumps({"trunk": trunk}))
    code, out, err = await output_of(mine, "sip_trunk_init.py", "--store-outbound")
    assert code == 0 and "trunks.did" in err and PASSWORD not in out + err
    told: dict[str, Result] = {}
    for words in (
        "ensure outbound-trunk --json --request FILE", "list", "list --json", "diff --json", "status --json", "ensure --dry-run",
        "delete outbound-trunk from-file --json", "delete --all",
    ):  # fmt: skip
        told[words] = await typed(mine, *(str(request) if word == "FILE" else word for word in words.split()))
        assert told[words].exit_code in (0, 1), told[words].output
    assert PASSWORD not in "".join(result.output for result in told.values()) + caplog.text
    listed = json.loads(told["list --json"].stdout)
    assert {thing["auth_password"] for noun in listed.values() for thing in noun if "auth_password" in thing} == {"(hidden)"}
    assert len(listed["inbound_trunks"]) == 2 and len(listed["outbound_trunks"]) == 3
    assert await everything(lkapi) == {noun: [] for noun in Noun}, "--all takes everything that was made"


async def test_a_file_of_lk_makes_one_trunk_once(lkapi: api.LiveKitAPI, mine: Settings, tmp_path: Path) -> None:
    """The file I gave to `lk sip inbound create` works here, twice; a plain `ensure` leaves what it made alone."""
    request = tmp_path / "request.json"
    request.write_text('{"trunk": {"name": "door", "numbers": ["+12025550155"], "allowedAddresses": ["192.0.2.0/24"]}}')
    code, out, _ = await output_of(mine, "modules.sip_management", "ensure", "inbound", "--request", str(request), "--json")
    again = await typed(mine, "ensure", "inbound-trunk", "--request", str(request), "--json")
    first, second = (json.loads(text)["changes"][0] for text in (out, again.stdout))
    assert (code, first["doing"], second["doing"], first["id"]) == (0, "create", "keep", second["id"])
    await typed(mine, "ensure")
    assert "door" in [thing.name for thing in (await everything(lkapi))[Noun.INBOUND]]


async def test_the_one_shot_says_when_livekit_server_is_away(mine: Settings) -> None:
    """With a carrier configured and no livekit-server I get a line with what to check."""
    code, _, err = await output_of(mine.model_copy(update={"livekit_url": "ws://127.0.0.1:1"}), "sip_trunk_init.py")
    assert code == 1 and "LIVEKIT_URL" in err and "Traceback" not in err


async def test_the_one_shot_has_nothing_to_do_by_default(mine: Settings) -> None:
    """Without a carrier it says so and ends well, even when livekit-server is away."""
    bare = mine.model_copy(update={"livekit_url": "ws://127.0.0.1:1", "sip_trunk_hostname": "", "sip_from_number": ""})
    code, _, err = await output_of(bare, "sip_trunk_init.py")
    assert code == 0 and "no trunk is configured" in err


async def test_the_monitor_puts_right_what_is_ours_and_says_so(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """Somebody deletes our rule while nobody looks: the monitor brings it back, deletes what is left over, and logs both once."""
    await apply(lkapi, store, mine.model_copy(update={"sip_trunk_hostname": "127.0.0.1"}), LISTED)
    theirs = api.SIPInboundTrunkInfo(name="theirs", numbers=["+12025550177"])
    foreign = await lkapi.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=theirs))
    rule = await the_only(lkapi, Noun.RULE)
    await shelves(lkapi)[Noun.RULE].delete(id_of(Noun.RULE, rule))
    async with listening(Carrier(b"SIP/2.0 200 OK\r\n\r\n")) as address:
        mine.sip_trunks_file.write_text(f"trunks: {{office: {{hostname: '{address}', from_number: '+12025550100'}}}}")
        only = mine.model_copy(update={"sip_trunk_hostname": ""})
        async with process(only, "trunk_monitor.py", "--port", "0", log_level="INFO") as monitor:
            assert monitor.stderr is not None
            lines: list[dict[str, Any]] = []
            async with asyncio.timeout(60):
                while not lines or lines[-1].get("what") != "workers":
                    lines.append(json.loads(await monitor.stderr.readline()))
    repaired = [(line["did"], line["noun"]) for line in lines if line["event"] == "trunks.repaired"]
    assert repaired == [("delete", "inbound-trunk"), ("create", "inbound-trunk"), ("create", "dispatch-rule")]
    found = {(line["what"], line["ok"]) for line in lines if line["event"] == "trunks.changed"}
    assert {("stored", True), ("carrier", True), ("workers", False)} <= found and PASSWORD not in json.dumps(lines)
    assert foreign in (await everything(lkapi))[Noun.INBOUND]
    assert (await the_only(lkapi, Noun.RULE)).name == rule.name
