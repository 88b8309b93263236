"""The folders as they would be after an edit, and everything that would then be wrong with them."""

import re
from collections.abc import Mapping
from pathlib import Path

from modules.conversation import inbound_numbers
from modules.conversation.assembly import assembled
from modules.conversation.personality import ID, PARENT
from modules.conversation.prompt_book import PromptBook
from modules.conversation.texts import Folders, Shelf, Texts
from modules.strict_yaml import YamlError
from modules.strict_yaml.folder import Unreadable, text_of

Changes = Mapping[tuple[Shelf, str], str | None]
"""New texts by shelf and file name; None where the file is deleted."""


class Draft:
    """The two folders with changes that are not on disk."""

    def __init__(self, agents: Path, prompts: Path, changes: Changes) -> None:
        self._folders = Folders(agents, prompts)
        self._changes = changes
        there = {path.stem for path in agents.glob("*.yaml")}
        for (shelf, name), text in changes.items():
            stem = {name.removesuffix(".yaml")} if shelf == "agents" else set()
            there = there - stem if text is None else there | stem
        self.files = sorted(name for name in there if re.fullmatch(PARENT, name))

    def path(self, shelf: Shelf, name: str) -> Path:
        """Return the file's path."""
        return self._folders.path(shelf, name)

    def text(self, shelf: Shelf, name: str) -> str:
        """Return the file's text. Raises YamlError."""
        if (shelf, name) not in self._changes:
            return self._folders.text(shelf, name)
        changed = self._changes[shelf, name]
        try:
            if changed is None:
                raise Unreadable("there is no such file")
            return text_of(changed.encode())
        except UnicodeEncodeError:
            raise YamlError(self.path(shelf, name), 1, "", "holds half a character that UTF-8 cannot write") from None
        except Unreadable as error:
            raise YamlError(self.path(shelf, name), 1, "", str(error)) from None


def mistakes(draft: Draft) -> dict[str, YamlError]:
    """Return what is wrong, by "agents/<id>" and "prompts/<key>"; "prompts" alone where the index itself cannot be read."""
    ids = [name for name in draft.files if re.fullmatch(ID, name)]
    found: dict[str, YamlError] = {}
    for name in ids:
        try:
            assembled(draft, name, draft.files)
        except YamlError as error:
            found[f"agents/{name}"] = error
    clashes = inbound_numbers.clashes(draft, ids)
    return {f"agents/{name}": error for name, error in clashes.items()} | found | _of_prompts(draft)


def _of_prompts(texts: Texts) -> dict[str, YamlError]:
    try:
        book = PromptBook(texts)
    except YamlError as error:
        return {"prompts": error}
    found = {}
    for key in book.entries:
        try:
            book.pages(key)
        except YamlError as error:
            found[f"prompts/{key}"] = error
    return found
