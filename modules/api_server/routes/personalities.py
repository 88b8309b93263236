"""/v1/personalities and /v1/prompts: what calls may name, what is in them, and whether the files can be used as they are now.

Saving and deleting them is in editing.py.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from modules.api_server.guard import Reads
from modules.api_server.parts import Parts, Using
from modules.api_server.schemas import PersonalityBody
from modules.calls.errors import NotFound, UnknownPersonality
from modules.conversation.assembly import EVERY_CALL, Loaded, LoadedSplit
from modules.conversation.editing import BrokenEdit, PersonalityPage, PromptPage
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
    mistakes: list[Mistake] = Field(description="The same, one by one.")
    arms: dict[str, int] = Field(description="For a split: who speaks, with weights. Empty for a personality.")
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
    text: str | None = Field(description="Its own file as it is on disk now, also where that is broken. The ETag is this text's.")
    fields: dict[str, Any] | None = Field(
        description="What that text says, without defaults and `extends`; null if it is no YAML."
    )


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
async def read_personality(personality_id: Id, _: Reads, parts: Using, response: Response) -> PersonalityView:
    """Show a personality as the next call would use it, and its own file as it is now. Send the ETag back to save it."""
    known(parts, personality_id)
    page = parts.editor.personality(personality_id)
    if page:
        response.headers["ETag"] = f'"{page.etag}"'
    return view(parts, personality_id, page)


@router.post("/v1/personalities/{personality_id}/validate")
async def validate_personality(personality_id: Id, _: Reads, parts: Using, body: PersonalityBody | None = None) -> Findings:
    """Name every mistake: in the files as they are now or, with a body, in what would be saved. Nothing is changed by it."""
    if body is None:
        known(parts, personality_id)
    try:
        if body is None:
            parts.personalities.check(personality_id)
        else:
            await asyncio.to_thread(parts.editor.check_personality, personality_id, body.new)
    except YamlError as error:
        return Findings(id=personality_id, valid=False, errors=[mistake(found) for found in error.all])
    except BrokenEdit as error:
        return Findings(id=personality_id, valid=False, errors=[mistake(found) for found in error.mistakes])
    return Findings(id=personality_id, valid=True, errors=[])


@router.get("/v1/prompts")
async def prompts(_: Reads, parts: Using) -> PromptList:
    """List the prompts of the book, and who speaks from each."""
    return PromptList(prompts=[PromptRow(**shown.model_dump(exclude={"text"})) for shown in _prompts(parts).values()])


@router.get("/v1/prompts/{key}")
async def read_prompt(key: Id, _: Reads, parts: Using, response: Response) -> PromptView:
    """Show a prompt's text as it is on disk. Send the ETag back to save it."""
    if not (found := _prompts(parts).get(key)):
        raise NotFound("There is no prompt with this key; GET /v1/prompts lists them.")
    if page := _on_disk(parts).get(key):
        response.headers["ETag"] = f'"{page.etag}"'
    return found


def known(parts: Parts, personality_id: str) -> None:
    """Raise NotFound for an id that no file has."""
    if personality_id not in parts.personalities.ids():
        raise NotFound("There is no personality with this id; GET /v1/personalities lists them.")


def view(parts: Parts, personality_id: str, page: PersonalityPage | None) -> PersonalityView:
    """Return a personality in use beside its own file on disk."""
    row = _row(parts, personality_id).model_dump() | {"text": None, "fields": None}
    if page:
        row |= {"text": page.text, "fields": page.fields}
    if not row["usable"]:
        return PersonalityView(**row, variables=[], content=None, files={})
    found = parts.personalities.found(personality_id)
    variables = _variables(found) if isinstance(found, Loaded) else []
    content = found.content.model_dump(exclude={"variables"})
    return PersonalityView(**row, variables=variables, content=content, files=dict(found.texts))


def mistake(error: YamlError) -> Mistake:
    """Return one mistake as answers show it."""
    return Mistake(
        file=str(error.path), line=error.line, column=error.column or None, field=error.field or None, message=error.reason
    )


def _row(parts: Parts, name: str) -> PersonalityRow:
    default = name == parts.settings.default_personality
    try:
        found = parts.personalities.found(name)
        problem = found.problem
    except (UnknownPersonality, YamlError) as error:
        mistakes = [mistake(one) for one in error.all] if isinstance(error, YamlError) else []
        return PersonalityRow(
            id=name, name=name, language=None, usable=False, problem=str(error), mistakes=mistakes, arms={}, sha256=None,
            default=default,
        )  # fmt: skip
    return PersonalityRow(
        id=name, name=found.content.name, language=found.content.language if isinstance(found, Loaded) else None,
        usable=parts.personalities.usable(name), problem=str(problem) if problem else None,
        mistakes=[mistake(one) for one in problem.all] if problem else [],
        arms=found.content.split if isinstance(found, LoadedSplit) else {}, sha256=found.sha256, default=default,
    )  # fmt: skip


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
    found = {
        page.key: PromptView(key=page.key, **page.entry.model_dump(), used_by=[], text=page.text)
        for page in _on_disk(parts).values()
    }
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


def _on_disk(parts: Parts) -> dict[str, PromptPage]:
    try:
        return parts.editor.prompts()
    except YamlError:  # the personalities that speak from it say so
        return {}
