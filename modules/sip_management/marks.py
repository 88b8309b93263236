"""By what we know our own things in livekit-server: a name, and a mark in their metadata. What has neither is never touched.

Names there are not unique and ids are made by the server, so the name is ours to choose and to keep unique.
"""

import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

from livekit import api

from modules.sip_management.shelves import SERVER_MADE, Noun, Thing

Source = Literal["configuration", "request"]
_WORDS = {Noun.INBOUND: "inbound-", Noun.OUTBOUND: "outbound-", Noun.RULE: "inbound"}
_BY = "voicefleet"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the metadata of a thing of ours says: which fleet made it, from what, and the hash of the wish."""

    fleet: str
    source: Source
    spec_sha: str


def managed_name(fleet: str, noun: Noun, key: str = "") -> str:
    """Return the name of a thing made from the configuration, e.g. voicefleet-inbound-default."""
    return f"{fleet}-{_WORDS[noun]}{key}"


def key_of(thing: Thing, fleet: str, noun: Noun) -> str:
    """Return what the configuration calls a thing of this fleet's, "" for one of somebody else's."""
    mark, prefix = mark_of(thing), managed_name(fleet, noun)
    ours = mark is not None and (mark.fleet, mark.source) == (fleet, "configuration") and thing.name.startswith(prefix)
    return thing.name.removeprefix(prefix) if ours else ""


def marked(wish: Thing, name: str, fleet: str, source: Source) -> Thing:
    """Return a copy under its name, with the mark. The hash leaves passwords out, and ids, which change."""
    copy, bare = deepcopy(wish), deepcopy(wish)
    copy.name = bare.name = name
    if isinstance(bare, api.SIPInboundTrunkInfo | api.SIPOutboundTrunkInfo):
        bare.auth_password = ""
    else:
        del bare.trunk_ids[:]
    sha = hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()
    copy.metadata = json.dumps({"managed_by": _BY, "fleet": fleet, "from": source, "spec_sha": sha})
    return copy


def mark_of(thing: Thing) -> Mark | None:
    """Return the mark of a thing, None where another made it."""
    try:
        told = json.loads(thing.metadata or "null")
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("managed_by") != _BY:
        return None
    source: Source = "request" if told.get("from") == "request" else "configuration"
    return Mark(str(told.get("fleet", "")), source, str(told.get("spec_sha", "")))


def differences(stored: Thing, wish: Thing) -> list[str]:
    """Return the names of the fields in which a stored thing is not as wished; those somebody added are among them."""
    fields = [field.name for field in wish.DESCRIPTOR.fields if field.name not in SERVER_MADE]
    return [name for name in fields if getattr(stored, name) != getattr(wish, name)]
