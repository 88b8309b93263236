"""A scenario: who or what is reached at one simulated number, as strict YAML (scenarios/*.yaml). Data only.

The fields are explained to people in scenarios/gym_desk.yaml. `callee.py` plays the person, `carrier.py` the rest.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from modules.conversation.speech.local.script import Pattern, Speech
from modules.strict_yaml import YamlError, read_strict

NUMBER = re.compile(r"\+120255501\d\d")


def _simulated(number: str) -> str:
    if not NUMBER.fullmatch(number):
        raise ValueError('must be a number that belongs to nobody: "+120255501" and two digits, in quotes')
    return number


Digits = Annotated[str, StringConstraints(pattern=r"^[0-9*#]+$", max_length=32)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Refusal(_Strict):
    """The dial fails: with the carrier's SIP status, or inside LiveKit, before or beside any SIP."""

    sip_status: int | None = Field(default=None, ge=400, le=699)
    sip_text: str = ""
    twirp: Literal["unavailable", "internal", "deadline_exceeded", "failed_precondition"] | None = None
    message: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.sip_status is None) == (self.twirp is None):
            raise ValueError("needs either sip_status or twirp")
        return self


class WhenSilent(_Strict):
    after_s: Seconds
    say: Speech
    times: int = Field(default=1, ge=1, le=100)


class HangsUp(_Strict):
    after_s: Seconds | None = None
    after_silence_s: Seconds | None = None
    after_turns: int | None = Field(default=None, ge=1)


class Knows(_Strict):
    when: Pattern | None = None
    digit: Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")] | None = None
    say: Speech | None = None
    press: Digits | None = None
    then: Literal["stay", "hang up"] = "stay"

    @model_validator(mode="after")
    def _one_cue(self) -> Self:
        if (self.when is None) == (self.digit is None):
            raise ValueError("needs either `when` (words heard) or `digit` (a key pressed)")
        return self


class Person(_Strict):
    voice: Literal["kal16", "rms", "slt", "awb"] = "kal16"
    opening: Speech | None = None
    beep: bool = False
    when_silent: WhenSilent | None = None
    greets: Speech | None = None
    knows: list[Knows] = []
    otherwise: list[Speech] = []
    pause_s: Annotated[float, Field(ge=0.1, le=3)] = 0.35
    hangs_up: HangsUp = HangsUp()

    def lines(self) -> list[str]:
        """Everything this person can say."""
        silent = self.when_silent.say if self.when_silent else None
        said = [self.opening, silent, self.greets, *(rule.say for rule in self.knows), *self.otherwise]
        return [line for line in said if line]


class Expect(_Strict):
    """What must be true at the end. Patterns are searched in all the words heard, or said, by the person."""

    outcome: str
    turns_at_least: int = Field(default=0, ge=0)
    heard: list[Pattern] = []
    said: list[Pattern] = []


class Scenario(_Strict):
    name: str = Field(min_length=1)
    language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    """Of what is said. Only English is spoken well, and only English words are expected by local listeners."""
    number: Annotated[str, AfterValidator(_simulated)]
    about: str = Field(min_length=1)
    rings_s: Seconds = 1.0
    person: Person | None = None
    refusal: Refusal | None = None
    never_answers: bool = False
    expect: Expect

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.person is not None) + (self.refusal is not None) + self.never_answers != 1:
            raise ValueError("needs exactly one of `person`, `refusal` and `never_answers: true`")
        return self


def load_scenarios(folder: Path) -> Mapping[str, Scenario]:
    """Every scenario of a folder by its number; raise YamlError for the first file that is not right."""
    found: dict[str, Scenario] = {}
    files: dict[str, Path] = {}
    paths = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if not paths:
        raise YamlError(folder, 1, "", "holds no scenario (*.yaml)")
    for path in paths:
        scenario = read_strict(path, Scenario)
        if scenario.number in found:
            raise YamlError(path, 1, "number", f"{scenario.number} is taken by {files[scenario.number].name}")
        found[scenario.number], files[scenario.number] = scenario, path
    return found
