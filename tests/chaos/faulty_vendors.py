"""Vendors on loopback of which each does one thing wrong, by the first word of the address it is asked at.

They speak the vendors' formats and, where they are well, with flite: what is heard on the phone is speech.
"""

import asyncio
from typing import Any

from aiohttp import web

from modules.conversation.speech.local.dialogue import Move
from modules.conversation.speech.local.flite import SAMPLE_RATE, FliteTTS
from modules.simulation.g711 import resample
from tests.contracts.providers.vendor_server import VendorServer
from tests.realtime_service import Line, RealtimeService

OPENAI_RATE = 24_000
WELL = ("AI assistant", "One moment", "Sorry, I did not", "technical problem", "still there", "end the call now")
"""What a voice can still say, once, that fails in the middle of a call: all that was prepared while it rang."""
GOODBYE = "Thank you very much for your help. Goodbye."
"""All that a realtime model says that is well."""


def faults(server: VendorServer) -> None:
    """Let it do what the address says."""
    voice = FliteTTS("rms")
    said: set[str] = set()
    realtime = {"live": RealtimeService(_talks), "live-hangs": RealtimeService(_never)}

    async def answer(request: web.Request) -> web.StreamResponse:
        fault = request.path.split("/")[1]
        if fault in realtime and request.method == "GET":
            return await realtime[fault].answer(request)
        if request.path.endswith("/audio/speech"):
            return await _speech(server, request, fault, voice, said)
        if request.path.endswith("/v1/listen"):
            return await _deaf(request)
        return await _thought(server, request, fault)

    server.answer = answer


async def _talks(line: Line) -> Move:
    return Move(GOODBYE, hang_up=True)


async def _never(line: Line) -> None: ...


async def _thought(server: VendorServer, request: web.Request, fault: str) -> web.StreamResponse:
    match fault:
        case "hangs":
            await server.closing.wait()
        case "fails":
            return web.json_response({"error": {"message": "no"}}, status=500)
        case "babbles":
            return web.Response(body=b"data: {]\n\n", content_type="text/event-stream")
    return web.Response(status=404)


async def _speech(
    server: VendorServer, request: web.Request, fault: str, voice: FliteTTS, said: set[str]
) -> web.StreamResponse:
    text = (await request.json())["input"]
    sound = await asyncio.to_thread(resample, await voice.speak(text), SAMPLE_RATE, OPENAI_RATE)
    pcm = sound.tobytes()
    once = f"{fault} {text}"
    if any(words in text for words in WELL) and once not in said:
        said.add(once)
        return web.Response(body=pcm, content_type="audio/pcm")
    if fault == "breaks-off":
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm", "Content-Length": str(len(pcm))})
        await response.prepare(request)
        await response.write(pcm[: len(pcm) // 4 * 2])
        await server.closing.wait()
        return response
    await server.closing.wait()
    return web.Response()


async def _deaf(request: web.Request) -> web.StreamResponse:
    """Takes the sound and has no words for it."""
    socket: Any = web.WebSocketResponse()
    await socket.prepare(request)
    async for _ in socket:
        pass
    return socket  # type: ignore[no-any-return]
