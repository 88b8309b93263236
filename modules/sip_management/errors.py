"""What a failed dial request means. The table is modules/calls/outcomes.py; here only LiveKit's exceptions are taken apart."""

import aiohttp
from livekit import api

from modules.calls.outcomes import UNKNOWN, Meaning, by_sip, by_twirp


def meaning_of(error: BaseException) -> tuple[Meaning, int | None]:
    """Return what `error` means for the call, and the SIP status where the far end sent one.

    A time-out or a broken connection says nothing about the phone: it may be ringing. That is `indeterminate`.
    """
    if isinstance(error, api.SipCallError) and error.sip_status_code is not None:
        return by_sip(error.sip_status_code, error.sip_status or ""), error.sip_status_code
    if isinstance(error, api.ServerError):
        return by_twirp(str(error.code), error.message or ""), None
    if isinstance(error, aiohttp.ClientConnectorError):
        return by_twirp("unavailable", ""), None  # no connection was made, so nothing was sent
    return UNKNOWN, None
