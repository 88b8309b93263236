"""The phone's end in a LiveKit room: a participant of kind SIP with sip.* attributes, one line of sound each way, keys.

It joins before it rings and hears nothing until it answers, as livekit-sip's legs do. What is said is not its business.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from livekit import api, rtc

from modules.metrics_logger import get_logger
from modules.simulation.g711 import RATE, Samples

log = get_logger(__name__)

_CHUNK = RATE // 10
_ENDED_BY = {
    rtc.DisconnectReason.ROOM_DELETED: "caller",
    rtc.DisconnectReason.ROOM_CLOSED: "caller",
    rtc.DisconnectReason.PARTICIPANT_REMOVED: "caller",
    rtc.DisconnectReason.DUPLICATE_IDENTITY: "replaced",
}
DTMF_CODES = {digit: code for code, digit in enumerate("0123456789*#")}


@dataclass(frozen=True, slots=True)
class LiveKit:
    """Where the rooms are, and who we are there."""

    url: str
    key: str
    secret: str


def _report(task: asyncio.Task[None]) -> None:
    """Ears that break leave a deaf phone, not a broken call; somebody has to know."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("phone_went_deaf", exc_info=error)


class Leg:
    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Resolved with who ended it, when the room let go of this participant without our asking."""
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.digits_heard = ""
        self.room = rtc.Room()
        self._source = rtc.AudioSource(RATE, 1)
        self._listening = False
        self._connected = asyncio.Event()
        self._hear: Callable[[rtc.Track], Coroutine[Any, Any, None]] | None = None
        self._hearing: dict[str, asyncio.Task[None]] = {}
        self.room.on("disconnected", self._on_disconnected)
        self.room.on("sip_dtmf_received", lambda tone: self.key_pressed(tone.digit))
        self.room.on("track_published", lambda publication, _: self._subscribe(publication))
        self.room.on("track_subscribed", lambda track, publication, _: self._start_hearing(track, publication.sid))
        self.room.on("track_unsubscribed", lambda track, publication, _: self._stop_hearing(publication.sid))

    async def join(
        self, livekit: LiveKit, request: api.CreateSIPParticipantRequest, attributes: dict[str, str],
        room_config: api.RoomConfiguration | None = None,
    ) -> None:  # fmt: skip
        """Enter the room of the request; with `room_config`, make it as that says (agents and all) where it is not there."""
        grants = api.VideoGrants(
            room_join=True, room=request.room_name, can_publish=True, can_subscribe=True, can_update_own_metadata=True
        )
        token = (
            api.AccessToken(livekit.key, livekit.secret)
            .with_identity(self.identity)
            .with_name(request.participant_name)
            .with_metadata(request.participant_metadata)
            .with_kind("sip")
            .with_attributes(attributes)
            .with_grants(grants)
        )
        if room_config is not None:
            token = token.with_room_config(room_config)
        await self.room.connect(livekit.url, token.to_jwt(), rtc.RoomOptions(auto_subscribe=False))
        track = rtc.LocalAudioTrack.create_audio_track("phone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False)
        await self.room.local_participant.publish_track(track, options)

    async def status(self, value: str) -> None:
        await self.room.local_participant.set_attributes({"sip.callStatus": value})

    async def answer(self, hear: Callable[[rtc.Track], Coroutine[Any, Any, None]]) -> None:
        """Open the line: every sound track of the room goes to `hear`, one task a track."""
        self._hear = hear
        for publication in self._listen():
            if publication.track is not None:
                self._start_hearing(publication.track, publication.sid)
        await self.status("active")

    async def somebody_to_talk_to(self) -> None:
        """Return when a sound track of the room is subscribed: that is when livekit-sip answers an inbound call."""
        self._listen()
        await self._connected.wait()

    def _listen(self) -> list[rtc.RemoteTrackPublication]:
        self._listening = True
        found = [
            publication for participant in self.room.remote_participants.values()
            for publication in participant.track_publications.values()
        ]  # fmt: skip
        for publication in found:
            self._subscribe(publication)
        return found

    async def play(self, samples: Samples) -> None:
        """Send sound; return when its last sample has left."""
        for start in range(0, len(samples), _CHUNK):
            part = samples[start : start + _CHUNK]
            await self._source.capture_frame(rtc.AudioFrame(part.tobytes(), RATE, 1, len(part)))
        await self._source.wait_for_playout()

    def key_pressed(self, digit: str) -> None:
        self.digits_heard += digit
        self.digits.put_nowait(digit)

    async def press(self, digits: str) -> None:
        for digit in digits:
            await self.room.local_participant.publish_dtmf(code=DTMF_CODES[digit], digit=digit)

    async def leave(self, reason: "rtc.DisconnectReason.ValueType") -> None:
        """BYE, or the end of a call that never was. Safe after the room has gone."""
        self.room.off("disconnected", self._on_disconnected)
        hearing = list(self._hearing.values())
        for sid in list(self._hearing):
            self._stop_hearing(sid)
        await asyncio.gather(*hearing, return_exceptions=True)
        try:
            if self.room.isconnected() and not self.gone.done():
                async with asyncio.timeout(1):
                    await self.status("hangup")
            async with asyncio.timeout(3):
                await self.room.disconnect(reason=reason)
        except Exception as error:  # leaving must not hurt whoever is left
            log.debug("leg_left_badly", error=repr(error))
        await self._source.aclose()

    def _subscribe(self, publication: rtc.RemoteTrackPublication) -> None:
        if self._listening and publication.kind == rtc.TrackKind.KIND_AUDIO and not publication.subscribed:
            publication.set_subscribed(True)

    def _start_hearing(self, track: rtc.Track, sid: str) -> None:
        self._connected.set()
        if self._hear is not None and sid not in self._hearing:
            task = asyncio.create_task(self._hear(track), name=f"phone-hears {sid}")
            task.add_done_callback(_report)
            self._hearing[sid] = task

    def _stop_hearing(self, sid: str) -> None:
        task = self._hearing.pop(sid, None)
        if task is not None:
            task.cancel()

    def _on_disconnected(self, reason: "rtc.DisconnectReason.ValueType") -> None:
        if not self.gone.done():
            self.gone.set_result(_ENDED_BY.get(reason, "network"))
