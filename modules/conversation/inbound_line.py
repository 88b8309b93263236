"""From a phone that rings to an open line. The phone side answers when it can hear the agent; here that is waited for."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from livekit import rtc

from modules.call_queue_manager import Held
from modules.calls import Event, Outcome, Report
from modules.conversation.phone_line import Failed
from modules.sip_management.phone import Phone

_STATUS, _OPEN = "sip.callStatus", "active"
_UNANSWERED = Report(Event.ATTEMPT_FAILED, Outcome.NO_ANSWER, "The caller hung up before the agent was ready.")
_NOT_OPENED = Report(Event.ATTEMPT_FAILED, Outcome.INFRASTRUCTURE, "The phone side did not open the line in time.")
_MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE


class InboundLine:
    """One caller's line. Make it before the agent's sound is there: the line may open at once."""

    def __init__(self, room: rtc.Room, phone: Phone, within_s: float) -> None:
        self._room, self._phone, self._within_s = room, phone, within_s
        self._opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()
        room.on("participant_attributes_changed", self._changed)
        room.on("participant_disconnected", self._left)

    @property
    def is_there(self) -> bool:
        """Whether the caller is still on the phone."""
        return self._phone.identity in self._room.remote_participants

    async def ring(self, held: Held, dialing: Callable[[], None]) -> Failed | None:
        """Wait until the line is open; None = open. `dialing` is called at once: it rings already."""
        dialing()
        there = self._room.remote_participants.get(self._phone.identity)
        if there is None:
            return Failed(_UNANSWERED, "the caller was gone")
        self._changed(dict(there.attributes), there)
        try:
            async with asyncio.timeout(self._within_s):
                opened = await asyncio.shield(self._opened)
        except TimeoutError:
            return Failed(_NOT_OPENED, "the line did not open")
        return None if opened else Failed(_UNANSWERED, "the caller hung up")

    async def sound(self, sample_rate: int) -> AsyncGenerator[rtc.AudioFrame, None]:
        """Yield what the caller says, mono, until they hang up."""
        there = self._room.remote_participants.get(self._phone.identity)
        if there is None:
            return
        stream = rtc.AudioStream.from_participant(
            participant=there, track_source=_MICROPHONE, sample_rate=sample_rate, num_channels=1
        )
        gone = asyncio.create_task(self._gone.wait(), name="caller hangs up")
        try:
            while True:
                frame = asyncio.ensure_future(anext(stream, None))
                await asyncio.wait({frame, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not frame.done() or (heard := frame.result()) is None:
                    frame.cancel()
                    return
                yield heard.frame
        finally:
            gone.cancel()
            await stream.aclose()

    def _changed(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        if participant.identity == self._phone.identity and changed.get(_STATUS) == _OPEN:
            self._decide(True)

    def _left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._phone.identity:
            self._gone.set()
            self._decide(False)

    def _decide(self, opened: bool) -> None:
        if not self._opened.done():
            self._opened.set_result(opened)
