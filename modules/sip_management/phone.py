"""The phone of an inbound call, as LiveKit shows it in the call's room: who calls which of our numbers. No decision here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from modules.calls import numbers
from modules.calls.errors import InvalidNumber
from modules.sip_management.trunks import REAL, SIMULATED

_CALLER, _CALLED = "sip.phoneNumber", "sip.trunkPhoneNumber"
_EXTENSION = frozenset("0123456789*#")
_LONGEST_EXTENSION = 15


@dataclass(frozen=True, slots=True)
class Phone:
    """A participant of kind SIP. Numbers are E.164, an extension of a local exchange as it is, or "" where hidden."""

    identity: str
    caller: str
    called: str
    sip_call_id: str
    simulated: bool

    @classmethod
    def of(cls, identity: str, attributes: Mapping[str, str], default_region: str) -> Self:
        """Return the phone that these `sip.*` attributes describe."""
        return cls(
            identity=identity,
            caller=_number(attributes.get(_CALLER, ""), default_region),
            called=_number(attributes.get(_CALLED, ""), default_region),
            sip_call_id=attributes.get("sip.callID", ""),
            simulated=attributes.get("sip.simulated") == "true",
        )

    @property
    def trunk(self) -> str:
        """The name of the kind of trunk it came in over."""
        return SIMULATED if self.simulated else REAL


def _number(text: str, default_region: str) -> str:
    """What a network says may be anything: "anonymous", a name, a number in its own way of writing."""
    try:
        return numbers.parse(text, default_region)
    except InvalidNumber:
        return text if 0 < len(text) <= _LONGEST_EXTENSION and set(text) <= _EXTENSION else ""
