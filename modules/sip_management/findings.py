"""What the phone side looks like right now, compared with the configuration. It reports; it repairs nothing."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp
from livekit import api

from config import Settings
from modules.sip_management.ensure import drift, outbound_trunks
from modules.sip_management.reach import Reach, reach

OUTBOUND = "outbound"
"""Key of the outbound trunk this configuration stores, when it is asked to store one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its name, whether it is well, and a sentence."""

    what: str
    ok: bool
    detail: str


def wanted_outbound(settings: Settings) -> api.SIPOutboundTrunkInfo | None:
    """The four values of the environment as a trunk livekit-server could store; None when they are not all there."""
    if not (settings.sip_trunk_hostname and settings.sip_from_number):
        return None
    return api.SIPOutboundTrunkInfo(
        address=settings.sip_trunk_hostname,
        numbers=[settings.sip_from_number],
        auth_username=settings.sip_auth_username,
        auth_password=settings.sip_auth_password.get_secret_value(),
    )


async def look(settings: Settings, lkapi: api.LiveKitAPI, ask: Callable[[str], Awaitable[Reach]] = reach) -> list[Finding]:
    """Looks at livekit-server's SIP API, the stored trunk and the carrier's address."""
    try:
        stored = await outbound_trunks(lkapi).read()
        findings = [Finding("livekit_sip_api", True, "livekit-server answers"), *await _stored(settings, lkapi, stored)]
    except (api.ServerError, aiohttp.ClientError, TimeoutError) as error:
        findings = [Finding("livekit_sip_api", False, f"livekit-server does not answer: {type(error).__name__}")]
    if settings.sip_trunk_hostname:
        answer = await ask(settings.sip_trunk_hostname)
        findings.append(Finding("carrier", answer == "answers", f"{settings.sip_trunk_hostname}: {answer}"))
    return findings


async def _stored(settings: Settings, lkapi: api.LiveKitAPI, stored: Sequence[api.SIPOutboundTrunkInfo]) -> list[Finding]:
    if trunk_id := settings.sip_outbound_trunk_id:
        there = any(trunk.sip_trunk_id == trunk_id for trunk in stored)
        return [Finding("stored_trunk", there, f"{trunk_id} is {'there' if there else 'not stored in livekit-server'}")]
    wanted = wanted_outbound(settings)
    changed = await drift(outbound_trunks(lkapi), OUTBOUND, wanted) if wanted else None
    if changed is None:
        return []
    detail = f"differs from the configuration in {', '.join(changed)}" if changed else "as configured"
    return [Finding("stored_trunk", not changed, detail)]
