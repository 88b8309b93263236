"""`connect twilio` against Twilio's REST shapes: made once, kept afterwards, gone on with after a cut, each refusal explained."""

import pytest

from modules.sip_management.twilio import Fault, TwilioTrouble
from tests.contracts.carriers.conftest import NAME, Operator
from tests.contracts.carriers.twilio_server import BAD_AUTH, TAKEN, TOO_MANY, TRIAL, Refusal, TwilioServer

pytestmark = pytest.mark.unit

HOST = "sip.example.com:5060;transport=udp"
ALL = {"credential list", "credential", "trunk", "trunk credential list", "origination url", "number"}


def named(did: dict[str, str], what: str) -> set[str]:
    return {step for step, done in did.items() if done == what}


async def test_everything_is_made_once(operator: Operator, twilio: TwilioServer) -> None:
    """One command, and the account can carry calls both ways; its four values are mine."""
    made, did = await operator.connects(sip_host=HOST)
    assert named(did, "made") == ALL
    (trunk,), (users,), (number,) = twilio.trunks.values(), twilio.lists.values(), twilio.numbers.values()
    assert (
        (made.hostname, made.from_number) == (trunk["domain_name"], "+12025550199") == (f"{NAME}.pstn.twilio.com", "+12025550199")
    )
    assert twilio.passwords == {made.username: made.password}
    assert trunk["friendly_name"] == users["friendly_name"] == f"voicefleet/{NAME}"
    assert trunk["transfer_mode"] == "enable-all"
    assert list(twilio.trunk_lists[trunk["sid"]]) == [users["sid"]]
    assert [url["sip_url"] for url in twilio.origination[trunk["sid"]].values()] == [f"sip:{HOST}"]
    assert number["trunk_sid"] == trunk["sid"]


async def test_a_second_run_changes_nothing(operator: Operator, twilio: TwilioServer) -> None:
    """I run it again and read that all of it is there."""
    await operator.connects(sip_host=HOST)
    before, changes = twilio.contents(), twilio.changes
    made, did = await operator.connects(sip_host=HOST, has_password=True)
    assert named(did, "kept") == ALL | {"account"}
    assert (twilio.contents(), twilio.changes, made.password) == (before, changes, None)


async def test_a_dry_run_only_reads(operator: Operator, twilio: TwilioServer) -> None:
    """The plan names every step and not one of them is taken."""
    twilio.closed.add("DE")
    _, did = await operator.connects(sip_host=HOST, opened=frozenset({"DE"}), dry_run=True)
    assert named(did, "would make") == ALL | {"country"}
    assert not twilio.changes and not operator.ledger_file.exists()


async def test_a_new_address_for_calls_that_come_in_replaces_the_old_one(operator: Operator, twilio: TwilioServer) -> None:
    """My server has moved."""
    await operator.connects(sip_host="old.example:5060;transport=udp")
    _, did = await operator.connects(sip_host=HOST, has_password=True)
    assert named(did, "made") == {"origination url"}
    assert [url["sip_url"] for urls in twilio.origination.values() for url in urls.values()] == [f"sip:{HOST}"]


async def test_without_an_address_the_trunk_only_calls_out(operator: Operator, twilio: TwilioServer) -> None:
    """No public address is needed to call."""
    _, did = await operator.connects()
    assert not twilio.origination
    assert named(did, "made") == ALL - {"origination url"}


@pytest.mark.parametrize("done", [True, False], ids=["the answer was lost", "the request was lost"])
@pytest.mark.parametrize("cut", range(1, 8))
async def test_a_run_that_was_cut_is_gone_on_with(operator: Operator, twilio: TwilioServer, cut: int, done: bool) -> None:
    """The network goes away at any step: the next run finishes, with one of each thing and a password somebody knows."""
    twilio.closed.add("DE")
    twilio.cut, twilio.cut_before_it_is_done = cut, not done
    with pytest.raises(TwilioTrouble) as told:
        await operator.connects(sip_host=HOST, opened=frozenset({"DE"}))
    assert told.value.fault is Fault.NETWORKS and "goes on where it stopped" in told.value.fix
    made, _ = await operator.connects(sip_host=HOST, opened=frozenset({"DE"}))
    assert [len(things) for things in (twilio.trunks, twilio.lists, twilio.passwords)] == [1, 1, 1]
    assert [len(things) for group in (twilio.users, twilio.trunk_lists, twilio.origination) for things in group.values()] == [
        1
    ] * 3
    assert twilio.passwords[made.username] == made.password
    assert not twilio.closed
    whole, _ = await operator.disconnects()
    assert whole and twilio.closed == {"DE"} and not (twilio.trunks or twilio.lists)


