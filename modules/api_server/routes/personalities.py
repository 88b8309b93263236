"""/v1/personalities and /v1/prompts: what calls may name, what is in them, and whether the files can be used as they are now."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from modules.api_server.guard import Reads
from modules.api_server.parts import Parts, Using
from modules.calls.errors import NotFound, UnknownPersonality
from modules.conversation.assembly import EVERY_CALL
from modules.conversation.personalities import Loaded
from modules.strict_yaml import YamlError

router = APIRouter(tags=["personalities"])
Id = Annotated[str, Path(max_length=64)]


class Mistake(BaseModel):
    """Something in a file that has to change."""

    file: str
    line: int
    column: int | None = Field(description="Where it is known.")
    field: str | None
    message: str = Field(description="What was expected, and the nearest valid word.")


class PersonalityRow(BaseModel):
    """A personality a call may name. `usable` ones can be called, also where `problem` says that an edit is not in use yet."""

    id: str
    name: str
    language: str | None
    usable: bool
    problem: str | None = Field(description="What is wrong with its files now.")
    sha256: str | None = Field(description="The version in use, as calls record it in `personality_hash`.")
    default: bool


class PersonalityList(BaseModel):
    """Every personality of the fleet."""

    personalities: list[PersonalityRow]


class VariableView(BaseModel):
    """A value a call may or must give."""

    name: str
    type: str
    required: bool
    default: str | None
    choices: list[str]
    description: str


class PersonalityView(PersonalityRow):
    """A personality as it is in use, `extends` resolved."""

    variables: list[VariableView]
    content: dict[str, Any] | None
    files: dict[str, str] = Field(description="The texts it is made of, by folder and name.")


class Findings(BaseModel):
    """What a look at the files as they are now has found."""

    id: str
    valid: bool
    errors: list[Mistake]


class PromptRow(BaseModel):
    """A prompt of the prompt book."""

    key: str
    file: str
    variables: list[str]
    notes: str
    used_by: list[str]


class PromptList(BaseModel):
    """The prompt book, as the usable personalities see it."""

    prompts: list[PromptRow]


class PromptView(PromptRow):
    """A prompt with its text."""

    text: str


@router.get("/v1/personalities")
async def personalities(_: Reads, parts: Using) -> PersonalityList:
    """List the personalities a call may name. One whose files cannot be used says why."""
    return PersonalityList(personalities=[_row(parts, name) for name in parts.personalities.ids()])


@router.get("/v1/personalities/{personality_id}")
async def read_personality(personality_id: Id, _: Reads, parts: Using) -> PersonalityView:
    """Show a personality as the next call would use it: fields, variables, and the files it is made of."""
    _known(parts, personality_id)
    row = _row(parts, personality_id).model_dump()
    if not row["usable"]:
        return PersonalityView(**row, variables=[], content=None, files={})
    loaded = parts.personalities.load(personality_id)
    content = loaded.content.model_dump(exclude={"variables"})
    return PersonalityView(**row, variables=_variables(loaded), content=content, files=dict(loaded.texts))


@router.post("/v1/personalities/{personality_id}/validate")
async def validate_personality(personality_id: Id, _: Reads, parts: Using) -> Findings:
    """Look at a personality's files as they are now and name every mistake; nothing is changed by it."""
    _known(parts, personality_id)
    try:
        parts.personalities.check(personality_id)
    except YamlError as error:
        return Findings(id=personality_id, valid=False, errors=[_mistake(found) for found in error.all])
    return Findings(id=personality_id, valid=True, errors=[])


@router.get("/v1/prompts")
async def prompts(_: Reads, parts: Using) -> PromptList:
    """List the prompts that usable personalities have in their books, and who speaks from each."""
    return PromptList(prompts=[PromptRow(**view.model_dump(exclude={"text"})) for view in _prompts(parts).values()])


@router.get("/v1/prompts/{key}")
async def read_prompt(key: Id, _: Reads, parts: Using) -> PromptView:
    """Show a prompt's text."""
    if found := _prompts(parts).get(key):
        return found
    raise NotFound("No usable personality speaks from a prompt with this key.")


def _row(parts: Parts, name: str) -> PersonalityRow:
    default = name == parts.settings.default_personality
    try:
        loaded = parts.personalities.load(name)
    except (UnknownPersonality, YamlError) as error:
        return PersonalityRow(
            id=name, name=name, language=None, usable=False, problem=str(error), sha256=None, default=default
        )  # fmt: skip
    problem = str(loaded.problem) if loaded.problem else None
    content = loaded.content
    return PersonalityRow(
        id=name, name=content.name, language=content.language, usable=True, problem=problem, sha256=loaded.sha256, default=default
    )


def _known(parts: Parts, personality_id: str) -> None:
    if personality_id not in parts.personalities.ids():
        raise NotFound("There is no personality with this id; GET /v1/personalities lists them.")


def _variables(loaded: Loaded) -> list[VariableView]:
    declared = [
        VariableView(name=name, required=item.default is None, **item.model_dump())
        for name, item in loaded.content.variables.items()
    ]
    free = [
        VariableView(name=name, type="string", required=name not in EVERY_CALL, default=None, choices=[], description="")
        for name in sorted(loaded.free_variables())
    ]
    return declared + free


def _prompts(parts: Parts) -> dict[str, PromptView]:
    found: dict[str, PromptView] = {}
    for name in parts.personalities.ids():
        try:
            loaded = parts.personalities.load(name)
        except (UnknownPersonality, YamlError):
            continue
        for key in loaded.pages():
            entry = loaded.prompts.entries[key]
            row = found.setdefault(key, PromptView(key=key, **entry.model_dump(), used_by=[], text=loaded.prompts.text(key)))
            row.used_by.append(name)
    return dict(sorted(found.items()))


def _mistake(error: YamlError) -> Mistake:
    return Mistake(
        file=str(error.path), line=error.line, column=error.column or None, field=error.field or None, message=error.reason
    )
