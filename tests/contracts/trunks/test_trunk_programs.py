"""The programs that make and keep trunks, as somebody starts them, against the real livekit-server: what they say."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from livekit import api
from typer.testing import Result

from config import Settings
from modules.call_queue_manager import Store
from modules.conversation.answered import NumbersUnknown
from modules.sip_management.monitor import Monitor
from modules.sip_management.shelves import Noun, everything, id_of, shelves
from tests.contracts.trunks.steps import LISTED, PASSWORD, apply, output_of, process, silent, the_only, typed
from tests.sip_carrier import Carrier, listening

pytestmark = pytest.mark.livekit


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


async def test_a_broken_personality_takes_no_number_away(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """I slip in a personality, or start in the wrong folder: nothing is deleted, and I am told what to correct."""
    made = await apply(lkapi, store, mine, LISTED)
    agents = mine.data_dir / "agents"
    agents.mkdir(parents=True)
    for slip, told in ((None, "There is no personality in"), ("greting: Hello\n", "did you mean `greeting`")):
        if slip:
            (agents / "desk.yaml").write_text(slip)
        answer = await typed(mine, "ensure", AGENTS_DIR=str(agents))
        assert answer.exit_code == 2 and told in answer.output
    assert (await the_only(lkapi, Noun.INBOUND)).numbers == made[0].thing.numbers


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


async def test_the_monitor_repairs_nothing_while_a_file_is_broken(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """trunks.yaml or a personality has a slip: the monitor says so and takes nothing away, until it is whole."""
    await apply(lkapi, store, mine, LISTED)
    stored = await everything(lkapi)
    slips = iter(["There is no personality.", None, None])

    def answered() -> list[str]:
        if slip := next(slips):
            raise NumbersUnknown(slip)
        return [LISTED]

    monitor = Monitor(mine, lkapi, answered, every_s=60, repair=True, ask=silent)
    assert [(one.what, one.ok) for one in await monitor.round()][0] == ("configuration", False)
    mine.sip_trunks_file.write_text("trunks: {berlin: {hostnam: x}}")
    assert [(one.what, one.ok) for one in await monitor.round()][0] == ("configuration", False)
    assert await everything(lkapi) == stored
    mine.sip_trunks_file.unlink()
    assert {one.ok for one in await monitor.round() if one.what in ("configuration", "stored")} == {True}
    await monitor.close()
