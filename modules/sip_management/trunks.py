"""Which ways lead to a telephone: the trunks this configuration names. Making them in livekit-server is ensure.py's job.

The trunk of SIP_TRUNK_HOSTNAME and its three companions comes first and is called `default`; then those of trunks.yaml in
their order; last the simulated one. What a trunk leaves open, its carrier fills in.
"""

from dataclasses import dataclass, field
from pathlib import Path

from livekit import api
from livekit.protocol.sip import SIPTransport

from config import Settings
from modules.calls.errors import InvalidField, VoicefleetError
from modules.sip_management.carriers import Carrier, carrier_id, carriers, host_of
from modules.sip_management.trunk_file import InboundSpec, TrunkSpec, read
from modules.strict_yaml import YamlError

REAL = "default"
SIMULATED = "simulated"
LOOP = "doctor-loop"
"""Out of livekit-sip and in again on its own machine, for calls to ourselves; it is not listed and leads nowhere else."""
LOOP_FROM = "+12025550191"
_TAKEN = {
    REAL: "the settings SIP_TRUNK_HOSTNAME or SIP_OUTBOUND_TRUNK_ID",
    SIMULATED: "the simulated carrier",
    LOOP: "doctor --loop",
}
_ANYBODY_HERE = InboundSpec(allowed_addresses=["127.0.0.1/32"])


class TrunksUnusable(VoicefleetError):
    """The trunks cannot be told from the settings and trunks.yaml; the message names file and line."""

    code = "trunks_unusable"

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Trunk:
    """One trunk. `sip_api_url` is who answers LiveKit's SIP API for it; a stored trunk has an id, an inline one its config.

    `carrier` names a file of carriers/; "" for the simulated trunk.
    """

    name: str
    sip_api_url: str
    simulated: bool
    from_number: str
    stored_id: str = ""
    inline: api.SIPOutboundConfig | None = field(default=None, repr=False)
    carrier: str = ""
    inbound: InboundSpec = field(default_factory=InboundSpec)

    @property
    def hostname(self) -> str:
        """Return the carrier's address, "" where only a stored id is known."""
        return self.inline.hostname if self.inline else ""

    @property
    def preset(self) -> Carrier | None:
        """Return what is known of its carrier."""
        return carriers()[self.carrier] if self.carrier else None


def configured(settings: Settings, copy: Path | None = None) -> dict[str, Trunk]:
    """Return the configured trunks by name, the one used by default first. Raises TrunksUnusable.

    `copy` is read instead of trunks.yaml, beside which its password files lie all the same.
    """
    try:
        listed = read(copy or settings.sip_trunks_file, settings.sip_trunks_file.parent)
    except YamlError as error:
        raise TrunksUnusable(str(error), error.line) from None
    ours = of_settings(settings)
    for name in listed:
        if name in ours or name in (SIMULATED, LOOP):
            whose = _TAKEN[name]
            raise TrunksUnusable(f"{settings.sip_trunks_file}: trunks.{name}: {whose} made this trunk already; rename yours")
    real = {name: trunk for name, trunk in ours.items() if not trunk.simulated}
    return real | {name: _trunk(settings, name, spec) for name, spec in listed.items()} | ours


def of_settings(settings: Settings) -> dict[str, Trunk]:
    """Return the trunks that need no trunks.yaml: the one of the four settings, and the simulated one."""
    trunks: dict[str, Trunk] = {}
    if settings.sip_outbound_trunk_id or settings.sip_trunk_hostname:
        trunks[REAL] = _trunk(settings, REAL, _from_environment(settings))
    if settings.sip_api_url:
        # A real SIP API is always livekit-server itself; any other address is the simulated carrier, which cannot dial.
        trunks[SIMULATED] = Trunk(
            SIMULATED, settings.sip_api_url, True, "+12025550199", stored_id="ST_simulated", inbound=_ANYBODY_HERE
        )
    return trunks


def looped(settings: Settings) -> Trunk:
    """Return the trunk that calls livekit-sip itself: 127.0.0.1 is whatever machine or container livekit-sip runs on."""
    hostname = f"127.0.0.1:{settings.sip_port}"
    inline = api.SIPOutboundConfig(hostname=hostname, transport=SIPTransport.SIP_TRANSPORT_UDP)
    return Trunk(LOOP, settings.http_url, False, LOOP_FROM, inline=inline)


def choose(trunks: dict[str, Trunk], name: str) -> Trunk:
    """Return the named trunk, or the default one for "". Raises InvalidField with the known names."""
    if not trunks:
        raise InvalidField(
            "No trunk is configured: set SIP_TRUNK_HOSTNAME and its three companions, or SIP_API_URL for the simulated one.",
            field="trunk",
        )
    if not name:
        return next(iter(trunks.values()))
    if name not in trunks:
        raise InvalidField(f"There is no trunk '{name}'; there is {', '.join(trunks)}.", field="trunk")
    return trunks[name]


def transport(trunk: Trunk) -> str:
    """Return how SIP to this trunk is carried: auto, udp, tcp or tls."""
    return SIPTransport.Name(trunk.inline.transport).rpartition("_")[2].lower() if trunk.inline else "auto"


def _from_environment(settings: Settings) -> TrunkSpec:
    return TrunkSpec.model_construct(
        hostname=settings.sip_trunk_hostname,
        stored_id=settings.sip_outbound_trunk_id,
        username=settings.sip_auth_username,
        password=settings.sip_auth_password,
        from_number=settings.sip_from_number,
    )


def _trunk(settings: Settings, name: str, spec: TrunkSpec) -> Trunk:
    carrier = spec.carrier or carrier_id(spec.hostname)
    inline = None if spec.stored_id else _inline(spec, carriers()[carrier])
    return Trunk(name, settings.http_url, False, spec.from_number, spec.stored_id, inline, carrier, spec.inbound)


def _inline(spec: TrunkSpec, carrier: Carrier) -> api.SIPOutboundConfig:
    chosen = spec.transport or carrier.transport.default
    return api.SIPOutboundConfig(
        hostname=spec.hostname,
        transport=f"SIP_TRANSPORT_{chosen.upper()}",
        auth_username=spec.username,
        auth_password=spec.password.get_secret_value(),
        from_host=spec.from_host or (host_of(spec.hostname) if carrier.from_host else ""),
    )
