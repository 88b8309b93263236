"""What no arrangement of the same parts can go below: each part measured alone, on this machine, between the rounds.

speech_ms   a recogniser, a model and a voice one after the other, with nothing around them
hops_ms     a sound through livekit-server, from one participant to another that listens already
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
from livekit import api, rtc
from livekit.agents import llm, stt

from benchmarks.stage import Stage
from modules.conversation.speech.local import collect_lines, flite_tts, load_script, scripted_llm, sphinx_stt
from modules.conversation.speech.local.flite import SAMPLE_RATE
from modules.simulation.g711 import RATE, MuLaw, Samples, resample
from modules.simulation.meter import Meter

FRAME_MS = 20
HEARD = "A drop in visit is twenty dollars."
ANSWERED = "Thank you. When do your classes take place?"
_FRAME = SAMPLE_RATE * FRAME_MS // 1000
# A fifth of a second of a 2 kHz tone: no codec takes it for silence.
_BURST = (12_000 * np.sin(2 * np.pi * 2000 * np.arange(SAMPLE_RATE // 5) / SAMPLE_RATE)).astype(np.int16)
_WITHIN_S = 20


async def speech_ms(stage: Stage) -> float:
    """Return the end of a sentence to its words, plus the words to an answer, plus the answer to its first sound."""
    heard_ms = await _hearing_ms(stage)
    script = load_script(stage.settings.prompts_dir / "scripts" / "gym_researcher.yaml")
    started = time.monotonic()
    context = llm.ChatContext.empty()
    context.add_message(role="user", content=HEARD)
    async with scripted_llm(script).chat(chat_ctx=context) as answer:
        async for _ in answer:
            pass
    async with flite_tts("rms").synthesize(ANSWERED) as sound:
        async for _ in sound:
            break
    return heard_ms + 1000 * (time.monotonic() - started)


async def _hearing_ms(stage: Stage) -> float:
    """Return what the recogniser needs from the last frame of a sentence, played in real time over mu-law, to its words."""
    spoken = await flite_tts("kal16").speak(HEARD)
    sound = resample(MuLaw()(resample(spoken, SAMPLE_RATE, RATE)).tobytes(), RATE, SAMPLE_RATE)
    recogniser = sphinx_stt(collect_lines(stage.settings.scenarios_dir)).load()
    async with recogniser.stream() as stream, asyncio.timeout(_WITHIN_S):
        await asyncio.sleep(0.5)  # a session's recogniser is ready long before anybody speaks
        started = time.monotonic()
        playing = asyncio.create_task(_play(stream, sound, started), name="play")
        try:
            async for event in stream:
                if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                    break
            return 1000 * (time.monotonic() - started - len(sound) / SAMPLE_RATE)
        finally:
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing


async def _play(stream: stt.RecognizeStream, sound: Samples, started: float) -> None:
    """Push the sound, then silence without end, each frame at the moment at which its last sample would have been spoken."""
    for number in itertools.count():
        part = sound[number * _FRAME : (number + 1) * _FRAME]
        frame = np.pad(part, (0, _FRAME - len(part)))
        await asyncio.sleep(max(0.0, started + (number + 1) * FRAME_MS / 1000 - time.monotonic()))
        stream.push_frame(rtc.AudioFrame(frame.tobytes(), SAMPLE_RATE, 1, _FRAME))


async def hops_ms(stage: Stage, count: int) -> list[float]:
    """Return how long each of `count` sounds took through livekit-server, heard as the simulated phone hears."""
    room = stage.new_room()
    async with _joined(stage, room, "listener") as listener, _joined(stage, room, "talker") as talker:
        heard: asyncio.Future[rtc.Track] = asyncio.get_running_loop().create_future()
        listener.on("track_subscribed", lambda track, *_: heard.set_result(track))
        source = rtc.AudioSource(SAMPLE_RATE, 1)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=False)
        await talker.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("talk", source), options)
        sound = rtc.AudioStream.from_track(track=await heard, sample_rate=RATE, num_channels=1, frame_size_ms=FRAME_MS)
        try:
            async with asyncio.timeout(_WITHIN_S):
                await _hop(source, sound)  # the first opens the way and is not counted
                return [await _hop(source, sound) for _ in range(count)]
        finally:
            await sound.aclose()
            await source.aclose()


async def _hop(source: rtc.AudioSource, sound: rtc.AudioStream) -> float:
    sent = time.monotonic()
    meter = Meter(sent)
    await source.capture_frame(rtc.AudioFrame(_BURST.tobytes(), SAMPLE_RATE, 1, len(_BURST)))
    async for event in sound:
        meter.hear(np.frombuffer(event.frame.data, dtype=np.int16), time.monotonic())
        quiet_s = time.monotonic() - meter.last_sound_at
        if meter.first_word_ms is not None and quiet_s > 0.3:
            return float(meter.first_word_ms)
    raise RuntimeError("the sound ended")


@asynccontextmanager
async def _joined(stage: Stage, room: str, identity: str) -> AsyncIterator[rtc.Room]:
    settings, here = stage.settings, rtc.Room()
    token = (
        api.AccessToken(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
        .with_identity(identity)
        .with_grants(api.VideoGrants(room_join=True, room=room))
    )
    await here.connect(settings.livekit_url, token.to_jwt())
    try:
        yield here
    finally:
        await here.disconnect()
