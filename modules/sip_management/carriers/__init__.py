"""What is known of each carrier, one dated YAML file each beside this one: address forms, transports, the rule for From, the
addresses it calls from, and its quirks, each with the page it was read on.

A trunk's hostname picks its carrier; `carrier:` in trunks.yaml overrides that. What follows from it is decided in trunks.py
(transport, From host), inbound.py (allowed addresses) and findings.py (what to warn of).
"""

import functools
import ipaddress
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from modules.strict_yaml import YamlError, near, read_strict

FOLDER = Path(__file__).parent
GENERIC, LAN = "generic", "lan"
Transport = Literal["auto", "udp", "tcp", "tls"]
_FORMS = {
    "e164": (re.compile(r"\+[1-9]\d{6,14}"), "+ and country code, e.g. +12025550100"),
    "any": (re.compile(r"\+?[1-9]\d{6,14}"), "digits with country code, e.g. +12025550100"),
    "extension": (re.compile(r"\+?[\w.*#-]{1,64}"), "a number or an extension"),
}


def _network(text: str) -> str:
    """A network and never a bare address: livekit-server would let in whoever writes a bare address into the From header."""
    if "/" not in text:
        raise ValueError(f"expected a network such as {text}/32")
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"expected a network such as 192.0.2.0/24: {error}") from None


def _page(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError("expected the address of a page, https://…")
    return text


Network = Annotated[str, AfterValidator(_network)]
Page = Annotated[str, AfterValidator(_page)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Note(_Strict):
    """Something worth knowing, and where it was read ("" for what follows from LiveKit or from SIP itself)."""

    says: str = Field(min_length=1)
    source: Page | Literal[""] = ""


class NotAHostname(Note):
    """An address people write by mistake, as a pattern with `*`."""

    pattern: str = Field(min_length=1)


class Transports(_Strict):
    """How SIP may be carried; `auto` lets livekit-sip choose."""

    offers: list[Literal["udp", "tcp", "tls"]] = Field(min_length=1)
    default: Transport = "auto"


class FromNumber(Note):
    """What may stand in the From header: `e164` needs the +, `any` takes it with or without, `extension` takes anything short."""

    form: Literal["e164", "any", "extension"]


class Signalling(Note):
    """The networks calls come from, by region."""

    also: Page | Literal[""] = ""
    regions: dict[str, list[Network]] = Field(min_length=1)


class Carrier(_Strict):
    """One file of this folder."""

    name: str = Field(min_length=1)
    seen: str = Field(pattern=r"^20\d\d-[01]\d-[0-3]\d$", title="a day such as 2026-11-21")
    hostname_form: str = Field(min_length=1)
    hostnames: list[str] = Field(min_length=1)
    not_hostnames: list[NotAHostname] = []
    transport: Transports
    from_host: Literal["", "hostname"] = ""
    from_number: FromNumber
    signalling: Signalling | None = None
    quirks: list[Note] = []
    unverified: list[str] = []

    @property
    def networks(self) -> tuple[str, ...]:
        """Return all networks it calls from; none where they are not known."""
        return tuple(network for region in self.signalling.regions.values() for network in region) if self.signalling else ()

    def from_problem(self, number: str) -> str:
        """Return why this carrier will not take `number` as the caller's, "" where it will."""
        pattern, example = _FORMS[self.from_number.form]
        if pattern.fullmatch(number):
            return ""
        return f"{self.name} expects {example} as the number to call from. {self.from_number.says}"

    def hostname_problem(self, hostname: str) -> str:
        """Return why `hostname` cannot be a trunk of this carrier, "" where nothing speaks against it."""
        host = host_of(hostname)
        for mistaken in self.not_hostnames:
            if fnmatchcase(host, mistaken.pattern):
                return mistaken.says
        return ""


@functools.cache
def carriers() -> dict[str, Carrier]:
    """Return every carrier by the name of its file. Raises YamlError."""
    return {path.stem: read_strict(path, Carrier) for path in sorted(FOLDER.glob("*.yaml"))}


def carrier_id(hostname: str) -> str:
    """Return the carrier that an address belongs to: its own file, `lan` for private addresses, else `generic`."""
    host = host_of(hostname)
    for name, carrier in carriers().items():
        patterns = [*carrier.hostnames, *(mistaken.pattern for mistaken in carrier.not_hostnames)]
        if name != GENERIC and any(fnmatchcase(host, pattern) for pattern in patterns):
            return name
    return LAN if _is_private(host) else GENERIC


def host_of(hostname: str) -> str:
    """Return `host[:port]` or `[v6]:port` without the port, in small letters."""
    host = hostname.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def own_network(hostname: str) -> str:
    """Return the network of exactly the address that `hostname` is, "" where it is a name."""
    try:
        return str(ipaddress.ip_network(host_of(hostname)))
    except ValueError:
        return ""


def unknown(name: str) -> str:
    """Return what to say of a carrier that there is no file for."""
    return f"expected one of {', '.join(carriers())}, found '{name}'{near(name, list(carriers()))}"


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


__all__ = [
    "GENERIC", "LAN", "Carrier", "Network", "Transport", "YamlError",
    "carrier_id", "carriers", "host_of", "own_network", "unknown",
]  # fmt: skip
