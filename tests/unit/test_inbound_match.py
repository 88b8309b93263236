"""Which INVITE gets in, by which rule and into which room: the simulated carrier's copy of LiveKit's decision."""

from typing import Any

import pytest
from livekit import api

from modules.simulation.inbound_match import Dropped, Invite, match

pytestmark = pytest.mark.unit

OURS, OTHER, CALLER = "+12025550140", "+12025550141", "+12025550111"


def a_trunk(trunk_id: str = "ST_1", **facts: Any) -> api.SIPInboundTrunkInfo:
    usual: dict[str, Any] = {"sip_trunk_id": trunk_id, "numbers": [OURS]}
    return api.SIPInboundTrunkInfo(**usual | facts)


def a_rule(rule_id: str = "SDR_1", **facts: Any) -> api.SIPDispatchRuleInfo:
    rule = api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix="inbound-"))
    usual: dict[str, Any] = {"sip_dispatch_rule_id": rule_id, "rule": rule, "trunk_ids": ["ST_1"]}
    return api.SIPDispatchRuleInfo(**usual | facts)


def test_a_call_to_our_number_gets_a_room_of_its_own() -> None:
    """Two calls of one person never share a room."""
    first, second = (match(Invite(OURS, CALLER), [a_trunk()], [a_rule()]) for _ in range(2))
    assert first.room.startswith(f"inbound-_{CALLER}_")
    assert first.room != second.room


@pytest.mark.parametrize(
    ("invite", "why"),
    [
        (Invite(OTHER, CALLER), "no trunk"),
        (Invite(OURS, "+12025550199"), "no trunk"),
        (Invite(OURS, CALLER, address="203.0.113.7"), "no trunk"),
        (Invite("2025550140", CALLER), "no trunk"),
    ],
    ids=["a number that is not ours", "a caller who may not", "a foreign address", "a number written otherwise"],
)
def test_a_stranger_is_dropped(invite: Invite, why: str) -> None:
    """Whoever knocks from elsewhere, or for somebody else, gets no answer at all."""
    trunk = a_trunk(allowed_numbers=[CALLER], allowed_addresses=["127.0.0.0/8"])
    with pytest.raises(Dropped, match=why):
        match(invite, [trunk], [a_rule()])


def test_a_password_is_asked_for_where_the_trunk_has_one() -> None:
    """A trunk with a user lets only that user in."""
    trunk = a_trunk(auth_username="me", auth_password="hidden")
    with pytest.raises(Dropped, match="password"):
        match(Invite(OURS, CALLER, username="me", password="guessed"), [trunk], [a_rule()])
    assert match(Invite(OURS, CALLER, username="me", password="hidden"), [trunk], [a_rule()]).trunk == trunk


def test_a_rule_for_another_trunk_or_number_does_not_count() -> None:
    """My rule names its trunk; what is stored for others lets nobody in to me."""
    for rule in (a_rule(trunk_ids=["ST_2"]), a_rule(numbers=[OTHER]), a_rule(inbound_numbers=["+12025550199"])):
        with pytest.raises(Dropped, match="no dispatch rule"):
            match(Invite(OURS, CALLER), [a_trunk()], [rule])


def test_a_rule_without_a_trunk_lets_anybody_in() -> None:
    """That is how LiveKit is, and why such a rule is never stored by us."""
    assert match(Invite(OTHER, CALLER), [a_trunk()], [a_rule(trunk_ids=[])]).trunk is None


def test_the_narrower_rule_goes_first() -> None:
    """One room for all goes before a room for each, and a rule of the trunk before a rule for anybody."""
    lobby = api.SIPDispatchRule(dispatch_rule_direct=api.SIPDispatchRuleDirect(room_name="lobby"))
    found = match(Invite(OURS, CALLER), [a_trunk()], [a_rule(trunk_ids=[], rule=lobby), a_rule(), a_rule(rule=lobby)])
    assert (found.room, list(found.rule.trunk_ids)) == ("lobby", ["ST_1"])


def test_a_rule_with_a_pin_is_passed_over() -> None:
    """Nobody here can type a PIN."""
    asks = api.SIPDispatchRule(dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix="x", pin="1234"))
    with pytest.raises(Dropped, match="no dispatch rule"):
        match(Invite(OURS, CALLER), [a_trunk()], [a_rule(rule=asks)])
