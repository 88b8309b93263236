"""Reading, saving and deleting one personality or one prompt. Nothing is written that does not hold together with all the rest.

What was broken before may stay broken; what is saved must be good, and nothing that was good may break by it. Who saves says
which version they have read, so that nobody overwrites what they have not seen.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.calls.errors import Conflict, InvalidField, NotFound
from modules.conversation.editing import files, index, own_fields
from modules.conversation.editing.draft import Changes, Draft, mistakes
from modules.conversation.editing.refusals import BrokenEdit, ChangedMeanwhile, Unconditional
from modules.conversation.personality import ID
from modules.conversation.prompt_book import INDEX, Entry, PromptBook
from modules.conversation.texts import Folders
from modules.strict_yaml import YamlError

_KEY = r"[a-z0-9_-]{1,64}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What whoever saves believes to replace: a version by its `etag`, or nothing at all (`absent`)."""

    etag: str | None = None
    absent: bool = False

    def hold(self, etag: str | None) -> None:
        """Compare with what is there, None for nothing. Raises Unconditional, ChangedMeanwhile."""
        if etag is None:
            if self.etag is not None:
                raise ChangedMeanwhile("It is not there any more.")
        elif self.absent:
            raise ChangedMeanwhile("There is one by this name already.")
        elif self.etag is None:
            raise Unconditional("Send the ETag of the version you have read as If-Match.")
        elif self.etag not in (etag, "*"):
            raise ChangedMeanwhile("Somebody has saved another version since you read it; read it again.")


