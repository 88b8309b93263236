"""A script: what the scripted model of provider `local` asks and answers, as strict YAML. Rules only; `dialogue.py` plays it.

`when` and `answer` are regular expressions, searched in what was heard: lower-case words, no punctuation, no digits.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from modules.conversation.speech.local.words import fill, placeholders, words_of
from modules.strict_yaml import read_strict


def _speakable(text: str) -> str:
    if re.search(r"\d", text):
        raise ValueError("write numbers as words: they are spoken, and heard, as words")
    if not words_of(text):
        raise ValueError("needs at least one word")
    return text


def _pattern(text: str) -> str:
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    if compiled.search(""):
        raise ValueError("this expression matches everything")
    return text


Speech = Annotated[str, Field(max_length=400), AfterValidator(_speakable)]
Pattern = Annotated[str, Field(max_length=400), AfterValidator(_pattern)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Topic(_Strict):
    """One thing to find out."""

    ask: Speech
    answer: Pattern
    """What a reply must hold to count as an answer."""
    react: Speech = "All right."
    again: Speech | None = None
    """Asked when the reply was no answer; the same words as `ask` without it."""


class Rule(_Strict):
    """Something the other side may say at any moment. The first rule that matches is used."""

    when: Pattern
    say: Speech | None = None
    """None: nothing of its own, only what `then` says."""
    then: Literal["go on", "wait", "repeat", "hang up"] = "go on"
    """go on: with the open question. wait: for them. repeat: what was said last. hang up: end_call."""
    press: Annotated[str, Field(pattern=r"^[0-9*#]{1,32}$")] | None = None
    """Keys to press, for a menu; then it waits, whatever `then` says."""
    transfer: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] | None = None
    """To whom to hand over, a name of the personality's `transfer`; the tool announces it."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.say is None and self.then == "wait" and self.press is None and self.transfer is None:
            raise ValueError("a rule that waits must say something")
        return self


class Evidence(_Strict):
    """How an answer is found in what the other side said: the whole match is its quote."""

    when: Pattern
    """Its group `value`, a number in words or a text, is the answer."""
    value: str | int | float | bool | None = None
    """The answer, where the words themselves do not hold it."""

    @model_validator(mode="after")
    def _has_a_value(self) -> Self:
        if (self.value is None) == ("value" not in re.compile(self.when).groupindex):
            raise ValueError("needs either a group (?P<value>…) in `when` or a `value`")
        return self


class Script(_Strict):
    name: str = Field(min_length=1)
    variables: dict[str, str] = {}
    """Names used as `{{ name }}` in what is said, each with the value for a call that gives none."""
    opening: Speech | None = None
    """Said when the model has to speak first; a personality's greeting usually does that."""
    topics: list[Topic] = []
    rules: list[Rule] = []
    answers: dict[str, Evidence] = {}
    """For `extract`: by what each answer is known."""
    closing: Speech
    """The last words, once every topic is done or given up; then end_call."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        unknown = {name for line in self.lines() for name in placeholders(line)} - set(self.variables)
        if unknown:
            raise ValueError(f"`{{{{ {sorted(unknown)[0]} }}}}` is used, but not declared under `variables`")
        for question in ("are you a robot", "are you a person"):
            rule = next((rule for rule in self.rules if re.search(rule.when, question)), None)
            if rule is None or rule.say is None or "AI" not in rule.say.split():
                raise ValueError(f'a rule must answer "{question}" honestly: its `say` needs the word AI')
        return self

    def lines(self) -> list[str]:
        """Everything this script can say, placeholders and all."""
        asked = [line for topic in self.topics for line in (topic.ask, topic.again, topic.react)]
        said = [self.opening, *asked, *(rule.say for rule in self.rules), self.closing]
        return [line for line in said if line]

    def filled(self, variables: dict[str, str]) -> "Script":
        """The script with every placeholder replaced. Values come from a caller, so they are not held to be speakable."""
        values = {**self.variables, **{k: v for k, v in variables.items() if k in self.variables and v.strip()}}

        def put(text: str | None) -> str | None:
            return fill(text, values) if text else text

        topics = [t.model_copy(update={"ask": put(t.ask), "again": put(t.again), "react": put(t.react)}) for t in self.topics]
        rules = [r.model_copy(update={"say": put(r.say)}) for r in self.rules]
        ends = {"opening": put(self.opening), "closing": put(self.closing)}
        return self.model_copy(update={"topics": topics, "rules": rules, **ends})


def load_script(path: Path) -> Script:
    """Read a script; raise strict_yaml.YamlError (file, line, field, reason) when it is not right."""
    return read_strict(path, Script)
