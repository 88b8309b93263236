"""What livekit-server saw of a call's phone: written down as events, and a reason to doubt a holder that stays silent.

It never moves a call by itself: a living agent tells what happened, the table decides what follows, and where the agent is gone
the reaper takes the call and reads here how its phone left. Of an older attempt's room, or of an ended call, nothing is noted.
"""

from dataclasses import dataclass
from typing import Any

from livekit.protocol.models import DisconnectReason, ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from modules.api_server.parts import Live
from modules.call_queue_manager import FrontDoor
from modules.calls.deadlines import SILENT_S
from modules.calls.errors import NotFound
from modules.calls.second_truth import LEG_JOINED, LEG_LEFT, WATCHED, LegEnd
from modules.sip_management import CALLEE

# What may be written down of a phone: ids for the carrier's own records, never its number.
_KEPT = {
    "sip.callID": "sip_call_id",
    "sip.callIDFull": "sip_call_id_full",
    "sip.callStatus": "sip_status",
    "sip.trunkID": "trunk_id",
    "sip.twilio.callSid": "twilio_call_sid",
}
_LONGEST_VALUE = 200
_ENDS = {
    DisconnectReason.CLIENT_INITIATED: LegEnd.HUNG_UP,
    DisconnectReason.USER_REJECTED: LegEnd.REJECTED,
    DisconnectReason.USER_UNAVAILABLE: LegEnd.UNAVAILABLE,
}
_LEAVING = ("participant_left", "participant_connection_aborted")
EVENTS = ("participant_joined", *_LEAVING, "room_finished")
"""What livekit-server is asked to send; everything else it has to say is ignored."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one event says about a call. `note` is the event to write, if any; `over`: nobody can be talking in there now."""

    room: str
    note: str | None = None
    data: dict[str, Any] | None = None
    over: bool = False


def sighting(event: WebhookEvent) -> Sighting | None:
    """Return what `event` says about a call, or None."""
    if event.event == "room_finished":
        return Sighting(event.room.name, over=True)
    who = event.participant
    if event.event not in EVENTS:
        return None
    left = event.event in _LEAVING
    if _is_the_phone(who):
        room = {"room": event.room.name}
        if not left:
            return Sighting(event.room.name, LEG_JOINED, room | _ids(who))
        leg_end = _ENDS.get(who.disconnect_reason, LegEnd.LOST)
        return Sighting(event.room.name, LEG_LEFT, room | _ids(who) | {"leg_end": leg_end.value}, over=True)
    return Sighting(event.room.name, over=True) if left and who.kind == ParticipantInfo.Kind.AGENT else None


async def take_in(live: Live, seen: Sighting) -> tuple[str, str | None]:
    """Note a sighting; return what became of it, for the log, and the call it belongs to. Raises Unavailable."""
    try:
        call_id = await _call_in(live, seen.room)
        call = await live.records.load(call_id)
    except NotFound:
        return "unknown_call", None
    if call.room != seen.room or call.state not in WATCHED:
        return "nothing_to_add", call_id
    if seen.note:
        await live.records.remark(call_id, seen.note, seen.data or {})
    if seen.over and await live.records.doubt(call, silent_s=SILENT_S):
        return "doubted", call_id
    return "noted", call_id


async def _call_in(live: Live, room: str) -> str:
    """The call of a room: of an outbound one its name tells, of an inbound one the front door knows."""
    call_id, _, attempt = room.rpartition("-")
    if attempt.isdecimal() and call_id.startswith("outbound-"):
        return call_id
    return await FrontDoor(live.store, lease_s=SILENT_S).call_in(room) or ""


def _is_the_phone(who: ParticipantInfo) -> bool:
    inbound = who.kind == ParticipantInfo.Kind.SIP and "sip.ruleID" in who.attributes
    return who.identity == CALLEE or inbound


def _ids(who: ParticipantInfo) -> dict[str, str]:
    return {ours: who.attributes[name][:_LONGEST_VALUE] for name, ours in _KEPT.items() if who.attributes.get(name)}
