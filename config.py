"""The only reader of the environment: one frozen object of settings, read once at the door of each process.

The same fields feed `.env.example`, docs/settings.md and `voicefleet config show`; a test compares them. Known example
secrets are refused, so that nobody runs a fleet with a key that is printed in a manual.
"""

import sys
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from modules.calls.gate import Policy

EXAMPLE_SECRETS = frozenset({"secret", "devkey", "devsecret", "changeme", "changethis", "password", "your-api-key", "test"})
SHORTEST_SECRET = 32  # livekit-server logs an error below this


def _named(default: Any, text: str, *aliases: str) -> Any:
    if aliases:
        return Field(default=default, description=text, validation_alias=AliasChoices(*aliases))
    return Field(default=default, description=text)


class Settings(BaseSettings):
    """Everything the operator can set. Environment names are the attribute names in capitals."""

    model_config = SettingsConfigDict(
        env_file=(".env", ".env.local"), frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    livekit_url: str = _named("ws://127.0.0.1:7880", "Where livekit-server is.")
    livekit_api_key: str = Field(description="Key shared with livekit-server and livekit-sip.")
    livekit_api_secret: SecretStr = Field(description="Its secret, at least 32 characters.")
    livekit_agent_name: str = _named("voicefleet", "The name workers register and rooms ask for.")
    redis_url: str = _named("redis://127.0.0.1:6379/0", "Redis 7 with appendonly yes and appendfsync always.")
    database_url: str = _named("sqlite:///data/voicefleet.db", "History: sqlite:///path or postgresql://user:pass@host/db.")

    sip_trunk_hostname: str = _named("", "Your carrier's SIP address, e.g. <name>.pstn.twilio.com.")
    sip_auth_username: str = _named("", "User of the trunk's credential list.")
    sip_auth_password: SecretStr = _named(SecretStr(""), "Its password.")
    sip_from_number: str = _named(
        "", "The number you call from, E.164.", "sip_from_number", "livekit_sip_number", "twilio_phone_number"
    )
    sip_outbound_trunk_id: str = _named(
        "",
        "A trunk stored in livekit-server (ST_…), instead of the four values above.",
        "sip_outbound_trunk_id",
        "livekit_sip_outbound_trunk",
        "sip_trunk_id",
    )
    sip_trunks_file: Path = _named(Path("trunks.yaml"), "More trunks, see docs/trunks.md; the file may be absent.")
    sip_publish_on: str = _named("127.0.0.1", "Address livekit-sip listens on; 0.0.0.0 to reach carriers.")
    sip_use_external_ip: bool = _named(False, "Tell carriers this machine's public address; a STUN server is asked for it.")
    sip_port: int = _named(5060, "livekit-sip's port, UDP and TCP, where `up` starts it (LIVEKIT_SIP_BIN).")
    sip_api_url: str = _named("", "Where the simulated carrier answers the SIP API; empty = no simulated trunk.")
    twilio_account_sid: str = _named("", "Twilio account, for set-up and diagnosis only.")
    twilio_auth_token: SecretStr = _named(SecretStr(""), "Its token.")
    twilio_api_url: str = _named("", "Who is asked instead of Twilio's own addresses, for tests; empty = Twilio.")
    public_base_url: str = _named("", "How the outside reaches this API: in links, and in the signature of Twilio's callbacks.")

    api_key: SecretStr = _named(SecretStr(""), "The first API key; more are made with the API.")
    api_host: str = _named("127.0.0.1", "Address the API listens on.")
    api_port: int = _named(8000, "Port the API listens on.")
    body_limit_bytes: int = _named(1_048_576, "Larger request bodies are refused.")
    default_region: str = _named("US", "Country of numbers written without +.")
    allowed_countries: Annotated[frozenset[str], NoDecode] = _named(
        frozenset({"US", "CA", "DE", "AT", "CH", "GB", "IE", "FR", "NL", "BE"}), "ISO countries that may be dialled."
    )
    calling_hours: str = _named("", "Local time at the callee in which to dial, e.g. 08:00-21:00; empty = any.")

    inbound_per_minute: int = _named(6, "Calls taken from one caller's number in any minute; 0 = any number.")
    inbound_per_hour: int = _named(60, "Calls taken from one caller's number in any hour; 0 = any number.")
    overflow_lines: int = _named(
        2, "Callers beyond the fleet's calls who may leave a message or be handed over at once; 0 = none."
    )
    contacts_file: Path = _named(Path("data/contacts.yaml"), "Who calls from which number, if the file is there.")

    num_agents: int = _named(1, "Worker processes started by `up` and compose.")
    worker_slots: int = _named(8, "Calls one worker holds at once.")
    worker_port: int = _named(8081, "The worker's health port; 0 = any free one.")
    voice_pipelines: int = _named(2, "Uploads to /api/voice-pipeline answered at once; each has a process of its own.")
    voice_pipeline_limit_s: float = _named(600.0, "Longest sound of such an upload.")
    voice_pipeline_limit_bytes: int = _named(25_000_000, "Its largest body, instead of BODY_LIMIT_BYTES.")
    max_concurrent_calls: int = _named(10, "Calls of the whole fleet at once.")
    calls_per_second: float = _named(1.0, "Dial requests of the whole fleet in any second (a carrier's limit).")
    ring_timeout_s: int = _named(30, "How long a phone may ring; at most 75.")
    max_call_s: int = _named(600, "Longest conversation.")
    calls_expire_s: int = _named(86_400, "A queued call that could not be placed by then ends as expired.")
    lease_s: float = _named(7.0, "A call whose worker has been silent for this long is taken over and ended.")
    place_timeout_s: float = _named(20.0, "How long an agent may take to join a room.")
    retention_s: int = _named(86_400, "How long Redis keeps ended calls and idempotency keys.")

    data_dir: Path = _named(Path("data"), "Databases and recordings.")
    logs_dir: Path = _named(Path("logs"), "Exported conversations.")
    export_conversations: bool = _named(True, "Write each conversation to logs_dir as JSON and text.")
    agents_dir: Path = _named(Path("agents"), "Personalities, one YAML each.")
    prompts_dir: Path = _named(Path("prompts"), "Prompts, one Markdown each, and prompts.yaml.")
    scenarios_dir: Path = _named(Path("scenarios"), "Simulated people, one YAML each.")
    default_personality: str = _named("local_demo", "The personality of a call that names none.")
    log_format: Literal["console", "json"] = _named("console", "How logs look.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _named("INFO", "What is logged.")

    azure_speech_key: SecretStr = _named(SecretStr(""), "Azure speech.")
    azure_speech_region: str = _named("", "Azure speech region, e.g. westeurope.")
    azure_openai_api_key: SecretStr = _named(SecretStr(""), "Azure OpenAI.")
    azure_openai_endpoint: str = _named("", "Azure OpenAI endpoint, https://<name>.openai.azure.com.")
    azure_openai_deployment_name: str = _named("", "Azure OpenAI deployment.")
    azure_openai_api_version: str = _named(
        "2024-10-21", "Azure OpenAI API version.", "azure_openai_api_version", "openai_api_version"
    )
    openai_api_key: SecretStr = _named(SecretStr(""), "OpenAI.")
    openai_base_url: str = _named("", "Where OPENAI_API_KEY is sent instead of OpenAI.")
    openai_compatible_api_key: SecretStr = _named(SecretStr(""), "Sent to a personality's own base_url; empty = none.")
    anthropic_api_key: SecretStr = _named(SecretStr(""), "Anthropic.")
    assemblyai_api_key: SecretStr = _named(SecretStr(""), "AssemblyAI.")
    cartesia_api_key: SecretStr = _named(SecretStr(""), "Cartesia.")
    deepgram_api_key: SecretStr = _named(SecretStr(""), "Deepgram.")
    eleven_api_key: SecretStr = _named(SecretStr(""), "ElevenLabs.", "eleven_api_key", "elevenlabs_api_key")
    google_api_key: SecretStr = _named(SecretStr(""), "Google Gemini.")
    google_application_credentials: str = _named("", "Google Cloud speech: path of a service account's JSON file.")
    groq_api_key: SecretStr = _named(SecretStr(""), "Groq.")

    @field_validator("allowed_countries", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return frozenset(part.strip().upper() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("default_region")
    @classmethod
    def _known_region(cls, value: str) -> str:
        if value.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("must be an ISO country with telephone numbers, e.g. US or DE")
        return value.upper()

    @field_validator("livekit_api_secret", "api_key", "livekit_api_key")
    @classmethod
    def _no_example(cls, value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text.lower() in EXAMPLE_SECRETS:
            raise ValueError("this is an example from a manual; run ./voicefleet setup to make a real one")
        return value

    @field_validator("livekit_api_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters")
        return value

    @field_validator("ring_timeout_s")
    @classmethod
    def _below_the_servers_deadline(cls, value: int) -> int:
        if not 1 <= value <= 75:
            raise ValueError("must be 1 to 75: livekit-server gives a dial request 80 s in all")
        return value

    @field_validator("calling_hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        parse_hours(value)
        return value

    @property
    def http_url(self) -> str:
        """livekit-server's address for its HTTP API."""
        return self.livekit_url.replace("ws://", "http://", 1).replace("wss://", "https://", 1)


def load() -> Settings:
    """Read the environment, `.env` and `.env.local`; leave with one line for each wrong setting."""
    try:
        return Settings()  # type: ignore[call-arg]  # they come from the environment
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in error.errors()]
        print("Settings cannot be used:", *lines, "Next: ./voicefleet setup writes a .env with what is missing.",
              sep="\n  ", file=sys.stderr)  # fmt: skip
        raise SystemExit(2) from None


def parse_hours(text: str) -> tuple[time, time] | None:
    """Return "08:00-21:00" as two times, "" as None; raise ValueError otherwise."""
    if not text:
        return None
    opens, dash, closes = text.partition("-")
    window = time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip())
    if not dash or window[0] >= window[1]:
        raise ValueError("calling hours read HH:MM-HH:MM, the first before the second")
    return window


def policy(settings: Settings) -> Policy:
    """Return what the operator allows to be dialled, as the gate wants it."""
    return Policy(settings.allowed_countries, parse_hours(settings.calling_hours))
