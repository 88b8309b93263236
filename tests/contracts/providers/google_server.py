"""Google's speech services on loopback: a real gRPC server with Google's own messages, and the one way to have the plugin ask it.

The plugin fixes the endpoint and lets nobody change it. So the channel that Google's library opens leads here instead; all
else, from the plugin to the bytes on the socket and the signed token in them, is what Google would get.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import google.auth.transport.requests
import grpc
import pytest
from google.api_core import grpc_helpers_async
from google.auth.transport.grpc import AuthMetadataPlugin
from google.cloud.speech_v1.types import cloud_speech
from google.cloud.texttospeech_v1.types import cloud_tts

Answers = Callable[[Any, Any], AsyncIterator[Any]]
_STREAMS: dict[str, tuple[Any, Any]] = {
    "/google.cloud.speech.v1.Speech/StreamingRecognize": (
        cloud_speech.StreamingRecognizeRequest, cloud_speech.StreamingRecognizeResponse,
    ),
    "/google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize": (
        cloud_tts.StreamingSynthesizeRequest, cloud_tts.StreamingSynthesizeResponse,
    ),
}  # fmt: skip
_SYNTHESIZE = "/google.cloud.texttospeech.v1.TextToSpeech/SynthesizeSpeech"


@dataclass(slots=True)
class GoogleServer:
    """What tests hold in hands. `answers` is given each stream's requests and the call."""

    answers: Answers | None = None
    spoken: bytes = b""
    hosts: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def refuses(self, code: grpc.StatusCode) -> None:
        """Ends every stream with a status, in words nobody should see."""

        async def answers(requests: Any, call: Any) -> AsyncIterator[Any]:
            async for request in requests:
                self.asked.append(request)
                await call.abort(code, "bad key vendor-key")
                yield

        self.answers = answers


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc ships no types
    def __init__(self, server: GoogleServer) -> None:
        self._server = server

    def service(self, details: Any) -> Any:
        server = self._server
        server.methods.append(details.method)
        server.tokens += [value for key, value in details.invocation_metadata or () if key == "authorization"]
        if details.method == _SYNTHESIZE:
            return grpc.unary_unary_rpc_method_handler(
                self._synthesize,
                request_deserializer=cloud_tts.SynthesizeSpeechRequest.deserialize,
                response_serializer=cloud_tts.SynthesizeSpeechResponse.serialize,
            )
        asked, answered = _STREAMS[details.method]
        return grpc.stream_stream_rpc_method_handler(
            server.answers, request_deserializer=asked.deserialize, response_serializer=answered.serialize
        )

    async def _synthesize(self, request: Any, _: Any) -> Any:
        self._server.asked.append(request)
        return cloud_tts.SynthesizeSpeechResponse(audio_content=self._server.spoken)


@asynccontextmanager
async def google_server(patch: pytest.MonkeyPatch) -> AsyncIterator[GoogleServer]:
    """Run one on a free port; whatever Google's library connects to meanwhile is this one."""
    ours = GoogleServer()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Handlers(ours),))
    port = server.add_secure_port("127.0.0.1:0", grpc.local_server_credentials())
    await server.start()

    def channel(host: str, credentials: Any = None, **_: Any) -> grpc.aio.Channel:
        ours.hosts.append(host)
        token = grpc.metadata_call_credentials(
            AuthMetadataPlugin(  # type: ignore[no-untyped-call]
                credentials, google.auth.transport.requests.Request(), default_host=host.partition(":")[0]
            )
        )
        secure = grpc.composite_channel_credentials(grpc.local_channel_credentials(), token)
        return grpc.aio.secure_channel(f"127.0.0.1:{port}", secure)

    patch.setattr(grpc_helpers_async, "create_channel", channel)
    try:
        yield ours
    finally:
        await server.stop(0)
