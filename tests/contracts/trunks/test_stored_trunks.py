"""Trunks and rules as the real livekit-server stores them: made once, corrected where they differ, and nobody else's touched."""

import asyncio
import json
import random

import pytest
from livekit import api
from livekit.protocol.sip import ListSIPInboundTrunkRequest

from config import Settings
from modules.call_queue_manager import Store
from modules.sip_management.ensure import delete, dry_run, ensure
from modules.sip_management.findings import look
from modules.sip_management.phone import Phone, trunk_of
from modules.sip_management.plan import Wish
from modules.sip_management.shelves import Noun, everything, id_of
from modules.sip_management.wanted import wanted
from tests.contracts.trunks.steps import LISTED, apply, did, silent, the_only
from tests.trunk_server import KEY, SECRET

pytestmark = pytest.mark.livekit


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


async def test_a_call_that_came_in_is_known_by_its_trunk(lkapi: api.LiveKitAPI, store: Store, mine: Settings) -> None:
    """With two carriers I read in a call's record which of them brought it; a trunk of somebody else's has its own name."""
    mine.sip_trunks_file.write_text('trunks: {berlin: {hostname: sip.telnyx.eu, inbound: {numbers: ["+493012345678"]}}}')
    await apply(lkapi, store, mine, LISTED)
    foreign = api.SIPInboundTrunkInfo(name="lab-line", numbers=["+12025550188"])
    await lkapi.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=foreign))
    stored = {thing.name: id_of(Noun.INBOUND, thing) for thing in (await everything(lkapi))[Noun.INBOUND]}

    async def known_as(trunk_id: str, **more: str) -> str:
        phone = Phone.of("sip_x", {"sip.trunkID": trunk_id} | {f"sip.{name}": value for name, value in more.items()}, "US")
        return await trunk_of(lkapi, phone, mine.livekit_agent_name)

    fleet = mine.livekit_agent_name
    names = [await known_as(stored[name]) for name in (f"{fleet}-inbound-default", f"{fleet}-inbound-berlin", "lab-line")]
    assert names == ["default", "berlin", "lab-line"]
    assert [await known_as("ST_gone"), await known_as("")] == ["default", "default"]
    assert await known_as(stored["lab-line"], simulated="true") == "simulated"
    async with api.LiveKitAPI("http://127.0.0.1:1", KEY, SECRET) as nobody:
        phone = Phone.of("sip_x", {"sip.trunkID": stored["lab-line"]}, "US")
        assert await trunk_of(nobody, phone, fleet) == "default", "a call is not lost over its trunk's name"


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
