"""Where livekit-server keeps trunks and dispatch rules: reading, making, replacing and deleting one, the same for all kinds."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, cast

from livekit import api
from livekit.protocol.sip import (
    DeleteSIPDispatchRuleRequest,
    DeleteSIPTrunkRequest,
    ListSIPDispatchRuleRequest,
    ListSIPInboundTrunkRequest,
    ListSIPOutboundTrunkRequest,
)

Thing: TypeAlias = api.SIPInboundTrunkInfo | api.SIPOutboundTrunkInfo | api.SIPDispatchRuleInfo


class Noun(StrEnum):
    """What there is, in the words of LiveKit's own `lk`."""

    INBOUND = "inbound-trunk"
    OUTBOUND = "outbound-trunk"
    RULE = "dispatch-rule"


TYPES: Mapping[Noun, type[Thing]] = {
    Noun.INBOUND: api.SIPInboundTrunkInfo,
    Noun.OUTBOUND: api.SIPOutboundTrunkInfo,
    Noun.RULE: api.SIPDispatchRuleInfo,
}
_IDS = {Noun.INBOUND: "sip_trunk_id", Noun.OUTBOUND: "sip_trunk_id", Noun.RULE: "sip_dispatch_rule_id"}
SERVER_MADE = frozenset({*_IDS.values(), "created_at", "updated_at"})
"""Fields livekit-server fills in."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where livekit-server keeps things of one kind. Each raises livekit's ServerError, aiohttp's ClientError, TimeoutError."""

    read: Callable[[], Awaitable[Sequence[Thing]]]
    create: Callable[[Any], Awaitable[Thing]]
    replace: Callable[[str, Any], Awaitable[Thing]]
    delete: Callable[[str], Awaitable[object]]


def id_of(noun: Noun, thing: Thing) -> str:
    """Return the id livekit-server gave it, "" before that."""
    return str(getattr(thing, _IDS[noun]))


def shelves(lkapi: api.LiveKitAPI) -> dict[Noun, Shelf]:
    """Return the shelf of each kind. That of rules refuses a rule without `trunk_ids`: it would let anybody in."""
    sip = lkapi.sip
    return {
        Noun.INBOUND: Shelf(
            read=lambda: _items(sip.list_inbound_trunk(ListSIPInboundTrunkRequest())),
            create=lambda trunk: sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk)),
            replace=sip.update_inbound_trunk,
            delete=lambda trunk_id: sip.delete_trunk(DeleteSIPTrunkRequest(sip_trunk_id=trunk_id)),
        ),
        Noun.OUTBOUND: Shelf(
            read=lambda: _items(sip.list_outbound_trunk(ListSIPOutboundTrunkRequest())),
            create=lambda trunk: sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=trunk)),
            replace=sip.update_outbound_trunk,
            delete=lambda trunk_id: sip.delete_trunk(DeleteSIPTrunkRequest(sip_trunk_id=trunk_id)),
        ),
        Noun.RULE: Shelf(
            read=lambda: _items(sip.list_dispatch_rule(ListSIPDispatchRuleRequest())),
            create=lambda rule: sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=_safe(rule))),
            replace=lambda rule_id, rule: sip.update_dispatch_rule(rule_id, _safe(rule)),
            delete=lambda rule_id: sip.delete_dispatch_rule(DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=rule_id)),
        ),
    }


async def everything(lkapi: api.LiveKitAPI) -> dict[Noun, list[Thing]]:
    """Return all that is stored now, ours and others', the passwords in clear."""
    return {noun: [thing for thing in await shelf.read() if id_of(noun, thing)] for noun, shelf in shelves(lkapi).items()}


def _safe(rule: api.SIPDispatchRuleInfo) -> api.SIPDispatchRuleInfo:
    if not any(rule.trunk_ids):
        raise ValueError("a dispatch rule without trunk_ids lets anybody in; name the trunks it is for")
    return rule


async def _items(answer: Awaitable[Any]) -> Sequence[Thing]:
    return cast(Sequence[Thing], (await answer).items)
