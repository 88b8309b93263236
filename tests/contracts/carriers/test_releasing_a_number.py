"""`disconnect twilio` where a number was bought: kept unless its release is asked for, and never somebody else's."""

import contextlib

import pytest

from modules.sip_management.twilio import TwilioTrouble
from tests.contracts.carriers.conftest import FIRST, Operator
from tests.contracts.carriers.twilio_server import Refusal, TwilioServer

pytestmark = pytest.mark.unit


async def test_a_bought_number_stays_unless_its_release_is_asked_for(operator: Operator, shop: TwilioServer) -> None:
    """It may be printed somewhere: disconnecting keeps it as the account's own, tells so, and the next connect uses it."""
    await operator.connects()
    whole, did = await operator.disconnects()
    (number,) = shop.numbers.values()
    assert whole and did["bought number"] == "kept" and number["trunk_sid"] is None
    (step,) = [one for one in operator.steps if one.name == "bought number"]
    assert FIRST in step.detail and "bill" in step.detail and "console" in step.next
    assert not operator.ledger_file.exists()
    made, _ = await operator.connects(name="another")
    assert (made.from_number, shop.shop.bought) == (FIRST, [FIRST])


async def test_a_release_gives_back_exactly_what_was_bought(operator: Operator, shop: TwilioServer) -> None:
    """With --release the account is as it was before, my other number included; a dry run only says so."""
    shop.has_number("+12025550199")
    before = shop.contents()
    await operator.connects(buys="US")
    _, did = await operator.disconnects(dry_run=True, release=True)
    assert did["bought number"] == "would undo" and len(shop.numbers) == 2
    whole, did = await operator.disconnects(release=True)
    assert whole and did["bought number"] == "undone" and shop.contents() == before
    assert not operator.ledger_file.exists()


@pytest.mark.parametrize("change", [{"friendly_name": "Support line"}, {"trunk_sid": "TK" + "b" * 32}], ids=["renamed", "moved"])
async def test_a_bought_number_that_is_somebodys_now_is_not_released(
    operator: Operator, shop: TwilioServer, change: dict[str, str]
) -> None:
    """Whoever renames it or puts it on another trunk takes it over, even against --release."""
    await operator.connects()
    (number,) = shop.numbers.values()
    number |= change
    _, did = await operator.disconnects(release=True)
    assert did["bought number"] == "kept" and shop.numbers


@pytest.mark.parametrize("done", [True, False], ids=["the answer was lost", "the request was lost"])
@pytest.mark.parametrize("cut", range(1, 5))
async def test_a_release_that_was_cut_is_gone_on_with(operator: Operator, shop: TwilioServer, cut: int, done: bool) -> None:
    """The network goes away at any step of the undoing: in the end the number is back at Twilio and nothing is left."""
    await operator.connects()
    shop.cut, shop.cut_before_it_is_done = shop.changes + cut, not done
    with contextlib.suppress(TwilioTrouble):  # a DELETE may be sent again at once, by the HTTP client
        await operator.disconnects(release=True)
    if operator.ledger_file.exists():
        assert (await operator.disconnects(release=True))[0]
    assert not (shop.numbers or shop.trunks or operator.ledger_file.exists())


async def test_a_refused_release_can_be_tried_again(operator: Operator, shop: TwilioServer) -> None:
    """Twilio failed: the number stays noted as ours until it is gone."""
    await operator.connects()
    where = f"DELETE /IncomingPhoneNumbers/{next(iter(shop.numbers))}.json"
    shop.refusals = [(where, Refusal(500, 20500, "Internal Server Error"))]
    with pytest.raises(TwilioTrouble):
        await operator.disconnects(release=True)
    assert shop.numbers and "bought_number" in operator.noted()["things"]
    await operator.disconnects(release=True)
    assert not (shop.numbers or operator.ledger_file.exists())


async def test_disconnecting_after_a_lost_purchase_says_that_nobody_knows(operator: Operator, shop: TwilioServer) -> None:
    """I am sent to the console; a number that is there after all is found by what was asked for."""
    shop.cut, shop.cut_before_it_is_done = 1, True
    with pytest.raises(TwilioTrouble):
        await operator.connects()
    _, did = await operator.disconnects(release=True)
    assert did["bought number"] == "look" and not operator.ledger_file.exists()
    shop.cut, shop.cut_before_it_is_done, shop.changes = 1, False, 0
    with pytest.raises(TwilioTrouble):
        await operator.connects()
    _, did = await operator.disconnects(release=True)
    assert did["bought number"] == "undone" and not shop.numbers
