"""What a personality does besides talking: its tools, what it tells a machine. The schema only; what they do is elsewhere."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Duty(BaseModel):
    """A part of a personality's YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

Tool = Literal["end_call", "dtmf"]


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
