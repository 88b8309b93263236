"""Who sent a webhook. LiveKit signs a token that holds the body's hash; Twilio signs its address and every field.

There is no switch to turn this off. What is wrong is told apart for the operator only where it gives nothing away.
"""

from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from google.protobuf.json_format import ParseError
from livekit import api
from livekit.protocol.webhook import WebhookEvent
from starlette.datastructures import ImmutableMultiDict

from config import Settings
from modules.api_server.errors import BadSignature, StaleWebhook
from modules.calls.errors import BadRequest

TOLERANCE = timedelta(seconds=300)
"""An event older than this is refused, however well it is signed."""
LONGEST_SIGNATURE = 8192
_MOST_FIELDS = 200

Form = ImmutableMultiDict[str, str]


def livekit_event(body: bytes, token: str, settings: Settings, now: datetime) -> WebhookEvent:
    """Return what livekit-server tells. Raises BadSignature, StaleWebhook."""
    secret = settings.livekit_api_secret.get_secret_value()
    receiver = api.WebhookReceiver(api.TokenVerifier(settings.livekit_api_key, secret, leeway=timedelta(seconds=10)))
    try:
        if len(token) > LONGEST_SIGNATURE:
            raise ValueError("no token is that long")
        event: WebhookEvent = receiver.receive(body.decode(), token.removeprefix("Bearer ").strip())
    except ParseError:
        raise BadRequest("This is signed by livekit-server and is not an event that can be read.") from None
    except Exception:  # livekit-api raises a bare Exception where the body does not fit its hash
        raise BadSignature("This is not signed with LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or was some minutes ago.") from None
    if abs(now.timestamp() - event.created_at) > TOLERANCE.total_seconds():
        raise StaleWebhook(f"This event is more than {TOLERANCE.seconds} s old.")
    return event


def twilio_fields(body: bytes, signature: str, address: str, settings: Settings) -> Form:
    """Return the fields of a Twilio callback to `address` (path and query). Raises BadSignature, BadRequest."""
    token = settings.twilio_auth_token.get_secret_value()
    if not (token and settings.public_base_url and settings.twilio_account_sid):
        raise BadSignature("No callback can be checked without TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and PUBLIC_BASE_URL.")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadRequest("The body is not a form in UTF-8.") from None
    form: Form = ImmutableMultiDict(fields)
    from twilio.request_validator import RequestValidator  # half a second that only fleets with Twilio spend

    url = settings.public_base_url.rstrip("/") + address
    known = signature.isascii() and len(signature) <= LONGEST_SIGNATURE
    if not (known and RequestValidator(token).validate(url, form, signature)):
        raise BadSignature(f"This is not signed by Twilio for {settings.public_base_url}; is PUBLIC_BASE_URL what Twilio calls?")
    if form.get("AccountSid") != settings.twilio_account_sid:
        raise BadSignature("This callback is about another Twilio account.")
    return form