@dataclass(frozen=True, slots=True)
class PersonalityPage:
    """One file of agents/ as it is on disk. `fields` is None where it cannot be read as YAML."""

    text: str
    etag: str
    fields: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class PromptPage:
    """One prompt as it is on disk: its text and its entry in the index."""

    key: str
    text: str
    etag: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt to be saved. None leaves variables or notes as they are."""

    key: str
    text: str
    variables: list[str] | None = None
    notes: str | None = None


class Editor:
    """Edits the files of two folders. `lock` is a file that processes of this machine share."""

    def __init__(self, agents: Path, prompts: Path, lock: Path) -> None:
        self._agents, self._prompts, self._lock = agents, prompts, lock

    def personality(self, personality_id: str) -> PersonalityPage | None:
        """Return a file of agents/ as it is, None where there is none. Raises NotWritable for what is no ordinary file."""
        text = files.current(self._agents, f"{personality_id}.yaml") if re.fullmatch(ID, personality_id) else None
        if text is None:
            return None
        try:
            fields = own_fields.fields(text, self._agents / f"{personality_id}.yaml")
        except YamlError:
            return PersonalityPage(text, _etag(text), None)
        return PersonalityPage(text, _etag(text), fields)

    def check_personality(self, personality_id: str, new: str | Mapping[str, Any]) -> None:
        """Look at a text, or at fields, as if they were saved. Raises as `save_personality` does; nothing is changed."""
        _must_be_id(personality_id)
        self._drafted(personality_id, new, self.personality(personality_id))

    def save_personality(self, personality_id: str, new: str | Mapping[str, Any], expected: Expected) -> PersonalityPage:
        """Write a file's text, or its fields into the text there is. Raises the refusals and InvalidField."""
        _must_be_id(personality_id)
        with files.alone(self._lock):
            old = self.personality(personality_id)
            expected.hold(old.etag if old else None)
            text = self._drafted(personality_id, new, old)
            files.replace(self._agents, f"{personality_id}.yaml", text)
        return PersonalityPage(text, _etag(text), own_fields.fields(text, self._agents / f"{personality_id}.yaml"))

    def _drafted(self, personality_id: str, new: str | Mapping[str, Any], old: PersonalityPage | None) -> str:
        name = f"{personality_id}.yaml"
        text = _ended(new) if isinstance(new, str) else self._with_fields(old.text if old else "", name, new)
        self._must_hold({("agents", name): text}, f"agents/{personality_id}")
        return text

    def delete_personality(self, personality_id: str, expected: Expected) -> None:
        """Delete a file of agents/. Raises the refusals and NotFound."""
        with files.alone(self._lock):
            old = self.personality(personality_id)
            if old is None:
                raise NotFound("There is no personality with this id.")
            expected.hold(old.etag)
            self._must_hold({("agents", f"{personality_id}.yaml"): None}, "")
            files.remove(self._agents, f"{personality_id}.yaml")

    def prompts(self) -> dict[str, PromptPage]:
        """Return every prompt of the index as it is on disk, without those whose file cannot be read. Raises YamlError."""
        book = PromptBook(Folders(self._agents, self._prompts))
        found = {}
        for key, entry in book.entries.items():
            try:
                text = book.text(key)
            except YamlError:
                continue
            found[key] = PromptPage(key, text, _etag(text, entry), entry)
        return found

    def save_prompt(self, page: NewPrompt, expected: Expected) -> PromptPage:
        """Write a prompt's text, and its entry where that changes. Raises the refusals, InvalidField, Conflict."""
        if not re.fullmatch(_KEY, page.key):
            raise InvalidField("A prompt's key is 1 to 64 small letters, digits, _ and -.", field="key")
        with files.alone(self._lock):
            old = self.prompt(page.key)
            expected.hold(old.etag if old else None)
            entry = self._entry(page, old)
            text = _ended(page.text)
            known = files.current(self._prompts, INDEX) or ""
            final = known if old and entry == old.entry else self._index(known, page.key, entry)
            self._must_hold({("prompts", entry.file): text, ("prompts", INDEX): final}, f"prompts/{page.key}")
            # A reader between two of these writes must find something that holds together: declare first, use, then tidy up.
            both = entry.model_copy(update={"variables": sorted({*entry.variables, *(old.entry.variables if old else [])})})
            if old and both.variables != sorted(old.entry.variables):
                files.replace(self._prompts, INDEX, self._index(known, page.key, both))
            files.replace(self._prompts, entry.file, text)
            if final != known:
                files.replace(self._prompts, INDEX, final)
        return PromptPage(page.key, text, _etag(text, entry), entry)

    def delete_prompt(self, key: str, expected: Expected) -> None:
        """Delete a prompt nobody speaks from, with its entry. Raises the refusals and NotFound."""
        with files.alone(self._lock):
            old = self.prompt(key)
            if old is None:
                raise NotFound("There is no prompt with this key.")
            expected.hold(old.etag)
            known = files.current(self._prompts, INDEX) or ""
            final = index.without_entry(known, self._prompts / INDEX, key)
            self._must_hold({("prompts", INDEX): final}, "")
            files.replace(self._prompts, INDEX, final)
            if not any(page.entry.file == old.entry.file for page in self.prompts().values()):
                files.remove(self._prompts, old.entry.file)

    def prompt(self, key: str) -> PromptPage | None:
        """Return one prompt, None where there is none. Raises BrokenEdit where the index cannot be read."""
        try:
            return self.prompts().get(key)
        except YamlError as error:
            raise BrokenEdit(f"{INDEX} must be mended by hand first.", error.all) from None

    def _entry(self, page: NewPrompt, old: PromptPage | None) -> Entry:
        before = old.entry if old else Entry(file=f"{page.key}.md")
        if old is None and files.current(self._prompts, before.file) is not None:
            raise Conflict(f"prompts/{before.file} is there already and no prompt by this key; use another key.")
        changed = {name: value for name, value in (("variables", page.variables), ("notes", page.notes)) if value is not None}
        return before.model_copy(update=changed)

    def _index(self, known: str, key: str, entry: Entry) -> str:
        return index.with_entry(known, self._prompts / INDEX, key, entry)

    def _with_fields(self, text: str, name: str, fields: Mapping[str, Any]) -> str:
        try:
            return own_fields.with_fields(text, self._agents / name, fields)
        except YamlError as error:
            raise BrokenEdit("The file must be mended as a whole first: send its text.", error.all) from None

    def _must_hold(self, changes: Changes, target: str) -> None:
        """Raise BrokenEdit where the target would be broken, or something else that is good now."""
        before = mistakes(Draft(self._agents, self._prompts, {}))
        after = mistakes(Draft(self._agents, self._prompts, changes))
        broken = {name: error for name, error in after.items() if name == target or name not in before}
        if broken:
            told = {str(found): found for error in broken.values() for found in error.all}
            raise BrokenEdit(f"It was not saved: {', '.join(sorted(broken))} would not work with it.", tuple(told.values()))


def _must_be_id(personality_id: str) -> None:
    if not re.fullmatch(ID, personality_id):
        raise InvalidField("An id is 1 to 64 small letters, digits, _ and -, not beginning with _.", field="personality_id")


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _etag(text: str, entry: Entry | None = None) -> str:
    content = json.dumps([text, entry.model_dump() if entry else None], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]
