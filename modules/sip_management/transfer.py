"""The one place that hands an answered phone over to another number (SIP REFER). Never retried here."""

from google.protobuf.duration_pb2 import Duration
from livekit import api


async def transfer(lkapi: api.LiveKitAPI, *, room: str, identity: str, to_number: str, ringing_timeout_s: int) -> None:
    """Hand the phone `identity` of `room` over and return when the other number has taken it; its leg then leaves the room.

    `to_number` is E.164. Raises as `dial` does; the phone has then stayed where it was, or its owner has hung up.
    """
    request = api.TransferSIPParticipantRequest(
        room_name=room,
        participant_identity=identity,
        transfer_to=f"tel:{to_number}",
        play_dialtone=True,
        ringing_timeout=Duration(seconds=ringing_timeout_s),
    )
    await lkapi.sip.transfer_sip_participant(request)
