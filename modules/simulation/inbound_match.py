"""May this INVITE come in, and into which room? Decided as LiveKit decides it, from stored trunks and rules.

Numbers are compared as they are written. What matches nothing is dropped without a word, as livekit-sip does with
`hide_inbound_port`. A rule without `trunk_ids` takes an INVITE that no trunk knows, without any password: so does LiveKit.
Rules with a PIN are passed over: nobody can type one here. No I/O.
"""

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from livekit import api

# A rule for one room goes before one for each caller, that one before one for each called number.
_KINDS = ("dispatch_rule_direct", "dispatch_rule_individual", "dispatch_rule_callee")


@dataclass(frozen=True, slots=True)
class Invite:
    """What a carrier asks for: who calls whom, from which network address, with which user and password."""

    to_number: str
    from_number: str
    address: str = "127.0.0.1"
    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The way in: the trunk (None: no trunk, a rule for anybody), the rule, and the room that the rule names for this call."""

    trunk: api.SIPInboundTrunkInfo | None
    rule: api.SIPDispatchRuleInfo
    room: str


class Dropped(Exception):
    """Nothing answers this INVITE; the message is for the ledger, the caller is told nothing."""


def match(invite: Invite, trunks: Sequence[api.SIPInboundTrunkInfo], rules: Sequence[api.SIPDispatchRuleInfo]) -> Match:
    """Return the way in for an INVITE. Raises Dropped."""
    able = [one for one in trunks if _lets_in(one, invite)]
    trunk = next((one for one in able if one.numbers), able[0] if able else None)
    if trunk and trunk.auth_username and (trunk.auth_username, trunk.auth_password) != (invite.username, invite.password):
        raise Dropped("the trunk's user and password do not match")
    trunk_id = trunk.sip_trunk_id if trunk else ""
    fitting = [one for one in rules if _is_for(one, trunk_id, invite) and _kind(one) in _KINDS and not _pin(one)]
    if not fitting:
        raise Dropped("no dispatch rule" if trunk else "no trunk")
    rule = min(fitting, key=lambda one: (not one.trunk_ids, _KINDS.index(_kind(one))))
    return Match(trunk, rule, _room(rule, invite))


def _lets_in(trunk: api.SIPInboundTrunkInfo, invite: Invite) -> bool:
    return (
        (not trunk.numbers or invite.to_number in trunk.numbers)
        and (not trunk.allowed_numbers or invite.from_number in trunk.allowed_numbers)
        and (not trunk.allowed_addresses or any(_within(invite.address, allowed) for allowed in trunk.allowed_addresses))
    )


def _within(address: str, allowed: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(allowed, strict=False)
    except ValueError:
        return address == allowed


def _is_for(rule: api.SIPDispatchRuleInfo, trunk_id: str, invite: Invite) -> bool:
    return (
        (not rule.trunk_ids or trunk_id in rule.trunk_ids)
        and (not rule.numbers or invite.to_number in rule.numbers)
        and (not rule.inbound_numbers or invite.from_number in rule.inbound_numbers)
    )


def _kind(rule: api.SIPDispatchRuleInfo) -> str:
    return str(rule.rule.WhichOneof("rule"))


def _pin(rule: api.SIPDispatchRuleInfo) -> str:
    return str(getattr(rule.rule, _kind(rule)).pin)


def _room(rule: api.SIPDispatchRuleInfo, invite: Invite) -> str:
    kind, unique = getattr(rule.rule, _kind(rule)), secrets.token_hex(6)
    match _kind(rule):
        case "dispatch_rule_direct":
            return str(kind.room_name)
        case "dispatch_rule_callee":
            parts = [kind.room_prefix, invite.to_number, unique if kind.randomize else ""]
        case _:
            parts = [kind.room_prefix, invite.from_number, "" if kind.no_randomness else unique]
    return "_".join(part for part in parts if part)
