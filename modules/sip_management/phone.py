"""The phone of an inbound call, as LiveKit shows it in the call's room: who calls which of our numbers, and over which trunk."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from livekit import api
from livekit.protocol.sip import ListSIPInboundTrunkRequest

from modules.calls import numbers
from modules.calls.errors import InvalidNumber
from modules.metrics_logger import get_logger
from modules.sip_management.client import AWAY
from modules.sip_management.marks import key_of
from modules.sip_management.shelves import Noun
from modules.sip_management.trunks import REAL, SIMULATED

log = get_logger("sip_management")

_CALLER, _CALLED = "sip.phoneNumber", "sip.trunkPhoneNumber"
_EXTENSION = frozenset("0123456789*#")
_LONGEST_EXTENSION = 15
# The caller hears ringing meanwhile.
_ANSWER_S = 2.0


@dataclass(frozen=True, slots=True)
class Phone:
    """A participant of kind SIP. Numbers are E.164, an extension of a local exchange as it is, or "" where hidden."""

    identity: str
    caller: str
    called: str
    sip_call_id: str
    simulated: bool
    trunk_id: str = ""

    @classmethod
    def of(cls, identity: str, attributes: Mapping[str, str], default_region: str) -> Self:
        """Return the phone that these `sip.*` attributes describe."""
        return cls(
            identity=identity,
            caller=_number(attributes.get(_CALLER, ""), default_region),
            called=_number(attributes.get(_CALLED, ""), default_region),
            sip_call_id=attributes.get("sip.callID", ""),
            simulated=attributes.get("sip.simulated") == "true",
            trunk_id=attributes.get("sip.trunkID", ""),
        )


async def trunk_of(lkapi: api.LiveKitAPI, phone: Phone, fleet: str) -> str:
    """Return the name of the trunk it came in over: ours as in the configuration, another's as it is stored.

    Where livekit-server cannot tell, it is the default one; a call is not kept waiting for that.
    """
    if phone.simulated:
        return SIMULATED
    if phone.trunk_id:
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await lkapi.sip.list_inbound_trunk(ListSIPInboundTrunkRequest(trunk_ids=[phone.trunk_id]))
        except AWAY as error:
            log.warning("trunk.not_known", error=type(error).__name__)
            return REAL
        for stored in found.items:
            if stored.sip_trunk_id == phone.trunk_id:
                return key_of(stored, fleet, Noun.INBOUND) or stored.name or REAL
    return REAL


def _number(text: str, default_region: str) -> str:
    """What a network says may be anything: "anonymous", a name, a number in its own way of writing."""
    try:
        return numbers.parse(text, default_region)
    except InvalidNumber:
        return text if 0 < len(text) <= _LONGEST_EXTENSION and set(text) <= _EXTENSION else ""
