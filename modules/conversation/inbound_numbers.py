"""`inbound_numbers`: which of our numbers a personality answers. No two personalities may claim one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import phonenumbers
import yaml
from pydantic import AfterValidator

from modules.calls import numbers
from modules.calls.errors import InvalidNumber
from modules.conversation.texts import Texts
from modules.strict_yaml.nodes import YamlError, entry, parse

FIELD = "inbound_numbers"
_EXAMPLE = 'a number as E.164, e.g. "+493012345678"'


def e164(text: str) -> str:
    """Return a number that is written as E.164. Raises ValueError that says how to write it."""
    try:
        written = numbers.parse(text, phonenumbers.UNKNOWN_REGION)
    except InvalidNumber as error:
        raise ValueError(f"expected {_EXAMPLE}, found '{text[:40]}'. {error.message}") from None
    if written != text:
        raise ValueError(f'expected {_EXAMPLE}; write it as "{written}"')
    return text


def _each_once(listed: list[str]) -> list[str]:
    for number in listed:
        if listed.count(number) > 1:
            raise ValueError(f"{number} is listed twice")
    return listed


InboundNumbers = Annotated[list[Annotated[str, AfterValidator(e164)]], AfterValidator(_each_once)]


@dataclass(frozen=True, slots=True)
class _Claim:
    path: Path
    line: int
    column: int


def clashes(texts: Texts, personality_ids: list[str]) -> dict[str, YamlError]:
    """Return, for each personality with a number that another file lists as well, the mistake that names both files."""
    claims: dict[str, dict[str, _Claim]] = {}
    for name in personality_ids:
        for number, claim in _claims(texts, name).items():
            claims.setdefault(number, {})[name] = claim
    found: dict[str, YamlError] = {}
    for number, claimants in claims.items():
        for name, own in claimants.items():
            others = ", ".join(f"{claim.path.name}:{claim.line}" for other, claim in claimants.items() if other != name)
            if others:
                reason = f"{number} is claimed by {others} as well; a number is answered by one personality"
                found.setdefault(name, YamlError(own.path, own.line, FIELD, reason, column=own.column))
    return found


def _claims(texts: Texts, name: str) -> dict[str, _Claim]:
    path = texts.path("agents", f"{name}.yaml")
    try:
        found = entry(parse(texts.text("agents", f"{name}.yaml"), path), FIELD)
    except YamlError:  # a broken file is told of for itself
        return {}
    listed = found[1].value if found and isinstance(found[1], yaml.SequenceNode) else []
    marks = [(item.value, item.start_mark) for item in listed if isinstance(item, yaml.ScalarNode)]
    return {number: _Claim(path, mark.line + 1, mark.column + 1) for number, mark in marks}
