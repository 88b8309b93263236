"""Azure's speech service on loopback: its recogniser's websocket and its synthesis, as their own clients expect them.

What was "recognised" is told by the test; where an utterance ends is heard in the sound. What is synthesised is flite's voice.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
from aiohttp import WSMsgType, web

from modules.conversation.speech.local import FliteTTS

LISTENING = "/speech/recognition/conversation/cognitiveservices/v1"
SPEAKING = "/cognitiveservices/v1"
_SECOND = 10_000_000  # Azure counts in ticks of 100 ns
_BYTES_A_SECOND = 32_000  # 16 kHz, 16 bit
_LOUD = 500
_ENOUGH_SILENCE_S = 0.3

Words = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Ssml:
    """What was to be spoken, by whom, in which language."""

    text: str
    voice: str | None
    language: str | None


def read_ssml(body: bytes) -> Ssml:
    """Return what a request for synthesis says."""
    speech = ElementTree.fromstring(body)
    language = speech.get("{http://www.w3.org/XML/1998/namespace}lang")
    return Ssml("".join(speech.itertext()), speech[0].get("name"), language)


async def synthesis(request: web.Request, voice: FliteTTS) -> web.StreamResponse:
    """Speak: raw 16 kHz PCM, as the agent asks for."""
    return web.Response(body=await voice.speak(read_ssml(await request.read()).text), content_type="audio/pcm")


async def recognition(request: web.Request, words: Words) -> web.StreamResponse:
    """Listen: a turn begins with the first sound; each utterance, and the end of the sound, is answered with `words`."""
    socket = web.WebSocketResponse(protocols=("USP",))
    await socket.prepare(request)
    turn, utterance = _Turn(socket), _Utterance()
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            continue
        size = 2 + int.from_bytes(message.data[:2], "big")
        await turn.begins(message.data[2:size].decode())
        sound = message.data[size:]
        if not sound:
            await turn.ends(words)
        elif utterance.ended_in(sound):
            await turn.phrase(await words())
    return socket


class _Utterance:
    """Finds the end of speech: enough silence after something loud."""

    def __init__(self) -> None:
        self._quiet_s = 0.0
        self._speaking = False

    def ended_in(self, sound: bytes) -> bool:
        samples = np.frombuffer(sound[: len(sound) // 2 * 2], dtype=np.int16)
        loud = int(np.abs(samples.astype(np.int32)).max(initial=0)) > _LOUD and not sound.startswith(b"RIFF")
        self._speaking = self._speaking or loud
        self._quiet_s = 0.0 if loud else self._quiet_s + len(sound) / _BYTES_A_SECOND
        ended = self._speaking and self._quiet_s >= _ENOUGH_SILENCE_S
        self._speaking = self._speaking and not ended
        return ended


class _Turn:
    """Azure's side of one websocket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._asked = ""
        self._phrases = 0

    async def begins(self, head: str) -> None:
        if not self._asked:
            fields = dict(line.split(":", 1) for line in head.split("\r\n") if ":" in line)
            self._asked = fields["X-RequestId"]
            await self._send("turn.start", {"context": {"serviceTag": "t1"}})
            await self._send("speech.startDetected", {"Offset": 0})

    async def phrase(self, text: str) -> None:
        self._phrases += 1
        about = {"Id": f"p{self._phrases}", "Offset": self._phrases * _SECOND, "Duration": _SECOND}
        await self._send("speech.hypothesis", about | {"Text": text.lower()})
        await self._send("speech.phrase", about | {"RecognitionStatus": "Success", "DisplayText": text})

    async def ends(self, words: Words) -> None:
        if not self._phrases:
            await self.phrase(await words())
        end = {"Id": "end", "RecognitionStatus": "EndOfDictation", "Offset": (self._phrases + 1) * _SECOND, "Duration": 0}
        await self._send("speech.phrase", end)
        await self._send("turn.end", {})

    async def _send(self, path: str, body: dict[str, Any]) -> None:
        head = f"X-RequestId:{self._asked}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n"
        await self._socket.send_str(head + json.dumps(body))
