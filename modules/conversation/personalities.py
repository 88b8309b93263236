"""The folder of personalities, each with the prompts it speaks from. An edit is used by the next load; a broken edit is not.

Where the files cannot be used, the last version that could be stands in, and `Loaded.problem` says why. Nothing is read again
while no file has changed.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from config import Settings
from modules.calls.errors import UnknownPersonality
from modules.conversation import inbound_numbers
from modules.conversation.extends import resolved
from modules.conversation.kept_copies import KeptCopies
from modules.conversation.personality import ID, PARENT, Personality
from modules.conversation.prompt_book import INDEX, PromptBook
from modules.conversation.texts import Folders, KeptTexts, Texts
from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError, model_of
from modules.strict_yaml.mistakes import near
from modules.strict_yaml.nodes import walk

log = get_logger(__name__)
HOUSE_RULES = "house_rules"
CALLER_NAME = "caller_name"
"""The one variable every call has; empty where nobody gave it."""


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
        used = {name for key in _keys(self.content) for name in self.prompts.needs(key)} | {CALLER_NAME}
        return frozenset(used - set(self.content.variables))

    def pages(self) -> list[str]:
        """Return the keys of all prompts it speaks from, included ones too."""
        return _pages(self.prompts, self.content)


class Personalities:
    """The personalities of one folder. With `copies`, the last good version of each is kept and used."""

    def __init__(self, agents_dir: Path, prompts_dir: Path, copies: Path | None = None) -> None:
        self._agents, self._prompts = agents_dir, prompts_dir
        self._copies = KeptCopies(copies) if copies else None
        self._known: dict[str, tuple[Folders, Loaded | YamlError]] = {}

    def ids(self) -> list[str]:
        """Return the ids a call may name, sorted. Files whose name starts with _ are for `extends` only."""
        return [name for name in self._files() if re.fullmatch(ID, name)]

    def load(self, personality_id: str) -> Loaded:
        """Return one personality. Raises UnknownPersonality, and YamlError for one that is broken and never was good."""
        self._must_exist(personality_id)
        known = self._known.get(personality_id)
        if known is None or not known[0].unchanged():
            known = self._known[personality_id] = self._look(personality_id)
        if isinstance(known[1], YamlError):
            raise known[1]
        return known[1]

    def check(self, personality_id: str) -> Loaded:
        """Return one personality as its files are now, never a kept one. Raises UnknownPersonality, YamlError."""
        self._must_exist(personality_id)
        folders = Folders(self._agents, self._prompts)
        loaded = self._assembled(folders, personality_id, self._files())
        if clash := inbound_numbers.clashes(folders, self.ids()).get(personality_id):
            raise clash
        return loaded

    def answering(self) -> dict[str, str]:
        """Return who answers each inbound number, as ids. Where two claim one, the first by name does; `problems` says so."""
        found: dict[str, str] = {}
        for name in filter(self.usable, self.ids()):
            for number in self.load(name).content.inbound_numbers:
                found.setdefault(number, name)
        return found

    def problems(self) -> dict[str, YamlError]:
        """Return what is wrong with the files of each personality that has something wrong."""
        found = inbound_numbers.clashes(Folders(self._agents, self._prompts), self.ids())
        for name in self.ids():
            try:
                problem = self.load(name).problem
            except YamlError as error:
                problem = error
            if problem:
                found[name] = problem
        return found

    def usable(self, personality_id: str) -> bool:
        """Whether a call can be placed with it: now, or with its last good version."""
        try:
            self.load(personality_id)
        except (UnknownPersonality, YamlError):
            return False
        return True

    def kept(self, personality_id: str) -> Mapping[str, str]:
        """Return the texts of the last good version by shelf and file, {} where none was kept."""
        return (self._copies.last(personality_id) if self._copies else None) or {}

    def _look(self, personality_id: str) -> tuple[Folders, Loaded | YamlError]:
        folders = Folders(self._agents, self._prompts)
        try:
            loaded = self._assembled(folders, personality_id, self._files())
        except YamlError as error:
            good = self._last_good(personality_id)
            log.error("personality.broken", personality=personality_id, problem=str(error), last_good=bool(good))
            return folders, replace(good, problem=error) if good else error
        if self._copies:
            self._copies.keep(personality_id, loaded.sha256, loaded.texts)
        return folders, loaded

    def _last_good(self, personality_id: str) -> Loaded | None:
        texts = self.kept(personality_id)
        names = [Path(name).stem for name in texts if name.startswith("agents/")]
        try:
            return self._assembled(KeptTexts(texts), personality_id, names) if texts else None
        except YamlError:  # kept by a version of Voicefleet with other rules
            return None

    def _assembled(self, texts: Texts, personality_id: str, files: list[str]) -> Loaded:
        path = texts.path("agents", f"{personality_id}.yaml")
        tree, family = resolved(texts, personality_id, files)
        content = model_of(tree, path, Personality)
        book = PromptBook(texts)
        _check_prompts(book, content, tree, path)
        used = _texts_of(texts, book, family, content)
        index = {key: book.entries[key].model_dump() for key in _pages(book, content)}
        covered = {name: text for name, text in used.items() if name != f"prompts/{INDEX}"}
        sha256 = hashlib.sha256(json.dumps([covered, index], sort_keys=True).encode()).hexdigest()
        return Loaded(personality_id, content, sha256, book, used)

    def _must_exist(self, personality_id: str) -> None:
        if personality_id not in (ids := self.ids()):
            hint = near(personality_id, ids).removeprefix("; did you mean `").removesuffix("`?")
            more = f" Did you mean '{hint}'?" if hint else ""
            raise UnknownPersonality(f"There is no personality '{personality_id[:64]}'.{more}", field="personality")

    def _files(self) -> list[str]:
        return sorted(path.stem for path in self._agents.glob("*.yaml") if re.fullmatch(PARENT, path.stem))


def personalities_of(settings: Settings) -> Personalities:
    """Return the fleet's personalities; every process of a machine shares the kept copies."""
    return Personalities(settings.agents_dir, settings.prompts_dir, settings.data_dir / "personalities")


def _keys(content: Personality) -> tuple[str, str, str]:
    return HOUSE_RULES, content.prompts.inbound, content.prompts.outbound


def _pages(book: PromptBook, content: Personality) -> list[str]:
    return sorted({page for key in _keys(content) for page in book.pages(key)})


def _check_prompts(book: PromptBook, content: Personality, tree: yaml.MappingNode, path: Path) -> None:
    """Look through everything that can be said, so that only values can be missing later. Raises YamlError."""
    for direction in ("inbound", "outbound"):
        key = getattr(content.prompts, direction)
        if key not in book.entries:
            where, line, column = _place(tree, ("prompts", direction), path)
            reason = f"there is no prompt '{key}' in {INDEX}{near(key, list(book.entries))}"
            raise YamlError(where, line, f"prompts.{direction}", reason, column=column)
    usable = {CALLER_NAME, *content.variables, *(name for key in _keys(content) for name in book.needs(key))}
    where, line, column = _place(tree, ("greeting",), path)
    for name in sorted(book.names_in(content.greeting, where, line, "greeting") - usable):
        reason = f"uses the variable '{name}', which is not declared under `variables`{near(name, sorted(usable))}"
        raise YamlError(where, line, "greeting", reason, column=column)


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
