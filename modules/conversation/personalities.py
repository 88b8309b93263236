"""The folder of personalities, each with the prompts it speaks from. An edit is used by the next load; a broken edit is not.

Where the files cannot be used, the last version that could be stands in, and `Loaded.problem` says why. Nothing is read again
while no file has changed. A split is one of them: calls may name it, and `arm` says who then speaks.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from config import Settings
from modules.calls.errors import UnknownPersonality
from modules.conversation import inbound_numbers
from modules.conversation.assembly import Loaded, LoadedSplit, assembled
from modules.conversation.kept_copies import KeptCopies
from modules.conversation.personality import ID, PARENT
from modules.conversation.split import drawn
from modules.conversation.texts import Folders, KeptTexts
from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError, near

log = get_logger(__name__)


class Personalities:
    """The personalities of one folder. With `copies`, the last good version of each is kept and used."""

    def __init__(self, agents_dir: Path, prompts_dir: Path, copies: Path | None = None) -> None:
        self._agents, self._prompts = agents_dir, prompts_dir
        self._copies = KeptCopies(copies) if copies else None
        self._known: dict[str, tuple[Folders, Loaded | LoadedSplit | YamlError]] = {}

    def ids(self) -> list[str]:
        """Return the ids a call may name, sorted. Files whose name starts with _ are for `extends` only."""
        return [name for name in self._files() if re.fullmatch(ID, name)]

    def load(self, personality_id: str) -> Loaded:
        """Return one personality. Raises UnknownPersonality, and YamlError for one that is broken and never was good."""
        found = self.found(personality_id)
        if isinstance(found, LoadedSplit):
            arms = ", ".join(found.content.split)
            raise UnknownPersonality(f"'{personality_id}' does not speak itself; it is a split of {arms}.", field="personality")
        return found

    def found(self, personality_id: str) -> Loaded | LoadedSplit:
        """Return what an id stands for. Raises as `load` does."""
        self._must_exist(personality_id)
        known = self._known.get(personality_id)
        if known is None or not known[0].unchanged():
            known = self._known[personality_id] = self._look(personality_id)
        if isinstance(known[1], YamlError):
            raise known[1]
        return known[1]

    def arms(self, personality_id: str) -> dict[str, int]:
        """Return the arms of a split that can speak now, with their weights; {} for a personality. Raises as `load` does."""
        found = self.found(personality_id)
        if isinstance(found, Loaded):
            return {}
        able = {arm: weight for arm, weight in found.content.split.items() if self.usable(arm)}
        if not able:
            raise UnknownPersonality(f"No arm of the split '{personality_id}' can be used.", field="personality")
        return able

    def arm(self, personality_id: str, call_id: str, kept: str = "") -> str:
        """Return which arm of a split speaks for a call, "" for a personality. Raises as `load` does.

        `kept` is the arm the call was given earlier; it stays while the split names it and it can be used.
        """
        arms = self.arms(personality_id)
        return kept if kept in arms else drawn(call_id, arms) if arms else ""

    def check(self, personality_id: str) -> Loaded | LoadedSplit:
        """Return one personality or split as its files are now, never a kept one. Raises UnknownPersonality, YamlError."""
        self._must_exist(personality_id)
        folders = Folders(self._agents, self._prompts)
        loaded = assembled(folders, personality_id, self._files())
        if clash := inbound_numbers.clashes(folders, self.ids()).get(personality_id):
            raise clash
        return loaded

    def answering(self) -> dict[str, str]:
        """Return who answers each inbound number, as ids. Where two claim one, the first by name does; `problems` says so."""
        found: dict[str, str] = {}
        for name in filter(self.usable, self.ids()):
            for number in self.found(name).content.inbound_numbers:
                found.setdefault(number, name)
        return found

    def problems(self) -> dict[str, YamlError]:
        """Return what is wrong with the files of each personality that has something wrong."""
        found = inbound_numbers.clashes(Folders(self._agents, self._prompts), self.ids())
        for name in self.ids():
            try:
                problem = self.found(name).problem
            except YamlError as error:
                problem = error
            if problem:
                found[name] = problem
        return found

    def usable(self, personality_id: str) -> bool:
        """Whether a call can be placed with it: now, or with its last good version."""
        try:
            self.arms(personality_id)
        except (UnknownPersonality, YamlError):
            return False
        return True

    def kept(self, personality_id: str) -> Mapping[str, str]:
        """Return the texts of the last good version by shelf and file, {} where none was kept."""
        return (self._copies.last(personality_id) if self._copies else None) or {}

    def _look(self, personality_id: str) -> tuple[Folders, Loaded | LoadedSplit | YamlError]:
        folders = Folders(self._agents, self._prompts)
        try:
            loaded = assembled(folders, personality_id, self._files())
        except YamlError as error:
            good = self._last_good(personality_id)
            log.error("personality.broken", personality=personality_id, problem=str(error), last_good=bool(good))
            return folders, replace(good, problem=error) if good else error
        if self._copies:
            self._copies.keep(personality_id, loaded.sha256, loaded.texts)
        return folders, loaded

    def _last_good(self, personality_id: str) -> Loaded | LoadedSplit | None:
        texts = self.kept(personality_id)
        names = [Path(name).stem for name in texts if name.startswith("agents/")]
        try:
            return assembled(KeptTexts(texts), personality_id, names) if texts else None
        except YamlError:  # kept by a version of Voicefleet with other rules
            return None

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
