"""`connect twilio` on an account without a number: shown with its price, bought after a yes, and never a second one."""

from typing import Any

import pytest

from modules.sip_management.twilio import Fault, TwilioTrouble
from tests.contracts.carriers.conftest import FIRST, NAME, SECOND, Operator
from tests.contracts.carriers.number_shop import ADDRESS, BUNDLE, GONE
from tests.contracts.carriers.twilio_server import TRIAL, Refusal, TwilioServer

pytestmark = pytest.mark.unit

GERMAN = "+493023125142"
BUY = "POST /IncomingPhoneNumbers.json"


async def test_an_account_without_a_number_is_offered_one_with_its_price(operator: Operator, shop: TwilioServer) -> None:
    """I read number, place and price, say yes, and it is bought under our name and on our trunk."""
    made, did = await operator.connects(home="US")
    (offer,) = operator.offered
    assert str(offer) == f"{FIRST} (Washington, DC, US) for 1.15 USD a month" and offer.others == (SECOND,)
    assert (made.from_number, did["bought number"], did["number"]) == (FIRST, "made", "made")
    (number,), (trunk,) = shop.numbers.values(), shop.trunks.values()
    assert (number["friendly_name"], number["trunk_sid"]) == (f"voicefleet/{NAME}", trunk["sid"])
    assert FIRST not in operator.ledger_file.read_text()


async def test_a_no_buys_nothing_and_leaves_nothing(operator: Operator, shop: TwilioServer) -> None:
    """I say no: not one request that changes anything, and no ledger."""
    operator.says = False
    with pytest.raises(TwilioTrouble, match="No number was bought"):
        await operator.connects()
    assert operator.offered and not shop.changes and not operator.ledger_file.exists()


@pytest.mark.parametrize("wish", [{}, {"buys": "US"}], ids=["without --buy", "with a country"])
async def test_where_nobody_is_there_only_a_named_number_is_bought(
    operator: Operator, shop: TwilioServer, wish: dict[str, Any]
) -> None:
    """A script never buys by accident; it is told how to name one, and naming one is the yes."""
    operator.says = None
    with pytest.raises(TwilioTrouble) as told:
        await operator.connects(**wish)
    assert "--buy" in told.value.fix and not shop.changes
    made, did = await operator.connects(buys=SECOND)
    assert (made.from_number, did["bought number"], shop.shop.bought) == (SECOND, "made", [SECOND])


async def test_a_named_number_is_not_asked_about(operator: Operator, shop: TwilioServer) -> None:
    """--buy +1… at a terminal: I have said it already."""
    operator.says = False
    await operator.connects(buys=SECOND)
    assert not operator.offered and shop.shop.bought == [SECOND]


@pytest.mark.parametrize("wish", [{}, {"buys": "US"}, {"buys": FIRST}], ids=["without --buy", "a country", "a number"])
async def test_a_dry_run_shows_the_purchase_and_asks_nobody(operator: Operator, shop: TwilioServer, wish: dict[str, Any]) -> None:
    """The plan holds number and price and how to name it."""
    operator.says = None
    made, did = await operator.connects(dry_run=True, **wish)
    assert (made.from_number, did["bought number"], did["number"]) == (FIRST, "would make", "would make")
    (step,) = [one for one in operator.steps if one.name == "bought number"]
    assert "1.15 USD a month" in step.detail and f"--buy {FIRST}" in step.next
    assert not shop.changes and not operator.ledger_file.exists()


@pytest.mark.parametrize("wish", [{}, {"buys": "US"}, {"buys": FIRST}], ids=["without --buy", "a country", "a number"])
async def test_a_second_run_buys_nothing(operator: Operator, shop: TwilioServer, wish: dict[str, Any]) -> None:
    """The same command again, also after I lost my data folder, where our name on the number tells."""
    await operator.connects(**wish)
    changes = shop.changes
    made, did = await operator.connects(has_password=True, **wish)
    assert (made.from_number, did["bought number"], shop.changes) == (FIRST, "kept", changes)
    operator.ledger_file.unlink()
    await operator.connects(has_password=True, **wish)
    assert (shop.shop.bought, len(operator.offered)) == ([FIRST], 0 if wish.get("buys") == FIRST else 1)
    assert "bought_number" in operator.noted()["things"]


