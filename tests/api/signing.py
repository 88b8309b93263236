"""Webhooks as their senders make them: livekit-server signs a body's hash, Twilio an address and its fields."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from livekit import api
from twilio.request_validator import RequestValidator

from tests.conftest import SECRET

PUBLIC_URL = "https://voicefleet.example"
ACCOUNT, TOKEN = "AC" + "0" * 32, "twilio-token-of-the-tests-0123456"
LIVEKIT_TYPE, FORM_TYPE = "application/webhook+json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Posted:
    """One request to /api/webhook."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


def event(what: str, room: str, participant: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an event as livekit-server 1.13 sends it."""
    now = int(datetime.now(UTC).timestamp())
    told: dict[str, Any] = {"event": what, "id": f"EV_{secrets.token_hex(6)}", "createdAt": str(now)}
    told["room"] = {"sid": "RM_x", "name": room, "emptyTimeout": 105, "creationTime": str(now)}
    return told | ({"participant": {"sid": "PA_x", "state": "ACTIVE"} | participant} if participant else {})


def phone(**more: Any) -> dict[str, Any]:
    """Return the callee's participant."""
    attributes = {"sip.callID": "SCL_abc", "sip.phoneNumber": "+12025550100", "sip.callStatus": "ringing"}
    return {"identity": "callee", "kind": "SIP", "attributes": attributes} | more


def from_livekit(
    told: dict[str, Any], *, key: str = "testing", secret: str = SECRET, valid: timedelta = timedelta(minutes=5)
) -> Posted:
    """Return `told`, signed with this key."""
    body = json.dumps(told).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = api.AccessToken(key, secret).with_ttl(valid).with_sha256(digest).to_jwt()
    return Posted(body, {"Authorization": token, "Content-Type": LIVEKIT_TYPE})


def a_text(text: str = "Yes, 18 dollars.", number: str = "+12025550100", **more: str) -> dict[str, str]:
    """Return an inbound message as Twilio posts it."""
    sid = f"SM{secrets.token_hex(16)}"
    return {
        "ToCountry": "US", "ToState": "DC", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "", "FromZip": "", "SmsSid": sid,
        "FromState": "DC", "SmsStatus": "received", "FromCity": "", "Body": text, "FromCountry": "US", "To": "+12025550199",
        "ToZip": "", "NumSegments": "1", "MessageSid": sid, "AccountSid": ACCOUNT, "From": number, "ApiVersion": "2010-04-01",
    } | more  # fmt: skip


def from_twilio(
    fields: dict[str, str], *, url: str = f"{PUBLIC_URL}/api/webhook", token: str = TOKEN, body: bytes | None = None
) -> Posted:
    """Return `fields`, signed for `url`."""
    signature = RequestValidator(token).compute_signature(url, fields)
    content = urlencode(fields).encode() if body is None else body
    return Posted(content, {"X-Twilio-Signature": signature, "Content-Type": f"{FORM_TYPE}; charset=UTF-8"})
