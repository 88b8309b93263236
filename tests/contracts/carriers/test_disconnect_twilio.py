"""`disconnect twilio`: the account is as it was before, to the last field; what others added since is left and told."""

import contextlib
import json

import pytest

from modules.sip_management.twilio import TwilioTrouble
from tests.contracts.carriers.conftest import Operator
from tests.contracts.carriers.twilio_server import Refusal, TwilioServer

pytestmark = pytest.mark.unit

HOST = "sip.example.com:5060;transport=udp"
APP = "AP" + "c" * 32


async def test_the_account_is_as_it_was_before(operator: Operator, twilio: TwilioServer) -> None:
    """Trunk, users, origination, the country I opened: gone. My number answers by its program again. Other things: untouched."""
    next(iter(twilio.numbers.values()))["voice_application_sid"] = APP
    twilio.closed |= {"DE", "FR"}
    twilio.has_trunk("PBX")
    before = twilio.contents()
    await operator.connects(sip_host=HOST, opened=frozenset({"DE"}), countries=frozenset({"US", "FR"}))
    assert next(iter(twilio.numbers.values()))["voice_application_sid"] == ""
    whole, did = await operator.disconnects()
    assert whole and set(did.values()) == {"undone"}
    assert twilio.contents() == before
    assert not operator.ledger_file.exists()


async def test_a_dry_run_undoes_nothing(operator: Operator, twilio: TwilioServer) -> None:
    """I read what would go."""
    await operator.connects(sip_host=HOST)
    before, noted = twilio.contents(), operator.noted()
    whole, did = await operator.disconnects(dry_run=True)
    assert whole and did == {"number": "would undo", "trunk": "would undo", "credential list": "would undo"}
    assert (twilio.contents(), operator.noted()) == (before, noted)


@pytest.mark.parametrize("done", [True, False], ids=["the answer was lost", "the request was lost"])
@pytest.mark.parametrize("cut", range(1, 6))
async def test_an_undoing_that_was_cut_is_gone_on_with(operator: Operator, twilio: TwilioServer, cut: int, done: bool) -> None:
    """The network goes away at any step; the next run finishes, and the number's program is back."""
    next(iter(twilio.numbers.values()))["voice_application_sid"] = APP
    twilio.closed.add("DE")
    before = twilio.contents()
    await operator.connects(sip_host=HOST, opened=frozenset({"DE"}))
    twilio.cut, twilio.cut_before_it_is_done = twilio.changes + cut, not done
    with contextlib.suppress(TwilioTrouble):  # a DELETE may be sent again at once, by the HTTP client
        await operator.disconnects()
    if operator.ledger_file.exists():
        assert (await operator.disconnects())[0]
    assert twilio.contents() == before
    assert not operator.ledger_file.exists()


async def test_a_number_whose_program_was_not_given_back_gets_it(operator: Operator, twilio: TwilioServer) -> None:
    """The run was cut between detaching my number and restoring what answered it."""
    (number,) = twilio.numbers.values()
    number["voice_application_sid"] = APP
    await operator.connects()
    twilio.refusals = [(f"POST /{number['sid']}.json", Refusal(503, 20503, "Service unavailable"))]
    with pytest.raises(TwilioTrouble):
        await operator.disconnects()
    assert (number["trunk_sid"], number["voice_application_sid"]) == (None, "")
    assert (await operator.disconnects())[0]
    assert number["voice_application_sid"] == APP


async def test_a_half_made_set_up_is_undone_too(operator: Operator, twilio: TwilioServer) -> None:
    """The trunk was refused; the list of users that was made before goes again."""
    before = twilio.contents()
    twilio.refusals = [("POST /v1/Trunks", Refusal(400, 21248, "Trunk Domain already taken"))]
    with pytest.raises(TwilioTrouble):
        await operator.connects()
    assert twilio.lists
    assert (await operator.disconnects())[0]
    assert twilio.contents() == before


async def test_what_others_attached_to_our_trunk_keeps_it(operator: Operator, twilio: TwilioServer) -> None:
    """A colleague put a second number on the trunk: it goes on working, mine is detached, and I am told."""
    await operator.connects(number="+12025550199")
    (trunk,) = twilio.trunks.values()
    theirs = twilio.has_number("+12025550198", trunk_sid=trunk["sid"])
    whole, did = await operator.disconnects()
    assert not whole and did == {"number": "undone", "trunk": "left"}
    assert twilio.trunks and twilio.lists and theirs["trunk_sid"] == trunk["sid"]
    theirs["trunk_sid"] = None
    assert (await operator.disconnects())[0]
    assert not (twilio.trunks or twilio.lists)


async def test_a_renamed_trunk_is_somebodys(operator: Operator, twilio: TwilioServer) -> None:
    """Whoever renames a thing takes it over."""
    await operator.connects()
    next(iter(twilio.trunks.values()))["friendly_name"] = "Support line"
    whole, did = await operator.disconnects()
    assert not whole and did["trunk"] == "left" and twilio.trunks


async def test_users_of_others_keep_the_list(operator: Operator, twilio: TwilioServer) -> None:
    """A desk phone was added to our list: the list stays, our own user goes."""
    await operator.connects()
    (users,) = twilio.users.values()
    users["CRtheirs"] = {"sid": "CRtheirs", "username": "desk-phone"}
    whole, did = await operator.disconnects()
    assert not whole and (did["credential"], did["credential list"]) == ("undone", "left")
    assert [user["username"] for user in users.values()] == ["desk-phone"]


async def test_what_is_gone_already_is_no_trouble(operator: Operator, twilio: TwilioServer) -> None:
    """I cleaned up by hand before."""
    await operator.connects(sip_host=HOST)
    for things in (twilio.trunks, twilio.lists, twilio.users, twilio.numbers):
        things.clear()
    whole, did = await operator.disconnects()
    assert whole and set(did.values()) == {"kept"}
    assert not operator.ledger_file.exists()


async def test_a_number_that_was_moved_since_stays_where_it_is(operator: Operator, twilio: TwilioServer) -> None:
    """It serves another trunk by now."""
    await operator.connects()
    theirs = twilio.has_trunk("PBX")
    (number,) = twilio.numbers.values()
    number["trunk_sid"] = theirs["sid"]
    assert (await operator.disconnects())[0]
    assert number["trunk_sid"] == theirs["sid"]


async def test_a_ledger_nobody_can_read_stops_everything(operator: Operator, twilio: TwilioServer) -> None:
    """Better a question than a wrong deletion."""
    await operator.connects()
    changes = twilio.changes
    for broken in ("{", "[]", json.dumps({"account_sid": "x"}), ""):
        operator.ledger_file.write_text(broken)
        with pytest.raises(TwilioTrouble, match="cannot be read"):
            await operator.disconnects()
    assert twilio.changes == changes