@pytest.mark.parametrize("done", [True, False], ids=["the answer was lost", "the request was lost"])
@pytest.mark.parametrize("cut", range(1, 7))
async def test_a_run_that_was_cut_never_buys_twice(operator: Operator, shop: TwilioServer, cut: int, done: bool) -> None:
    """The network goes away at the purchase or anywhere after it; the same command finishes with that one number."""
    shop.cut, shop.cut_before_it_is_done = cut, not done
    with pytest.raises(TwilioTrouble) as told:
        await operator.connects(buys="US", sip_host="sip.example.com:5060;transport=udp")
    assert told.value.fault is Fault.NETWORKS
    made, _ = await operator.connects(buys="US", sip_host="sip.example.com:5060;transport=udp")
    assert (made.from_number, shop.shop.bought, len(shop.trunks)) == (FIRST, [FIRST], 1)
    assert FIRST not in operator.ledger_file.read_text()


async def test_a_lost_purchase_is_asked_for_again_by_its_number_only(operator: Operator, shop: TwilioServer) -> None:
    """The answer was lost and Twilio lists the number late: no other one is offered, and the same one cannot be bought twice."""
    shop.cut, shop.shop.unlisted = 1, True
    with pytest.raises(TwilioTrouble):
        await operator.connects(buys="US")
    assert operator.noted()["things"]["bought_number"]["asked_for"] == FIRST
    with pytest.raises(TwilioTrouble, match="its answer was lost") as told:
        await operator.connects(buys="US")
    assert "name another" in told.value.fix and shop.shop.bought == [FIRST]
    shop.shop.sells(FIRST)  # the shelf is late too
    made, _ = await operator.connects(buys="US")
    assert (made.from_number, shop.shop.bought, len(shop.numbers)) == (FIRST, [FIRST], 1)


async def test_a_lost_purchase_is_found_under_another_name(operator: Operator, shop: TwilioServer) -> None:
    """I saw the number in the console and gave it a name of mine before I ran the command again."""
    shop.cut = 1
    with pytest.raises(TwilioTrouble):
        await operator.connects(buys="US")
    (number,) = shop.numbers.values()
    number["friendly_name"] = "Front desk"
    made, _ = await operator.connects(buys="US")
    assert (made.from_number, shop.shop.bought) == (FIRST, [FIRST])


async def test_a_refused_repetition_does_not_free_the_way_to_another(operator: Operator, shop: TwilioServer) -> None:
    """The answer was lost, the number is listed late, and now somebody has it: it may be me, so no other one is bought."""
    shop.cut, shop.shop.unlisted = 1, True
    with pytest.raises(TwilioTrouble):
        await operator.connects(buys="US")
    shop.shop.sells(FIRST)
    shop.refusals = [(BUY, GONE)]
    with pytest.raises(TwilioTrouble, match="not for sale"):
        await operator.connects(buys="US")
    del shop.shop.shelf[FIRST]
    with pytest.raises(TwilioTrouble, match="its answer was lost"):
        await operator.connects(buys="US")
    assert shop.shop.bought == [FIRST]


async def test_a_lost_purchase_is_not_repeated_by_a_script(operator: Operator, shop: TwilioServer) -> None:
    """Nobody is there to say yes to it once more: I am told its number."""
    shop.cut, shop.cut_before_it_is_done = 1, True
    with pytest.raises(TwilioTrouble):
        await operator.connects()
    operator.says = None
    with pytest.raises(TwilioTrouble) as told:
        await operator.connects()
    assert f"--buy {FIRST}" in told.value.fix and not shop.shop.bought


