"""A personality: who speaks on our side of the phone. The schema of one YAML of agents/; prose is in the prompt book.

Every field has an effect today. docs/personalities.md and docs/personality.schema.json are written from these models.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from modules.conversation import vendors
from modules.conversation.duties import TAKE_MESSAGE, AnyOverflow, Overflow, Targets, Tool, Voicemail
from modules.conversation.inbound_numbers import InboundNumbers
from modules.conversation.opening import discloses
from modules.conversation.service_hours import ServiceHours
from modules.conversation.variables import Variables
from modules.conversation.wanted import Extract

if TYPE_CHECKING:  # a type checker cannot read a Literal out of a table
    SttProvider: TypeAlias = str
    LlmProvider: TypeAlias = str
    TtsProvider: TypeAlias = str
else:
    SttProvider = Literal[vendors.names("stt")]
    LlmProvider = Literal[vendors.names("llm")]
    TtsProvider = Literal[vendors.names("tts")]

ID = r"[a-z0-9][a-z0-9_-]{0,63}"
PARENT = r"[a-z0-9_][a-z0-9_-]{0,63}"
_KEY = r"^[a-z0-9_-]{1,64}$"
_NAME = "a name of small letters, digits, _ and -"
_TWO = "two small letters, e.g. de"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Component(_Strict):
    """What the three have in common; the vendors are in vendors.py."""

    kind: ClassVar[vendors.Kind]
    provider: str
    model: str = Field(default="", max_length=200, description="The vendor's name of a model; empty: see docs/providers.md.")
    base_url: str = Field(default="", max_length=500, description="Where the vendor is, if not at its usual address.")

    @field_validator("provider")
    @classmethod
    def _installed(cls, value: str) -> str:
        vendors.check_installed(cls.kind, value)
        return value

    @field_validator("base_url")
    @classmethod
    def _reachable(cls, value: str, info: ValidationInfo) -> str:
        if value and "provider" in info.data:
            vendors.check_base_url(cls.kind, info.data["provider"], value)
        return value


class Hearing(_Component):
    """Speech to text."""

    kind: ClassVar[vendors.Kind] = "stt"
    provider: SttProvider = Field(description="Who does it.")
    language: str = Field(default="en-US", min_length=1, max_length=35, description="What is spoken to it, BCP 47, e.g. de-DE.")


class Thinking(_Component):
    """The language model."""

    kind: ClassVar[vendors.Kind] = "llm"
    provider: LlmProvider = Field(description="Who does it.")
    temperature: float | None = Field(default=None, ge=0, le=2, description="How freely it words things, 0 to 2.")
    script: str = Field(
        default="", pattern=r"^[a-z0-9_-]{0,64}$", title=_NAME,
        description="For provider local, which needs one: a file of prompts/scripts/.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _script_is_for_local(self) -> Self:
        if self.provider == "local" and not self.script:
            raise ValueError("provider local needs `script`, the name of a file in prompts/scripts/ without .yaml")
        if self.provider != "local" and self.script:
            raise ValueError("`script` is for provider local only")
        return self

    @model_validator(mode="after")
    def _realtime_words_things_its_own_way(self) -> Self:
        if self.realtime and self.temperature is not None:
            raise ValueError(f"{self.provider} takes no `temperature`; leave it out")
        return self

    @property
    def realtime(self) -> bool:
        """Whether it hears the sound itself."""
        return vendors.vendor("llm", self.provider).realtime

    @model_validator(mode="before")
    @classmethod
    def _older_spelling(cls, value: Any) -> Any:
        if isinstance(value, dict) and (value.get("provider"), value.get("model")) == ("openai", "azure_openai"):
            return {**value, "provider": "azure_openai", "model": ""}
        return value


class Speaking(_Component):
    """Text to speech."""

    kind: ClassVar[vendors.Kind] = "tts"
    provider: TtsProvider = Field(description="Who does it.")
    language: str = Field(default="en-US", min_length=1, max_length=35, description="What it speaks, BCP 47, e.g. de-DE.")
    voice: str = Field(default="", max_length=200, description="The vendor's name of a voice; empty: see docs/providers.md.")


def _chain(value: object) -> object:
    return value if isinstance(value, list) else [value]


class Components(_Strict):
    """The three models of a voice. A list is a fallback chain: the next is asked when one fails."""

    stt: Annotated[list[Hearing], BeforeValidator(_chain), Field(min_length=1, description="What listens.")]
    llm: Annotated[list[Thinking], BeforeValidator(_chain), Field(min_length=1, description="What thinks.")]
    tts: Annotated[list[Speaking], BeforeValidator(_chain), Field(min_length=1, description="What speaks.")]

    @field_validator("llm")
    @classmethod
    def _realtime_stands_alone(cls, value: list[Thinking]) -> list[Thinking]:
        live = next((one.provider for one in value if one.realtime), None)
        if live and len(value) > 1:
            raise ValueError(f"{live} holds a whole conversation, so no other can follow or precede it; list it alone")
        return value


class Prompts(_Strict):
    """Which prompt is spoken from; keys of prompts/prompts.yaml."""

    inbound: str = Field(default="default_inbound", pattern=_KEY, title=_NAME, description="For somebody who calls us.")
    outbound: str = Field(default="default_outbound", pattern=_KEY, title=_NAME, description="For somebody we call.")


class Turns(_Strict):
    """Who speaks when, and for how long."""

    endpointing_s: float = Field(default=0.3, ge=0, le=5, description="Silence after which the other side has finished.")
    detection: Literal["vad", "stt", "v1-mini"] = Field(
        default="vad",
        description="What tells the end of a turn: silence, the listener's vendor, or a small model under LiveKit's own licence.",
    )
    vad: Literal["local", "silero"] = Field(
        default="local", description="What notices speech: the detector each worker has ready, or Silero's plugin."
    )
    interruptions: bool = Field(default=True, description="Whether the agent stops when it is spoken over.")
    keys: Literal["kept", "hidden"] = Field(
        default="kept",
        description="What the record holds of pressed keys: which, or only how many, e.g. where a PIN is asked for.",
    )
    nudge_after_s: float = Field(default=8, gt=0, le=120, description="Silence after which the agent speaks up.")
    nudges: int = Field(default=3, ge=0, le=10, description="How often it does before it says goodbye.")
    max_call_s: int | None = Field(
        default=None, ge=10, le=7200, description="Longest conversation; the call's own limit and MAX_CALL_S hold as well."
    )


class Sentences(_Strict):
    """Fixed sentences in the personality's language."""

    nudge: str = Field(default="Are you still there?", min_length=1, max_length=300, description="Said into silence.")
    goodbye: str = Field(
        default="I will end the call now. Goodbye.", min_length=1, max_length=300, description="Said when a limit ends the call."
    )
    filler: str = Field(
        default="One moment, please.", min_length=1, max_length=300, description="Said when an answer takes long."
    )
    pardon: str = Field(
        default="Sorry, I did not catch that.", min_length=1, max_length=300, description="Said to speech without any words."
    )
    trouble: str = Field(
        default="I am sorry, I have a technical problem. Goodbye.", min_length=1, max_length=300,
        description="Said when the models fail for good.",
    )  # fmt: skip
    busy: str = Field(
        default="All our lines are busy. Please call again later. Goodbye.", min_length=1, max_length=300,
        description="Said to a caller for whom there is no agent.",
    )  # fmt: skip
    closed: str = Field(
        default="We are closed at the moment. Please call again later. Goodbye.", min_length=1, max_length=300,
        description="Said to somebody who calls outside the `hours`.",
    )  # fmt: skip
    take_message: str = Field(
        default="Nobody can take your call at the moment. Please leave a message after the tone. It will be written down.",
        min_length=1, max_length=300, description="Said before the tone to somebody whose message is taken.",
    )  # fmt: skip
    not_in_service: str = Field(
        default="This number is not in service. Goodbye.", min_length=1, max_length=300,
        description="Said by the default personality to somebody who calls a number that nobody answers.",
    )  # fmt: skip