async def test_a_trial_account_is_told_what_it_can_do(operator: Operator, twilio: TwilioServer) -> None:
    """It works, with one warning."""
    twilio.type = "Trial"
    _, did = await operator.connects()
    assert did["account"] == "look"
    assert len(twilio.trunks) == 1


async def test_a_closed_country_is_told_and_opened_only_when_asked(operator: Operator, twilio: TwilioServer) -> None:
    """I read that calls to Germany would fail, and open it with --open DE."""
    twilio.closed |= {"DE", "FR"}
    _, did = await operator.connects(countries=frozenset({"DE", "US"}))
    assert did["country"] == "kept" and twilio.closed == {"DE", "FR"}  # the last one told is the US
    _, did = await operator.connects(countries=frozenset({"DE"}), has_password=True)
    assert did["country"] == "look" and twilio.closed == {"DE", "FR"}
    _, did = await operator.connects(opened=frozenset({"DE"}), has_password=True)
    assert did["country"] == "made" and twilio.closed == {"FR"}


async def test_too_many_requests_waits_as_long_as_twilio_says(operator: Operator, twilio: TwilioServer) -> None:
    """A 429 was not done, so it is sent again; after the fourth I am told."""
    twilio.refusals = [("POST /v1/Trunks", TOO_MANY), ("GET /v1/Trunks", Refusal(429, 20429, "Too Many Requests"))]
    await operator.connects()
    assert sorted(operator.waited) == [2.0, 7.0]
    twilio.refusals = [("GET /v1/Trunks", TOO_MANY)] * 4
    with pytest.raises(TwilioTrouble) as told:
        await operator.connects(has_password=True)
    assert (told.value.fault, told.value.code) == (Fault.TWILIOS, 20429)


@pytest.mark.parametrize(("where", "refusal", "fault", "says", "fix"), [
    ("GET .json", BAD_AUTH, Fault.YOURS, "does not accept TWILIO_ACCOUNT_SID", "console.twilio.com"),
    ("POST /v1/Trunks", TAKEN, Fault.YOURS, "domain is taken", "--name"),
    ("POST /v1/Trunks", TRIAL, Fault.YOURS, "trial account", "upgrade"),
    ("POST CredentialLists.json", Refusal(400, 21240, "Credential List Validation Error"), Fault.YOURS, "SIP users", "--name"),
    ("POST /v1/Trunks", Refusal(403, 20008, "Resource not accessible with Test Account Credentials"), Fault.YOURS,
     "test credentials", "live Account SID"),
    ("POST /PhoneNumbers", Refusal(404, 20404, "The requested resource was not found"), Fault.YOURS, "does not know", "again"),
    ("POST /v1/Trunks", Refusal(500, 20500, "Internal Server Error"), Fault.TWILIOS, "Twilio failed", "again"),
    ("POST /v1/Trunks", Refusal(503, 20503, "Service unavailable"), Fault.TWILIOS, "Twilio failed", "again"),
    ("POST /v1/Trunks", Refusal(400, 29999, "Something new"), Fault.YOURS, "Something new", "errors/29999"),
])  # fmt: skip
async def test_each_refusal_is_a_sentence_with_the_next_step(
    operator: Operator, twilio: TwilioServer, where: str, refusal: Refusal, fault: Fault, says: str, fix: str
) -> None:
    """I read whose fault it is and what to do, and nothing of my password; afterwards the same command finishes."""
    twilio.refusals = [(where, refusal)]
    with pytest.raises(TwilioTrouble) as told:
        await operator.connects()
    trouble = told.value
    assert (trouble.fault, trouble.code) == (fault, refusal.code)
    assert says in trouble.sentence and fix in trouble.fix
    assert not any(password in f"{trouble.sentence}{trouble.fix}" for password in twilio.passwords.values())
    await operator.connects()
    assert len(twilio.trunks) == 1


