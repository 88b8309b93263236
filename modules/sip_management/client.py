"""The connection to livekit-server's SIP API, for changing and reading what it stores; dialling has its own."""

import aiohttp
from livekit import api

from config import Settings
from modules.sip_management.shelves import Noun

AWAY = (api.ServerError, aiohttp.ClientError, TimeoutError)
"""What is raised where livekit-server does not answer, or not as it should."""
_ANSWER_S = 10.0
_ALSO = {"inbound": Noun.INBOUND, "outbound": Noun.OUTBOUND, "dispatch": Noun.RULE}


def sip_client(settings: Settings) -> api.LiveKitAPI:
    """Return a client that asks this fleet's livekit-server once and waits 10 s at most. Close it with `aclose`."""
    secret = settings.livekit_api_secret.get_secret_value()
    limit = aiohttp.ClientTimeout(total=_ANSWER_S)
    return api.LiveKitAPI(settings.http_url, settings.livekit_api_key, secret, timeout=limit, failover=False)


def why(error: BaseException) -> str:
    """Return livekit-server's own words, or what kind of silence it was."""
    return error.message if isinstance(error, api.ServerError) and error.message else type(error).__name__


def noun_of(word: str) -> Noun | None:
    """Return what `lk` calls inbound-trunk or inbound, outbound-trunk or outbound, dispatch-rule or dispatch."""
    return _ALSO.get(word) or next((noun for noun in Noun if noun == word), None)