class Personality(_Strict):
    """One YAML of agents/."""

    name: str = Field(min_length=1, max_length=100, description="What people see; the file's name is what calls use.")
    extends: str = Field(
        default="", pattern=rf"^({PARENT})?$", title=_NAME,
        description="Another file of agents/ whose fields hold where this one says nothing; a file named _… is only for that.",
    )  # fmt: skip
    language: str = Field(default="en", pattern=r"^[a-z]{2}$", title=_TWO, description="ISO 639 code of what it speaks, e.g. de.")
    components: Components = Field(description="What listens, thinks and speaks.")
    prompts: Prompts = Field(default=Prompts(), description="What it wants, as keys of the prompt book.")
    greeting: str = Field(
        min_length=1, max_length=1000,
        description="The first words after the answer, with variables. If it does not say that an AI speaks, that comes first.",
    )  # fmt: skip
    disclosure: str = Field(
        default="", max_length=300,
        description="Its own sentence that says so, without variables, instead of the fixed one of its language.",
    )  # fmt: skip
    turns: Turns = Field(default=Turns(), description="Who speaks when, and for how long.")
    sentences: Sentences = Field(default=Sentences(), description="Fixed sentences in the personality's language.")
    variables: Variables = Field(
        default={}, max_length=64, description="Values the greeting and the prompts may use: `name: default`, or with a type."
    )
    overrides: list[Literal["llm_prompt", "greeting"]] = Field(
        default=["llm_prompt", "greeting"], max_length=2, description="What one call may replace by its own words; [] = nothing."
    )

    tools: list[Tool] = Field(
        default=["end_call"], max_length=3,
        description="What it may do besides talking: end_call hangs up, dtmf presses keys (for a menu), transfer hands over.",
    )  # fmt: skip
    overflow: AnyOverflow = Field(
        default=Overflow(), description="What becomes of callers who are not put through, instead of a sentence and an end."
    )
    transfer: Targets = Field(
        default={},
        max_length=20,
        validate_default=True,
        description="Whom the tool transfer, or `overflow`, can hand the call over to: `name: number`, or with more.",
    )
    voicemail: Voicemail | None = Field(default=None, description="What a machine is told that takes the call.")
    extract: Extract = Field(
        default={}, max_length=40,
        description="What a call is to bring home, found in its transcript when it is over; `name: {…}` or JSON Schema.",
    )  # fmt: skip
    inbound_numbers: InboundNumbers = Field(
        default=[], max_length=1000,
        description="The numbers of ours whose calls it answers, as E.164. No two may claim one; `extends` passes none on.",
    )  # fmt: skip

    hours: ServiceHours | None = Field(default=None, description="When it takes calls that come in; without it, always.")

    @field_validator("tools")
    @classmethod
    def _each_once(cls, value: list[Tool]) -> list[Tool]:
        if twice := next((name for name in value if value.count(name) > 1), None):
            raise ValueError(f"{twice} is listed twice")
        return value

    @field_validator("disclosure")
    @classmethod
    def _says_so(cls, value: str) -> str:
        if value and (not discloses(value) or "{" in value):
            raise ValueError("must say plainly, without variables, that an AI speaks: 'I am the AI assistant of City Clinic.'")
        return value

    @field_validator("transfer")
    @classmethod
    def _only_with_its_tool(cls, value: Targets, info: ValidationInfo) -> Targets:
        listed = "transfer" in info.data.get("tools", ())
        if listed and not value:
            raise ValueError('the tool transfer needs names with numbers here, e.g. {reception: "+493012345678"}')
        if TAKE_MESSAGE in value:
            raise ValueError(f"{TAKE_MESSAGE} is no name for somebody: under `overflow` it means a message")
        overflow = info.data.get("overflow")
        if value and not listed and "tools" in info.data and overflow and not {overflow.full_house, overflow.closed} & {*value}:
            raise ValueError("nobody can be handed over to these; add transfer to `tools`, or name one under `overflow`")
        return value

    @model_validator(mode="after")
    def _somebody_tells_the_end(self) -> Self:
        deaf = [one.provider for one in self.components.stt if not vendors.vendor("stt", one.provider).tells_the_end]
        if self.turns.detection == "stt" and deaf:
            raise ValueError(f"turns.detection cannot be stt: {deaf[0]} does not tell when somebody has finished")
        if self.turns.detection == "stt" and self.components.llm[0].realtime:
            raise ValueError(f"turns.detection cannot be stt with {self.components.llm[0].provider}; use vad or v1-mini")
        return self
