"""Makes what livekit-server stores equal what is wanted: a trunk or a dispatch rule, found by its managed name.

Names in livekit-server are not unique and creating is not atomic, so two runs at once could make two; callers that may
run side by side hold a lock around `ensure`. What others stored under other names is never touched. Deciding what is
wanted is not done here.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from livekit import api
from livekit.protocol.sip import ListSIPDispatchRuleRequest, ListSIPInboundTrunkRequest, ListSIPOutboundTrunkRequest

PREFIX = "voicefleet/"

Stored = TypeVar("Stored", api.SIPOutboundTrunkInfo, api.SIPInboundTrunkInfo, api.SIPDispatchRuleInfo)


@dataclass(frozen=True, slots=True)
class Shelf(Generic[Stored]):
    """Where livekit-server keeps things of one kind."""

    read: Callable[[], Awaitable[Sequence[Stored]]]
    create: Callable[[Stored], Awaitable[Stored]]
    replace: Callable[[str, Stored], Awaitable[Stored]]
    id_of: Callable[[Stored], str]


@dataclass(frozen=True, slots=True)
class Ensured:
    """What became of one wanted thing. `extra_ids` are others of the same name, left for a person to judge."""

    id: str
    did: Literal["created", "updated", "kept"]
    extra_ids: tuple[str, ...] = ()


async def ensure(shelf: Shelf[Stored], key: str, wanted: Stored) -> Ensured:
    """Creates the thing named `voicefleet/<key>`, or replaces it when it is not as wanted."""
    wanted = _marked(key, wanted)
    mine = await _of_this_name(shelf, wanted)
    if not mine:
        return Ensured(shelf.id_of(await shelf.create(wanted)), "created")
    first, extra = shelf.id_of(mine[0]), tuple(shelf.id_of(one) for one in mine[1:])
    if not differences(mine[0], wanted):
        return Ensured(first, "kept", extra)
    await shelf.replace(first, wanted)
    return Ensured(first, "updated", extra)


async def drift(shelf: Shelf[Stored], key: str, wanted: Stored) -> list[str] | None:
    """The names of the fields that are not as wanted; None when the thing is not stored at all. Changes nothing."""
    wanted = _marked(key, wanted)
    mine = await _of_this_name(shelf, wanted)
    return differences(mine[0], wanted) if mine else None


def differences(stored: Stored, wanted: Stored) -> list[str]:
    """The fields somebody changed. Names only: values may be passwords. The hash in `metadata` shows a changed wish."""
    return [field.name for field, value in wanted.ListFields() if getattr(stored, field.name) != value]


def outbound_trunks(lkapi: api.LiveKitAPI) -> Shelf[api.SIPOutboundTrunkInfo]:
    return Shelf(
        read=lambda: _items(lkapi.sip.list_outbound_trunk(ListSIPOutboundTrunkRequest())),
        create=lambda trunk: lkapi.sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=trunk)),
        replace=lkapi.sip.update_outbound_trunk,
        id_of=lambda trunk: trunk.sip_trunk_id,
    )


def inbound_trunks(lkapi: api.LiveKitAPI) -> Shelf[api.SIPInboundTrunkInfo]:
    return Shelf(
        read=lambda: _items(lkapi.sip.list_inbound_trunk(ListSIPInboundTrunkRequest())),
        create=lambda trunk: lkapi.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk)),
        replace=lkapi.sip.update_inbound_trunk,
        id_of=lambda trunk: trunk.sip_trunk_id,
    )


def dispatch_rules(lkapi: api.LiveKitAPI) -> Shelf[api.SIPDispatchRuleInfo]:
    """Refuses a rule without `trunk_ids`: it would accept calls from anybody, without any authentication."""

    def safe(rule: api.SIPDispatchRuleInfo) -> api.SIPDispatchRuleInfo:
        if not any(rule.trunk_ids):
            raise ValueError("a dispatch rule without trunk_ids lets anybody in; name the trunks it is for")
        return rule

    return Shelf(
        read=lambda: _items(lkapi.sip.list_dispatch_rule(ListSIPDispatchRuleRequest())),
        create=lambda rule: lkapi.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=safe(rule))),
        replace=lambda rule_id, rule: lkapi.sip.update_dispatch_rule(rule_id, safe(rule)),
        id_of=lambda rule: rule.sip_dispatch_rule_id,
    )


async def _items(answer: Awaitable[object]) -> Sequence[Stored]:
    items: Sequence[Stored] = (await answer).items  # type: ignore[attr-defined]  # the three answers share no class
    return items


def _marked(key: str, wanted: Stored) -> Stored:
    """A copy under its managed name, with the hash of the whole wish: a field that is wished away changes it too."""
    marked = type(wanted)()
    marked.CopyFrom(wanted)
    marked.name = f"{PREFIX}{key}"
    spec_sha = hashlib.sha256(marked.SerializeToString(deterministic=True)).hexdigest()
    marked.metadata = json.dumps({"managed_by": "voicefleet", "spec_sha": spec_sha})
    return marked


async def _of_this_name(shelf: Shelf[Stored], wanted: Stored) -> list[Stored]:
    """Ours first, then the oldest. livekit-server 1.13 leaves the times empty, so the id makes the order certain."""

    def order(one: Stored) -> tuple[bool, int, str]:
        return '"spec_sha"' not in one.metadata, one.created_at.ToNanoseconds(), shelf.id_of(one)

    return sorted((one for one in await shelf.read() if one.name == wanted.name), key=order)
