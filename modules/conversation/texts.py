"""Where the texts of personalities and prompts come from: the two folders as they are now, or a copy kept from an earlier time.

Both hand out texts by shelf and file name. A text that cannot be had is a YamlError that names the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from modules.strict_yaml.folder import Stamp, Unreadable, read, stamp
from modules.strict_yaml.nodes import YamlError

Shelf = Literal["agents", "prompts"]


class Texts(Protocol):
    """A set of personality and prompt files."""

    def path(self, shelf: Shelf, name: str) -> Path:
        """Return how a file is called in messages."""
        ...

    def text(self, shelf: Shelf, name: str) -> str:
        """Return a file's text. Raises YamlError."""
        ...


class Folders:
    """The folders as they are. Remembers what it has read, and by what a later change would be seen."""

    def __init__(self, agents: Path, prompts: Path) -> None:
        self._folders: dict[Shelf, Path] = {"agents": agents, "prompts": prompts}
        self.read: dict[str, str] = {}
        self._stamps: dict[Path, Stamp | None] = {}

    def path(self, shelf: Shelf, name: str) -> Path:
        """Return the file's path."""
        return self._folders[shelf] / name

    def text(self, shelf: Shelf, name: str) -> str:
        """Return the file's text. Raises YamlError."""
        path, key = self.path(shelf, name), f"{shelf}/{name}"
        if key not in self.read:
            self._stamps[path] = stamp(path)
            try:
                self.read[key], self._stamps[path] = read(self._folders[shelf], name)
            except Unreadable as error:
                raise YamlError(path, 1, "", str(error)) from None
        return self.read[key]

    def unchanged(self) -> bool:
        """Whether every file that was looked at is still as it was."""
        return all(stamp(path) == known for path, known in self._stamps.items())


class KeptTexts:
    """Texts as they once were."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def path(self, shelf: Shelf, name: str) -> Path:
        """Return the file's name in the copy."""
        return Path(shelf) / name

    def text(self, shelf: Shelf, name: str) -> str:
        """Return the file's text. Raises YamlError where the copy has no such file."""
        if (found := self._texts.get(f"{shelf}/{name}")) is None:
            raise YamlError(self.path(shelf, name), 1, "", "is not in the kept copy")
        return found
