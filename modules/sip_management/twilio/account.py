"""The way to one Twilio account, by Twilio's own library."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from modules.sip_management.twilio.errors import TwilioTrouble

if TYPE_CHECKING:
    from modules.sip_management.twilio.transport import Pause

_SID = re.compile(r"AC[0-9a-f]{32}", re.ASCII)
_WHERE = "copy it from the front page of console.twilio.com into .env"


@asynccontextmanager
async def opened(sid: str, token: str, base_url: str = "", pause: "Pause" = asyncio.sleep) -> AsyncIterator[Any]:
    """Return Twilio's client for an account; `base_url` stands in for all of Twilio's addresses. Raises TwilioTrouble."""
    if not _SID.fullmatch(sid):
        kind = "is an API key's" if sid.startswith("SK") else "is empty" if not sid else "is not one"
        raise TwilioTrouble(f"TWILIO_ACCOUNT_SID {kind}; an account's SID is AC and 32 digits or letters a to f.", _WHERE)
    if not token:
        raise TwilioTrouble("TWILIO_AUTH_TOKEN is empty.", _WHERE)
    from twilio.rest import Client

    from modules.sip_management.twilio.transport import Transport

    transport = Transport(base_url, pause)
    try:
        # An environment of our own, so that TWILIO_REGION and TWILIO_EDGE of the machine have no say.
        yield Client(sid, token, http_client=transport, environment={"TWILIO_ACCOUNT_SID": sid})
    finally:
        await transport.close()