async def test_wrong_credentials_are_told_apart_before_anything_is_asked(operator: Operator, twilio: TwilioServer) -> None:
    """An API key's SID, a typo, an empty token: each has its own sentence."""
    for sid, token, says in (("SK" + "a" * 32, "t", "API key"), ("", "t", "empty"), ("AC123", "t", "is not one"),
                             ("AC" + "a" * 32, "", "TWILIO_AUTH_TOKEN is empty")):  # fmt: skip
        operator.sid, operator.token = sid, token
        with pytest.raises(TwilioTrouble, match=says):
            await operator.connects()
    assert not twilio.asked
    operator.sid, operator.token = "AC" + "a" * 32, "wrong"
    with pytest.raises(TwilioTrouble, match="20003"):
        await operator.connects()


async def test_a_suspended_account_is_told(operator: Operator, twilio: TwilioServer) -> None:
    """Nothing is made in it."""
    twilio.status = "suspended"
    with pytest.raises(TwilioTrouble, match="suspended"):
        await operator.connects()
    assert not twilio.changes


async def test_nobody_there_is_the_networks_fault(operator: Operator, twilio: TwilioServer) -> None:
    """No internet, no traceback."""
    await twilio.close()
    with pytest.raises(TwilioTrouble, match="cannot be reached") as told:
        await operator.connects()
    assert told.value.fault is Fault.NETWORKS


async def test_the_number_is_mine_to_choose(operator: Operator, twilio: TwilioServer) -> None:
    """Several numbers, none, one that is not mine: I am asked, masked, before anything is made."""
    twilio.has_number("+12025550198")
    with pytest.raises(TwilioTrouble, match=r"2 numbers: \+1202\*+99, \+1202\*+98"):
        await operator.connects()
    with pytest.raises(TwilioTrouble, match="is not a number of this account"):
        await operator.connects(number="+12025550100")
    assert not twilio.changes
    made, _ = await operator.connects(number="+12025550198")
    assert made.from_number == "+12025550198"
    twilio.numbers.clear()
    with pytest.raises(TwilioTrouble, match="no number that can call"):
        await operator.connects()


async def test_what_others_made_is_not_touched(operator: Operator, twilio: TwilioServer) -> None:
    """Another trunk, another list, a number on another trunk: as they were, also when mine is undone again."""
    theirs = twilio.has_trunk("PBX")
    twilio.has_number("+12025550198", trunk_sid=theirs["sid"])
    before = twilio.contents()
    with pytest.raises(TwilioTrouble, match="belongs to another trunk"):
        await operator.connects(number="+12025550198")
    assert twilio.contents() == before
    await operator.connects(number="+12025550199")
    assert (await operator.disconnects())[0]
    assert twilio.contents() == before


async def test_a_lost_ledger_is_found_again_by_name(operator: Operator, twilio: TwilioServer) -> None:
    """I lost my data folder: with the same --name nothing is made twice, and it can be undone."""
    await operator.connects(sip_host=HOST)
    operator.ledger_file.unlink()
    await operator.connects(sip_host=HOST, has_password=True)
    assert len(twilio.trunks) == len(twilio.lists) == 1
    assert {"trunk", "credential_list", "credential", "origination_url"} <= operator.noted()["things"].keys()


async def test_another_account_or_name_is_refused_while_this_one_is_connected(operator: Operator, twilio: TwilioServer) -> None:
    """One fleet, one trunk; I am told to disconnect first."""
    await operator.connects()
    with pytest.raises(TwilioTrouble, match="connected as"):
        await operator.connects(name="another")
    operator.sid = "AC" + "b" * 32
    with pytest.raises(TwilioTrouble, match="another account"):
        await operator.connects()


async def test_the_ledger_holds_no_secret_and_is_its_owners_only(operator: Operator, twilio: TwilioServer) -> None:
    """A backup of my data folder gives no password away."""
    made, _ = await operator.connects()
    text = operator.ledger_file.read_text()
    assert made.password and made.password not in text and "+12025550199" not in text
    assert operator.ledger_file.stat().st_mode & 0o077 == 0
