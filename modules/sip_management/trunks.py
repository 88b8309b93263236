"""Which ways lead to a telephone: the trunks this configuration names. Making them in livekit-server is ensure.py's job."""

from dataclasses import dataclass

from livekit import api

from config import Settings
from modules.calls.errors import InvalidField

REAL = "default"
SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Trunk:
    """One trunk. `sip_api_url` is who answers LiveKit's SIP API for it; a stored trunk has an id, an inline one its config."""

    name: str
    sip_api_url: str
    simulated: bool
    from_number: str
    stored_id: str = ""
    inline: api.SIPOutboundConfig | None = None


def configured(settings: Settings) -> dict[str, Trunk]:
    """Return the configured trunks by name, the one used by default first."""
    trunks: dict[str, Trunk] = {}
    if settings.sip_outbound_trunk_id or settings.sip_trunk_hostname:
        trunks[REAL] = _real(settings)
    if settings.sip_api_url:
        # A real SIP API is always livekit-server itself; any other address is the simulated carrier, which cannot dial.
        trunks[SIMULATED] = Trunk(SIMULATED, settings.sip_api_url, True, "+12025550199", stored_id="ST_simulated")
    return trunks


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


def _real(settings: Settings) -> Trunk:
    if settings.sip_outbound_trunk_id:
        return Trunk(REAL, settings.http_url, False, settings.sip_from_number, stored_id=settings.sip_outbound_trunk_id)
    inline = api.SIPOutboundConfig(
        hostname=settings.sip_trunk_hostname,
        auth_username=settings.sip_auth_username,
        auth_password=settings.sip_auth_password.get_secret_value(),
    )
    return Trunk(REAL, settings.http_url, False, settings.sip_from_number, inline=inline)
