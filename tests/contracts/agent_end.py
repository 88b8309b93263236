"""The agent's end of a call, without an agent: joins a room, speaks with flite, keeps what it hears and sees of the phone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import numpy as np
from livekit import api, rtc

from modules.conversation.speech.local import FliteTTS
from modules.conversation.speech.local.flite import SAMPLE_RATE

CALLEE = "callee"
T = TypeVar("T")


class AgentEnd:
    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.statuses: list[str] = []
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.left: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self.heard_first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Resolved when the phone takes the agent's sound."""
        self.sound = bytearray()
        self._source = rtc.AudioSource(SAMPLE_RATE, 1)
        self._listening: list[asyncio.Task[None]] = []
        room.on("participant_connected", self._note_status)
        room.on("participant_attributes_changed", lambda _, participant: self._note_status(participant))
        room.on("sip_dtmf_received", lambda tone: self.digits.put_nowait(tone.digit))
        room.on("participant_disconnected", lambda gone: _settle(self.left, gone.disconnect_reason))
        room.on("local_track_subscribed", lambda _: _settle(self.heard_first, None))
        room.on("track_subscribed", self._listen)

    async def publish(self) -> None:
        track = rtc.LocalAudioTrack.create_audio_track("agent", self._source)
        await self.room.local_participant.publish_track(track)

    async def say(self, text: str) -> None:
        samples = np.frombuffer(await FliteTTS("rms").speak(text), dtype=np.int16)
        frame = rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, len(samples))
        await self._source.capture_frame(frame)
        await self._source.wait_for_playout()

    def phone(self) -> rtc.RemoteParticipant:
        return self.room.remote_participants[CALLEE]

    def _note_status(self, participant: rtc.Participant) -> None:
        status = participant.attributes.get("sip.callStatus")
        if participant.identity == CALLEE and status and status not in self.statuses[-1:]:
            self.statuses.append(status)

    def _listen(self, track: rtc.Track, *_: object) -> None:
        async def collect() -> None:
            sound = rtc.AudioStream.from_track(track=track, sample_rate=SAMPLE_RATE, num_channels=1)
            try:
                async for event in sound:
                    self.sound += event.frame.data.tobytes()
            finally:
                await sound.aclose()

        self._listening.append(asyncio.create_task(collect(), name="agent-end-listens"))

    async def close(self) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        await self.room.disconnect()
        await self._source.aclose()


def _settle(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


@asynccontextmanager
async def agent_end(url: str, key: str, secret: str, room_name: str) -> AsyncIterator[AgentEnd]:
    room = rtc.Room()
    end = AgentEnd(room)
    grants = api.VideoGrants(room_join=True, room=room_name, agent=True)
    token = api.AccessToken(key, secret).with_identity("agent").with_kind("agent").with_grants(grants)
    await room.connect(url, token.to_jwt())
    try:
        await end.publish()
        yield end
    finally:
        await end.close()
