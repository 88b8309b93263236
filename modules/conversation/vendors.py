"""The one table of vendors: what a personality may name, what each needs, what it uses when nothing is said.

The words the loader accepts, missing keys, `providers list` and docs/providers.md come from here. How a vendor is called is in
speech/, one file each. It is read by the API and the command line, so it loads no vendor.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from modules.calls.errors import InvalidField

Kind = Literal["stt", "llm", "tts"]
KINDS: dict[Kind, str] = {"stt": "speech to text", "llm": "language model", "tts": "text to speech"}

ANYWHERE = ("*",)
"""A base_url may name any host: it is sent OPENAI_COMPATIBLE_API_KEY only, never the vendor's own key."""

EXTRA_LOCK = "requirements-providers.txt"
"""What the `providers` extra of pyproject.toml is installed from."""

_AZURE_SPEECH = ("AZURE_SPEECH_KEY", "AZURE_SPEECH_REGION")
_GOOGLE_CLOUD = ("GOOGLE_APPLICATION_CREDENTIALS",)
_MICROSOFT = ("microsoft.com", "azure.com", "azure.us", "azure.cn")


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor in one role, and what `provider:` says in a personality."""

    kind: Kind
    name: str
    title: str
    plugin: str = ""  # livekit.plugins.<plugin>; empty: part of this project
    needs: tuple[str, ...] = ()  # names of settings, all of them
    model: str = ""
    voice: str = ""
    hosts: tuple[str, ...] = ()  # domains a base_url may name; none: the vendor takes no base_url
    extra: bool = False  # installed from EXTRA_LOCK only
    tells_the_end: bool = False  # stt only: it says when somebody has finished
    realtime: bool = False  # llm only: it hears the sound itself, within one connection for the whole call

    @property
    def installed(self) -> bool:
        """Whether its plugin can be imported; looks for the file, imports nothing."""
        return not self.plugin or find_spec(f"livekit.plugins.{self.plugin}") is not None


VENDORS: tuple[Vendor, ...] = (
    Vendor("stt", "azure", "Azure speech", "azure", _AZURE_SPEECH, hosts=_MICROSOFT, tells_the_end=True),
    Vendor("stt", "deepgram", "Deepgram", "deepgram", ("DEEPGRAM_API_KEY",), model="nova-3", hosts=("deepgram.com",),
           tells_the_end=True),
    Vendor("stt", "openai", "OpenAI, or any service that speaks its API", "openai", ("OPENAI_API_KEY",),
           model="gpt-4o-mini-transcribe", hosts=ANYWHERE),
    Vendor("stt", "google", "Google Cloud speech", "google", _GOOGLE_CLOUD, model="latest_long", extra=True,
           tells_the_end=True),
    Vendor("stt", "groq", "Groq", "groq", ("GROQ_API_KEY",), model="whisper-large-v3-turbo", hosts=("groq.com",)),
    Vendor("stt", "assemblyai", "AssemblyAI", "assemblyai", ("ASSEMBLYAI_API_KEY",), model="universal-3-6-pro",
           hosts=("assemblyai.com",), tells_the_end=True),
    Vendor("stt", "local", "pocketsphinx, English, no key"),
    Vendor("llm", "azure_openai", "Azure OpenAI deployment", "openai",
           ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT_NAME"), model="gpt-4o"),
    Vendor("llm", "openai", "OpenAI, or any service that speaks its API", "openai", ("OPENAI_API_KEY",),
           model="gpt-4o-mini", hosts=ANYWHERE),
    Vendor("llm", "openai_realtime", "OpenAI's realtime model, which hears the sound itself", "openai", ("OPENAI_API_KEY",),
           model="gpt-realtime", hosts=ANYWHERE, realtime=True),
    Vendor("llm", "anthropic", "Anthropic", "anthropic", ("ANTHROPIC_API_KEY",), model="claude-sonnet-4-6",
           hosts=("anthropic.com",)),
    Vendor("llm", "google", "Google Gemini", "google", ("GOOGLE_API_KEY",), model="gemini-3.8-flash", extra=True,
           hosts=("googleapis.com",)),
    Vendor("llm", "groq", "Groq", "groq", ("GROQ_API_KEY",), model="llama-3.3-70b-versatile", hosts=("groq.com",)),
    Vendor("llm", "local", "a script of ours, no key"),
    Vendor("tts", "azure", "Azure speech", "azure", _AZURE_SPEECH, voice="en-US-JennyNeural", hosts=_MICROSOFT),
    Vendor("tts", "openai", "OpenAI, or any service that speaks its API", "openai", ("OPENAI_API_KEY",),
           model="gpt-4o-mini-tts", voice="ash", hosts=ANYWHERE),
    Vendor("tts", "elevenlabs", "ElevenLabs", "elevenlabs", ("ELEVEN_API_KEY",), model="eleven_turbo_v2_5",
           voice="hpp4J3VqNfWAUOO0d1Us", hosts=("elevenlabs.io",)),
    Vendor("tts", "cartesia", "Cartesia", "cartesia", ("CARTESIA_API_KEY",), model="sonic-3",
           voice="f786b574-daa5-4673-aa0c-cbe3e8534c02", hosts=("cartesia.ai",)),
    Vendor("tts", "google", "Google Cloud speech", "google", _GOOGLE_CLOUD, model="chirp_3", voice="Chirp3-HD-Charon",
           extra=True),
    Vendor("tts", "deepgram", "Deepgram", "deepgram", ("DEEPGRAM_API_KEY",), voice="aura-2-andromeda-en",
           hosts=("deepgram.com",)),
    Vendor("tts", "local", "flite, English, no key", voice="rms"),
)  # fmt: skip

_BY_NAME = {(vendor.kind, vendor.name): vendor for vendor in VENDORS}


def names(kind: Kind) -> tuple[str, ...]:
    """Return what `provider:` may be."""
    return tuple(vendor.name for vendor in VENDORS if vendor.kind == kind)


if TYPE_CHECKING:  # a type checker cannot read a Literal out of a table
    SttProvider: TypeAlias = str
    LlmProvider: TypeAlias = str
    TtsProvider: TypeAlias = str
else:
    SttProvider = Literal[names("stt")]
    LlmProvider = Literal[names("llm")]
    TtsProvider = Literal[names("tts")]


def vendor(kind: Kind, name: str) -> Vendor:
    """Return a row of the table; the loader has refused every other name."""
    return _BY_NAME[kind, name]


def check_installed(kind: Kind, name: str) -> None:
    """Raise ValueError, with what to type, for a vendor whose plugin is not there."""
    found = vendor(kind, name)
    if not found.installed:
        raise ValueError(f"{name} is not installed; type: {how_to_install(found)}")


def how_to_install(found: Vendor) -> str:
    """Return the line to type."""
    return f".venv/bin/python -m pip install -r {EXTRA_LOCK if found.extra else 'requirements.txt'}"


def check_base_url(kind: Kind, name: str, url: str) -> None:
    """Raise ValueError for an address that is none, or one that would be sent a key it should not see."""
    found = vendor(kind, name)
    if not found.hosts:
        takers = ", ".join(one.name for one in VENDORS if one.kind == kind and one.hosts)
        raise ValueError(f"{name} takes no base_url; these do: {takers or 'none'}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not an address") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise ValueError("must be http://host/path or https://host/path, without user, query or fragment")
    if url.endswith("/"):
        raise ValueError("must not end with a slash")
    if found.hosts == ANYWHERE or _is_loopback(host):
        return
    if parts.scheme != "https" or not any(host == domain or host.endswith(f".{domain}") for domain in found.hosts):
        raise ValueError(f"{name}'s key is sent only to https hosts of {', '.join(found.hosts)}, or to this machine")


def keys_present(found: Vendor, settings: object) -> dict[str, bool]:
    """Return the settings the vendor needs and whether each is there; never their values."""
    values = {name: getattr(settings, name.lower()) for name in found.needs}
    return {name: bool(getattr(value, "get_secret_value", lambda value=value: value)()) for name, value in values.items()}


class Component(Protocol):
    """What the models of personality.py have in common; named here because the table may not import them."""

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def base_url(self) -> str: ...


def lacking(kind: Kind, component: Component, settings: object) -> list[str]:
    """Return the settings that a component of a personality needs and that are empty; the same rule as speech/'s factories."""
    found = vendor(kind, component.provider)
    if found.hosts == ANYWHERE and component.base_url:
        return []
    named = {"AZURE_OPENAI_DEPLOYMENT_NAME"} if component.model else set()
    return [name for name, there in keys_present(found, settings).items() if not there and name not in named]


def check_keys(personality_id: str, components: object, settings: object) -> None:
    """Raise InvalidField for the first setting that a personality's components need and that is empty."""
    for kind in KINDS:
        for component in getattr(components, kind):
            for name in lacking(kind, component, settings):
                reason = f"'{personality_id}' uses {component.provider}, which needs {name}; set it in .env."
                raise InvalidField(reason, field="personality")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
