"""A set of texts becomes a personality with its prompts, or a split with its arms, looked through as a whole.

What is wrong anywhere in it is a YamlError at its place. Which set of texts that is (the folders, a draft, a kept copy) is
not known here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modules.conversation.duties import TAKE_MESSAGE
from modules.conversation.extends import resolved
from modules.conversation.personality import Personality
from modules.conversation.prompt_book import INDEX, PromptBook
from modules.conversation.split import FIELD, Split, is_split
from modules.conversation.texts import Texts
from modules.strict_yaml import YamlError, model_of, near
from modules.strict_yaml.nodes import parse, walk

HOUSE_RULES = "house_rules"
CALLER_NAME, CALLER_NUMBER, CONTACT_NAME = "caller_name", "caller_number", "contact_name"
EVERY_CALL = frozenset({CALLER_NAME, CALLER_NUMBER, CONTACT_NAME})
"""The variables every call has, empty where nobody gave them; the last two are known where somebody calls us."""
TOOLS = "tools"
"""What the house rules alone are told besides: the personality's own `tools`, so that they speak of no other."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A personality with its prompts as they stood when they were read; `sha256` covers both.

    `problem` is set where the files are broken now and this is the last good version.
    """

    id: str
    content: Personality
    sha256: str
    prompts: PromptBook
    texts: Mapping[str, str]
    problem: YamlError | None = None

    def free_variables(self) -> frozenset[str]:
        """Return the variables its prompts use without its own file saying anything about them."""
        return frozenset({*_needed(self.prompts, self.content), CALLER_NAME} - set(self.content.variables))

    def pages(self) -> list[str]:
        """Return the keys of all prompts it speaks from, included ones too."""
        return _pages(self.prompts, self.content)


@dataclass(frozen=True, slots=True)
class LoadedSplit:
    """A split as it stood when it was read; `sha256` and `texts` cover its arms as well."""

    id: str
    content: Split
    sha256: str
    texts: Mapping[str, str]
    problem: YamlError | None = None


def assembled(texts: Texts, personality_id: str, files: list[str]) -> Loaded | LoadedSplit:
    """Return what one file of agents/ means; `files` are the names of all of them. Raises YamlError."""
    path = texts.path("agents", f"{personality_id}.yaml")
    tree = parse(texts.text("agents", f"{personality_id}.yaml"), path)
    return _split(texts, personality_id, tree, files) if is_split(tree) else _personality(texts, personality_id, files)


def _personality(texts: Texts, personality_id: str, files: list[str]) -> Loaded:
    path = texts.path("agents", f"{personality_id}.yaml")
    tree, family = resolved(texts, personality_id, files)
    content = model_of(tree, path, Personality)
    book = PromptBook(texts)
    _check_prompts(book, content, tree, path)
    _check_overflow(content, tree, path)
    used = _texts_of(texts, book, family, content)
    index = {key: book.entries[key].model_dump() for key in _pages(book, content)}
    covered = {name: text for name, text in used.items() if name != f"prompts/{INDEX}"}
    return Loaded(personality_id, content, _sha256([covered, index]), book, used)


def _split(texts: Texts, split_id: str, tree: yaml.MappingNode, files: list[str]) -> LoadedSplit:
    file = f"agents/{split_id}.yaml"
    path = texts.path("agents", f"{split_id}.yaml")
    content = model_of(tree, path, Split)
    arms: dict[str, Loaded] = {}
    wrong: list[YamlError] = []
    for arm in content.split:
        try:
            arms[arm] = _arm(texts, arm, files)
        except ValueError as error:
            mark = [key for _, key, _ in walk(tree, (FIELD, arm))][-1].start_mark
            wrong.append(YamlError(path, mark.line + 1, f"{FIELD}.{arm}", str(error), column=mark.column + 1))
    if wrong:
        wrong[0].more = tuple(wrong[1:])
        raise wrong[0]
    own = texts.text("agents", f"{split_id}.yaml")
    used = {name: text for arm in arms.values() for name, text in arm.texts.items()} | {file: own}
    return LoadedSplit(split_id, content, _sha256([own, {arm: loaded.sha256 for arm, loaded in arms.items()}]), used)


def _arm(texts: Texts, arm: str, files: list[str]) -> Loaded:
    """Return one arm. Raises ValueError that says why it cannot be one."""
    if arm not in files:
        raise ValueError(f"there is no {arm}.yaml{near(arm, files)}")
    file = f"{arm}.yaml"
    try:
        splits = is_split(parse(texts.text("agents", file), texts.path("agents", file)))
        loaded = None if splits else _personality(texts, arm, files)
    except YamlError as error:
        raise ValueError(f"cannot be used as it is: {error}") from None
    if loaded is None:
        raise ValueError("is a split itself; an arm is a personality that speaks")
    return loaded


def _sha256(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _keys(content: Personality) -> tuple[str, ...]:
    return (HOUSE_RULES, *_named_prompts(content).values())


def _needed(book: PromptBook, content: Personality) -> set[str]:
    """Return the variables that its prompts use and that we do not give ourselves."""
    return {name for key in _keys(content) for name in book.needs(key) if (key, name) != (HOUSE_RULES, TOOLS)}


def _named_prompts(content: Personality) -> dict[tuple[str, str], str]:
    """Return the prompts a personality names, by the field that names them."""
    found = {("prompts", "inbound"): content.prompts.inbound, ("prompts", "outbound"): content.prompts.outbound}
    if content.voicemail and content.voicemail.prompt:
        found["voicemail", "prompt"] = content.voicemail.prompt
    return found


def _spoken(content: Personality) -> dict[tuple[str, ...], str]:
    """Return the texts with variables that a personality speaks itself, by field."""
    message = content.voicemail.message if content.voicemail else ""
    return {("greeting",): content.greeting} | ({("voicemail", "message"): message} if message else {})


def _pages(book: PromptBook, content: Personality) -> list[str]:
    return sorted({page for key in _keys(content) for page in book.pages(key)})


def _check_prompts(book: PromptBook, content: Personality, tree: yaml.MappingNode, path: Path) -> None:
    """Look through everything that can be said, so that only values can be missing later. Raises YamlError."""
    for location, key in _named_prompts(content).items():
        if key not in book.entries:
            where, line, column = _place(tree, location, path)
            reason = f"there is no prompt '{key}' in {INDEX}{near(key, list(book.entries))}"
            raise YamlError(where, line, ".".join(location), reason, column=column)
    usable = {*EVERY_CALL, *content.variables, *_needed(book, content)}
    for spoken, text in _spoken(content).items():
        field = ".".join(spoken)
        where, line, column = _place(tree, spoken, path)
        for name in sorted(book.names_in(text, where, line, field) - usable):
            reason = f"uses the variable '{name}', which is not declared under `variables`{near(name, sorted(usable))}"
            raise YamlError(where, line, field, reason, column=column)


def _check_overflow(content: Personality, tree: yaml.MappingNode, path: Path) -> None:
    """Whoever is to take callers must be known. Raises YamlError."""
    able = [TAKE_MESSAGE, *content.transfer]
    for field in ("full_house", "closed"):
        name = getattr(content.overflow, field)
        if name and name not in able:
            where, line, column = _place(tree, ("overflow", field), path)
            reason = f"expected {TAKE_MESSAGE} or a name under `transfer`, found '{name}'{near(name, able)}"
            raise YamlError(where, line, f"overflow.{field}", reason, column=column)


def _place(tree: yaml.MappingNode, location: tuple[str, ...], path: Path) -> tuple[Path, int, int]:
    """Return file, line and column of the deepest part of `location` that is written down."""
    mark = [tree, *(value for _, _, value in walk(tree, location))][-1].start_mark
    return (Path(mark.name) if mark.name else path), mark.line + 1, mark.column + 1


def _texts_of(texts: Texts, book: PromptBook, family: list[str], content: Personality) -> dict[str, str]:
    """Return every file this personality is made of, by shelf and name."""
    found = {f"agents/{name}.yaml": texts.text("agents", f"{name}.yaml") for name in family}
    found[f"prompts/{INDEX}"] = texts.text("prompts", INDEX)
    for key in _pages(book, content):
        found[f"prompts/{book.entries[key].file}"] = book.text(key)
    return found
