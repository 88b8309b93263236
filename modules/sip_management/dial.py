"""The one place that asks a carrier to ring a phone. Never retried here: the SIP API has no idempotency."""

from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from livekit import api

from modules.calls import Call
from modules.sip_management.trunks import Trunk

CALLEE = "callee"
"""The callee's identity in its room; a monitor can then never be taken for the person on the phone."""
CALL_ID = "voicefleet.call_id"
ATTEMPT = "voicefleet.attempt"


@dataclass(frozen=True, slots=True)
class Line:
    """An answered phone."""

    participant_identity: str
    sip_call_id: str


async def dial(lkapi: api.LiveKitAPI, trunk: Trunk, call: Call) -> Line:
    """Ring `call.to_number` and return when somebody answers.

    `lkapi` must speak to `trunk.sip_api_url`. Raises livekit's SipCallError and ServerError, aiohttp's ClientError and
    TimeoutError; modules/sip_management/errors.py says what each means.
    """
    info = await lkapi.sip.create_sip_participant(_request(trunk, call))
    return Line(info.participant_identity, info.sip_call_id)


def _request(trunk: Trunk, call: Call) -> api.CreateSIPParticipantRequest:
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=trunk.stored_id,
        sip_call_to=call.to_number,
        sip_number=call.from_number or trunk.from_number,
        room_name=call.room or "",
        participant_identity=CALLEE,
        participant_name=CALLEE,
        participant_attributes={CALL_ID: call.call_id, ATTEMPT: str(call.attempt)},
        wait_until_answered=True,
        ringing_timeout=Duration(seconds=call.ring_timeout_s),
        max_call_duration=Duration(seconds=call.max_call_s),
    )
    if trunk.inline is not None:
        request.trunk.CopyFrom(trunk.inline)
    return request