async def test_after_a_lost_purchase_another_number_can_be_named(operator: Operator, shop: TwilioServer) -> None:
    """I looked at the console and know that the first one is not mine."""
    shop.cut, shop.cut_before_it_is_done = 1, True
    with pytest.raises(TwilioTrouble):
        await operator.connects()
    made, _ = await operator.connects(buys=SECOND)
    assert (made.from_number, shop.shop.bought) == (SECOND, [SECOND])


@pytest.mark.parametrize(("refusal", "says", "fix"), [
    (ADDRESS, "address or with papers", "regulatory-compliance"),
    (BUNDLE, "address or with papers", "regulatory-compliance"),
    (Refusal(400, 21615, "PhoneNumber Requires a Local Address"), "address or with papers", "without --buy"),
    (TRIAL, "trial account", "upgrade"),
    (GONE, "not for sale", "--buy COUNTRY"),
    (Refusal(403, 22300, "This account is restricted from provisioning new long code phone numbers"), "not let this account buy",
     "verifymyaccount"),
])  # fmt: skip
async def test_a_refused_purchase_is_a_sentence_and_leaves_nothing(
    operator: Operator, shop: TwilioServer, refusal: Refusal, says: str, fix: str
) -> None:
    """I read what to do; nothing was made, and another try may offer another number."""
    shop.refusals = [(BUY, refusal)]
    with pytest.raises(TwilioTrouble) as told:
        await operator.connects()
    assert says in told.value.sentence and fix in told.value.fix and told.value.code == refusal.code
    assert not (shop.shop.bought or shop.trunks or operator.ledger_file.exists())


async def test_a_failing_twilio_leaves_it_open_whether_it_was_bought(operator: Operator, shop: TwilioServer) -> None:
    """A 500 may come after the deed: the number stays noted, and the next run asks for that one."""
    shop.refusals = [(BUY, Refusal(500, 20500, "Internal Server Error"))]
    with pytest.raises(TwilioTrouble):
        await operator.connects()
    shop.shop.shelf = dict(reversed(shop.shop.shelf.items()))  # another one stands first now
    made, _ = await operator.connects()
    assert (made.from_number, shop.shop.bought) == (FIRST, [FIRST])


@pytest.mark.parametrize(("buys", "says"), [
    ("FR", "no local number of FR"), ("DE", "each local number of DE only to an address"), (GERMAN, "only to an address"),
    ("+12025550150", "not for sale"), ("GB", "price list"),
])  # fmt: skip
async def test_what_cannot_be_bought_is_told_before_anybody_is_asked(
    operator: Operator, shop: TwilioServer, buys: str, says: str
) -> None:
    """No number, no price, or papers needed."""
    shop.shop.sells(GERMAN, country="DE", address_requirements="local", region="", locality="Berlin")
    shop.shop.sells("+442079460142", country="GB")
    shop.shop.prices["GB"] = ""
    with pytest.raises(TwilioTrouble, match=says) as told:
        await operator.connects(buys=buys)
    assert told.value.fix and not operator.offered and not shop.changes


async def test_a_number_without_conditions_is_chosen_among_others(operator: Operator, shop: TwilioServer) -> None:
    """The first on the shelf needs an address, the second does not."""
    shop.shop.shelf[FIRST]["address_requirements"] = "any"
    made, _ = await operator.connects(buys="US")
    assert made.from_number == SECOND


async def test_what_the_account_has_is_not_bought(operator: Operator, twilio: TwilioServer) -> None:
    """My own number: used as it is with or without --buy; one more only when I ask, and only before connecting."""
    twilio.shop.sells(FIRST)
    operator.says = True
    made, did = await operator.connects(buys="+12025550199")
    assert made.from_number == "+12025550199" and "bought number" not in did
    with pytest.raises(TwilioTrouble, match="calls from"):
        await operator.connects(buys="US")
    await operator.disconnects()
    made, _ = await operator.connects(buys="US", name="again")
    assert (made.from_number, twilio.shop.bought) == (FIRST, [FIRST])
    with pytest.raises(TwilioTrouble, match="was bought for this fleet"):
        await operator.connects(buys=SECOND, name="again")
