"""Azure: speech to text and text to speech. The language model has its own file, openai.py, as Azure OpenAI speaks its API."""

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions

from config import Settings
from modules.conversation.personality import Hearing, Speaking
from modules.conversation.speech.missing import need
from modules.conversation.vendors import vendor

if TYPE_CHECKING:
    from livekit.agents import stt, tts


def hearing(component: Hearing, settings: Settings) -> "stt.STT[Any]":
    """Return Azure's streaming recogniser. Raises MissingKey."""
    from livekit.plugins import azure

    keys = need(vendor("stt", "azure"), settings)
    where: dict[str, Any] = {"speech_region": keys["AZURE_SPEECH_REGION"]}
    if component.base_url:
        # None says that there is none; left out, the plugin takes AZURE_SPEECH_REGION, which its library refuses beside a host.
        where = {"speech_host": f"ws{component.base_url.removeprefix('http')}", "speech_region": None}
    return azure.STT(speech_key=keys["AZURE_SPEECH_KEY"], language=component.language, **where)


def speaking(component: Speaking, settings: Settings) -> "tts.TTS[Any]":
    """Return Azure's speech synthesis. Raises MissingKey."""
    from livekit.plugins import azure

    class Speech(azure.TTS):
        """The plugin puts the text into XML as it stands: "AT&T" would be refused."""

        def synthesize(self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> "tts.ChunkedStream":
            return super().synthesize(escape(text), conn_options=conn_options)

    us = vendor("tts", "azure")
    keys = need(us, settings)
    where: dict[str, Any] = {"speech_endpoint": f"{component.base_url}/cognitiveservices/v1"} if component.base_url else {}
    return Speech(
        speech_key=keys["AZURE_SPEECH_KEY"],
        speech_region=keys["AZURE_SPEECH_REGION"],
        language=component.language,
        voice=component.voice or us.voice,
        sample_rate=16000,
        **where,
    )
