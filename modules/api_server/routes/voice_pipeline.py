"""/api/voice-pipeline: a recording is heard, answered and spoken by a personality. Nothing is dialled and nothing is kept."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response, UploadFile
from pydantic import BaseModel, BeforeValidator, Field

from modules.api_server.guard import Writes
from modules.api_server.schemas import MOST_VARIABLES, Body, MaybeName, Value, VariableName
from modules.conversation.voice_pipeline import SOUND, VoicePipeline

router = APIRouter(tags=["voice pipeline"])
PATH = "/api/voice-pipeline"
_SOUND = frozenset({SOUND, "audio/x-wav", "audio/wave", "audio/*"})
_JSON = frozenset({"application/json", "application/*", "*/*"})


def _unpacked(value: object) -> object:
    """A form carries text only; this field of it is JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except (ValueError, RecursionError):
        raise ValueError('must be a JSON object of texts, e.g. {"organization": "City Clinic"}') from None


class Upload(Body):
    """What is sent, as multipart/form-data."""

    file: UploadFile = Field(description="WAV, OGG, MP3 or WebM; recognised by its first bytes.")
    personality: MaybeName = Field("", description="Which personality answers; empty = DEFAULT_PERSONALITY.")
    variables: Annotated[dict[VariableName, Value], BeforeValidator(_unpacked)] = Field(
        default_factory=dict, max_length=MOST_VARIABLES, description="Values for its prompt's variables: a JSON object of texts."
    )


class Times(BaseModel):
    """Seconds by stage. `wait_s` is the turn and, for the first upload, the start of a process."""

    wait_s: float
    decode_s: float
    stt_s: float
    llm_s: float
    tts_s: float
    total_s: float


class Answered(BaseModel):
    """What was heard and what is answered."""

    transcript: str = Field(description="What was understood.")
    reply: str
    audio: str = Field(description="The reply, spoken: a WAV file in base64.")
    audio_type: str = SOUND
    personality: str = Field(description="Who answered; of a split, its arm.")
    personality_hash: str
    heard_s: float = Field(description="How long the upload plays.")
    times: Times


@router.post(PATH, response_model=Answered, responses={200: {"content": {SOUND: {}}}})
async def voice_pipeline(upload: Annotated[Upload, Form(media_type="multipart/form-data")], _: Writes, request: Request) -> Any:
    """Answer a recording as a personality would in a call: speech to text, language model, text to speech.

    With `Accept: audio/wav` the answer is the sound itself. `Server-Timing` says how long each stage took.
    """
    pipeline: VoicePipeline = request.app.state.voice_pipeline
    answer = await pipeline.answer(await upload.file.read(), upload.personality, upload.variables)
    request.app.state.metrics.pipeline(answer.times)
    headers = {"Server-Timing": _server_timing(answer.times), "Cache-Control": "no-store", "Vary": "Accept"}
    if prefers_sound(request.headers.get("accept", "")):
        return Response(answer.wav, media_type=SOUND, headers=headers)
    return Response(Answered(**answer.to_json()).model_dump_json(), media_type="application/json", headers=headers)


def prefers_sound(accept: str) -> bool:
    """Return whether an Accept header asks for sound rather than JSON; where it says nothing of sound, JSON it is."""
    wanted = {"sound": 0.0, "json": 0.0}
    for part in accept.lower().split(","):
        kind, *parameters = [piece.strip() for piece in part.split(";")]
        for what, kinds in (("sound", _SOUND), ("json", _JSON)):
            if kind in kinds:
                wanted[what] = max(wanted[what], _weight(parameters))
    return 0 < wanted["sound"] >= wanted["json"]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _server_timing(times: dict[str, float]) -> str:
    return ", ".join(f"{name.removesuffix('_s')};dur={1000 * seconds:.1f}" for name, seconds in times.items())
