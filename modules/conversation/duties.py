"""What a personality does besides talking: tools, whom it hands over to, what it tells a machine. The schema only."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from modules.conversation.inbound_numbers import e164


class Duty(BaseModel):
    """A part of a personality's YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Tool = Literal["end_call", "dtmf", "transfer"]


class Target(Duty):
    """Somebody a call may be handed over to. The short form `name: "+493012345678"` is its number."""

    number: Annotated[str, AfterValidator(e164)] = Field(description="Where they are reached, as E.164. The model never sees it.")
    description: str = Field(default="", max_length=300, description="For what they are there, for the model that chooses.")
    announcement: str = Field(
        default="One moment please, I will connect you.", min_length=1, max_length=300,
        description="Said before the call is handed over.",
    )  # fmt: skip


def _short_form(value: object) -> object:
    return {"number": value} if isinstance(value, str) else value


Targets = dict[
    Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")],
    Annotated[Target, BeforeValidator(_short_form, json_schema_input_type=str | Target)],
]


TAKE_MESSAGE = "take_message"
_INSTEAD = r"^([A-Za-z_][A-Za-z0-9_]{0,63})?$"


class Overflow(Duty):
    """What becomes of a caller who is not put through. The short form `overflow: take_message` is both."""

    full_house: str = Field(
        default="", pattern=_INSTEAD, title="a name of letters, digits and _",
        description="Where all lines are busy: take_message, or the name of a target under `transfer`. Empty: `sentences.busy`.",
    )  # fmt: skip
    closed: str = Field(
        default="", pattern=_INSTEAD, title="a name of letters, digits and _",
        description="The same outside the `hours`. Empty: `sentences.closed`.",
    )  # fmt: skip
    message_s: int = Field(default=60, ge=5, le=300, description="Longest message.")


def _both(value: object) -> object:
    return {"full_house": value, "closed": value} if isinstance(value, str) else value


AnyOverflow = Annotated[Overflow, BeforeValidator(_both, json_schema_input_type=str | Overflow)]


class Voicemail(Duty):
    """What happens when a machine takes the call. Without it, the prompt decides what a machine is told."""

    action: Literal["leave_message", "hang_up"] = Field(
        description="Speak once after the beep (or after a silence) and hang up, or hang up at once."
    )
    message: str = Field(
        default="", max_length=1000,
        description="What is spoken, with variables. If it does not say that an AI speaks, that comes first.",
    )  # fmt: skip
    prompt: str = Field(
        default="", pattern=r"^[a-z0-9_-]{0,64}$", title="a name of small letters, digits, _ and -",
        description="Instead of `message`: the prompt by which the model words it, a key of prompts/prompts.yaml.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_wording(self) -> Self:
        if self.action == "leave_message" and bool(self.message) == bool(self.prompt):
            raise ValueError("leave_message needs either `message`, the words, or `prompt`, a key of the prompt book")
        if self.action == "hang_up" and (self.message or self.prompt):
            raise ValueError("hang_up says nothing; `message` and `prompt` are for leave_message")
        return self
