"""What a request may say. Unknown fields are refused by name; every text and every map has a bound. Answers: views.py."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from modules.call_history import Scope
from modules.calls import Priority

MOST_VARIABLES = 64
METADATA_BYTES = 16_384
_LINE_ENDS = frozenset("\n\r\t")


def _printable(text: str) -> str:
    if any(ord(character) < 32 and character not in _LINE_ENDS for character in text):
        raise ValueError("must not hold control characters")
    return text


def _one_line(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("must be one line")
    return text


def _small(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return _bounded(value, METADATA_BYTES)


def _bounded(value: dict[str, JsonValue], most_bytes: int = 65_536) -> dict[str, JsonValue]:
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, RecursionError):
        raise ValueError("must be plain JSON: no NaN, no broken Unicode, not nested too deeply") from None
    if size > most_bytes:
        raise ValueError(f"must take at most {most_bytes} bytes as JSON")
    if "\\u0000" in json.dumps(value):
        raise ValueError("must not hold control characters")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Text = Annotated[str, StringConstraints(max_length=16_000), AfterValidator(_printable)]
Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]
MaybeName = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_-]{0,63})?$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Value = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_printable)]


class Body(BaseModel):
    """A JSON body. A field nobody knows is an error, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OutboundCall(Body):
    """The short way to place a call."""

    to_number: str = Field(description="Who is called: E.164, or a number of DEFAULT_REGION.", examples=["+12025550100"])
    caller_name: Line = Field("", description="On whose behalf the agent calls.")
    llm_prompt: Text = Field("", description="Instructions for this call, instead of the personality's prompt.")
    greeting: Text = Field("", description="The agent's first words, instead of the personality's.")


class OnBehalf(Body):
    """What a call on someone's behalf is about, and all that its agent knows."""

    action: Line = Field(
        "", description="What the agent shall get done; goes on after `I am calling to`. Makes concierge the default voice.",
        examples=["book a table for two"],
    )  # fmt: skip
    context: Text = Field(
        "", description="All that the agent may answer from; to anything else it offers that a person calls back."
    )
    callee_name: Line = Field("", description="Who is called, by name; greeted with it.")
    agent_name: Line = Field("", description="What the agent calls itself.")
    organization: Line = Field("", description="For whom the agent calls; needed with action.")


class NewCall(OnBehalf, OutboundCall):
    """A call to be placed."""

    personality: MaybeName = Field("", description="Which personality speaks; empty = DEFAULT_PERSONALITY.")
    trunk: MaybeName = Field("", description="Which trunk dials; empty = the configured default.")
    variables: dict[VariableName, Value] = Field(
        default_factory=dict, max_length=MOST_VARIABLES, description="Values for the prompt's variables, text to text."
    )
    metadata: Annotated[dict[str, JsonValue], AfterValidator(_small)] = Field(
        default_factory=dict, description="Yours: stored and given back, never spoken. At most 16 KiB."
    )
    not_before: Moment | None = Field(None, description="Do not dial before this moment (with time zone).")
    expires_at: Moment | None = Field(None, description="Do not dial at or after this moment; default CALLS_EXPIRE_S.")
    max_attempts: int = Field(1, ge=1, le=5, description="How often the phone may be rung if it is busy or nobody answers.")
    priority: Priority = Field(Priority.NORMAL, description="Which waiting call goes first.")
    max_call_s: int | None = Field(None, ge=10, le=14_400, description="Longest conversation; at most and by default MAX_CALL_S.")
    dry_run: bool = Field(False, description="Check everything, queue nothing, answer what would happen.")


class PhoneCall(OnBehalf):
    """A call on someone's behalf, in the words of an older interface."""

    phone_number: str = Field(description="Who is called: E.164, or a number of DEFAULT_REGION.", examples=["+12025550100"])
    action: Annotated[Line, StringConstraints(min_length=1)] = Field(description="As in POST /v1/calls.")


class Cancel(Body):
    """Why a call is taken back."""

    reason: Line = ""


class PersonalityBody(Body):
    """A personality to be saved or looked at: the whole file as `text`, or the fields it shall have as `content`."""

    text: Annotated[str, StringConstraints(max_length=65_536), AfterValidator(_printable)] | None = Field(
        None, description="The file as it shall be, comments and all."
    )
    content: Annotated[dict[str, JsonValue], AfterValidator(_bounded)] | None = Field(
        None, description="Every field the file shall have; those that stay keep their place, their comments and their spelling."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.text is None) == (self.content is None):
            raise ValueError("Send either text or content.")
        return self

    @property
    def new(self) -> str | dict[str, JsonValue]:
        """What is to be saved."""
        return self.text if self.text is not None else self.content or {}


class PromptBody(Body):
    """A prompt to be saved. What is left out of `variables` and `notes` stays as it is."""

    text: Annotated[str, StringConstraints(max_length=65_536), AfterValidator(_printable)] = Field(
        description="Markdown with Jinja2, as it shall be spoken from."
    )
    variables: list[VariableName] | None = Field(None, max_length=64, description="The variables the text may use.")
    notes: Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_printable)] | None = Field(
        None, description="For the next person who edits it."
    )


class NewKey(Body):
    """An API key to be made."""

    name: Annotated[Line, StringConstraints(min_length=1, max_length=80)] = Field(description="For whom or what it is.")
    scopes: list[Scope] = Field([Scope.CALLS_READ], min_length=1, max_length=5, description="What it may do; admin may do all.")
    expires_at: Moment | None = Field(None, description="When it stops working; empty = when revoked.")


class Placed(BaseModel):
    """The seed interface's answer."""

    status: Literal["queued"] = "queued"
    call_id: str
    message: str


class DryRun(BaseModel):
    """What would happen to a call: `dial` as soon as there is room, `wait` until `not_before`, or `refuse`."""

    dry_run: Literal[True] = True
    would: Literal["dial", "wait", "refuse"]
    reason: str
    refusal: str | None
    not_before: datetime | None
    expires_at: datetime
    to_number: str
    from_number: str
    personality: str
    trunk: str
    simulated: bool


class Progress(BaseModel):
    """How often a call was tried."""

    placed: int
    dialled: int
    most: int


class AnswerView(BaseModel):
    """One answer a call brought home. `value` null: there is none, and `note` says why. The quote stands in turn `turn`."""

    value: JsonValue
    unit: str
    quote: str
    turn: int | None
    note: str


class Extraction(BaseModel):
    """The answers of a call: waiting until it is over and its transcript was read, then done or failed for a reason."""

    status: Literal["waiting", "done", "failed"]
    reason: str = ""
    answers: dict[str, AnswerView] = {}


class CallView(BaseModel):
    """A call as the API shows it. `status_text` and `links` are derived from the rest."""

    call_id: str
    version: int
    direction: str
    state: str
    status_text: str
    outcome: str | None
    last_outcome: str | None
    reason: str
    next_step: str = Field(description="What to do where it went wrong; empty otherwise. `doctor --call ID` looks further.")
    sip_status_code: int | None
    to_number: str
    from_number: str
    personality: str
    arm: str
    personality_hash: str
    trunk: str
    simulated: bool
    caller_name: str
    variables: dict[str, str]
    metadata: dict[str, JsonValue]
    extraction: Extraction | None
    llm_prompt: str
    greeting: str
    priority: str
    attempts: Progress
    max_call_s: int
    api_key_id: str
    worker_id: str | None
    room: str | None
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime
    placing_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    links: dict[str, str]
