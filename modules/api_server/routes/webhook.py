"""POST /api/webhook: livekit-server's events, Twilio's callbacks, and a ping. A signature proves who sent it, not a key.

The guard lets this address through without a key; everything that is not signed, and not a ping with a key, is refused here.
"""

import json
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from livekit.protocol.webhook import WebhookEvent

from modules.api_server.errors import BodyTooLarge, InvalidJson, NotSignedIn, UnknownMediaType
from modules.api_server.keys import Principal
from modules.api_server.metrics import Metrics
from modules.api_server.parts import Now, Parts, Using
from modules.api_server.webhooks import messages, sightings
from modules.api_server.webhooks.replays import once
from modules.api_server.webhooks.signed import TOLERANCE, Form, livekit_event, twilio_fields
from modules.call_queue_manager import keys
from modules.calls import numbers
from modules.calls.errors import BadRequest
from modules.metrics_logger import get_logger

log = get_logger(__name__)
router = APIRouter(tags=["webhooks"])

LONGEST_BODY = 65_536
_LIVEKIT, _FORM, _JSON = "application/webhook+json", "application/x-www-form-urlencoded", "application/json"
_NOTHING_TO_DO = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
# Twilio's signature carries no time, so a copy of a callback must be known for as long as it could still find its call.
_TWILIO_KEPT_S = keys.LIVE_TTL_S
_OBJECT = {"schema": {"type": "object"}}
_BODIES = {"content": {_LIVEKIT: _OBJECT, _FORM: _OBJECT, _JSON: _OBJECT | {"example": {"type": "ping"}}}}


@router.post("/api/webhook", openapi_extra={"requestBody": _BODIES})
async def webhook(request: Request, parts: Using, now: Now) -> Response:
    """Take in a signed webhook, or answer a ping. Refused: what is unsigned, older than 300 s, or was sent before."""
    body = await request.body()
    if len(body) > LONGEST_BODY:
        raise BodyTooLarge(f"A webhook may have {LONGEST_BODY} bytes at most.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (_LIVEKIT, _FORM, _JSON):
        raise UnknownMediaType(f"A webhook is {_LIVEKIT}, {_FORM}, or {_JSON} for a ping.")
    metrics: Metrics = request.app.state.metrics
    if media_type == _FORM:
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        signature = request.headers.get("x-twilio-signature", "")
        return await _from_twilio(parts, metrics, twilio_fields(body, signature, address, parts.settings), signature, now)
    if media_type == _LIVEKIT:
        token = request.headers.get("authorization", "")
        return await _from_livekit(parts, metrics, livekit_event(body, token, parts.settings, now))
    return _ping(body, request.scope.get("state", {}).get("principal"))


async def _from_livekit(parts: Parts, metrics: Metrics, event: WebhookEvent) -> Response:
    seen = sightings.sighting(event)
    result, call_id = "ignored", None
    if seen is not None:
        live = await parts.live.get()
        async with once(live.store, "livekit", event.id, 2 * int(TOLERANCE.total_seconds())):
            result, call_id = await sightings.take_in(live, seen)
    metrics.webhook("livekit", event.event if event.event in sightings.EVENTS else "other", result)
    log.info("webhook.taken_in", sender="livekit", event_type=event.event[:40], result=result, call_id=call_id)
    return JSONResponse({"status": "ok"})


async def _from_twilio(parts: Parts, metrics: Metrics, form: Form, signature: str, now: datetime) -> Response:
    kind, result, call_id = "other", "ignored", None
    if "MessageSid" in form and "Body" in form:
        kind = "message"
        live = await parts.live.get()
        async with once(live.store, "twilio", signature, _TWILIO_KEPT_S):
            call_id = await messages.take_in(parts, form, now)
        result = "noted" if call_id else "no_call"
    metrics.webhook("twilio", kind, result)
    sender = numbers.mask(form.get("From", "")[:32])
    log.info("webhook.taken_in", sender="twilio", event_type=kind, result=result, call_id=call_id, from_number=sender)
    return Response(_NOTHING_TO_DO, media_type="application/xml")


def _ping(body: bytes, principal: Principal | None) -> Response:
    if principal is None:
        raise NotSignedIn("A webhook is signed by its sender; a ping needs a valid API key.")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidJson("The body is not valid JSON.") from None
    if not isinstance(said, dict) or said.get("type") != "ping":
        raise BadRequest('With an API key this address answers {"type": "ping"} only; webhooks are signed by their sender.')
    return JSONResponse({"status": "ok", "type": "pong"})
