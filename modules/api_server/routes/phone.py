"""The seed's POST /api/phone/call: a call on someone's behalf under its older names. /api/phone/health is in health.py."""

from fastapi import APIRouter, Response

from modules.api_server.guard import Writes
from modules.api_server.parts import Now, Using
from modules.api_server.place import accept, repeat_of
from modules.api_server.routes.calls import IdempotencyKey, queued
from modules.api_server.schemas import NewCall, PhoneCall, Placed
from modules.calls.errors import VoicefleetError

router = APIRouter(tags=["calls"])


@router.post("/api/phone/call")
async def phone_call(
    body: PhoneCall, principal: Writes, parts: Using, now: Now, response: Response, idempotency_key: IdempotencyKey = None
) -> Placed:
    """Place a call on someone's behalf: as POST /v1/calls with the same fields, `phone_number` being its `to_number`."""
    wanted = NewCall(to_number=body.phone_number, **body.model_dump(exclude={"phone_number"}))
    try:
        accepted = await accept(parts, wanted, principal, repeat_of(idempotency_key, principal, wanted), now)
    except VoicefleetError as error:
        error.field = "phone_number" if error.field == "to_number" else error.field
        raise
    return queued(accepted, response)
