"""What a script says next, from what was said so far. Pure: the same history always gives the same answer,
so a reply may be prepared before the other side has finished, and thrown away again.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from modules.conversation.speech.local.script import Rule, Script, Topic
from modules.conversation.speech.local.words import plain

ASKED_AT_MOST = 2
NOT_REACHED = "I am sorry, nobody can be reached there."
NOT_UNDERSTOOD = "Sorry, I did not understand."


@dataclass(frozen=True, slots=True)
class Said:
    speaker: Literal["us", "them"]
    text: str


@dataclass(frozen=True, slots=True)
class Move:
    say: str
    hang_up: bool = False
    press: str = ""
    transfer: str = ""


@dataclass(slots=True)
class _Progress:
    """Where a script stands: the topic asked last, how often each was asked, which were answered."""

    current: int | None
    asked: Counter[int]
    answered: set[int]
    just_answered: int | None

    def waiting_for(self) -> int | None:
        """The topic that was asked last, while it has no answer."""
        return None if self.current in self.answered else self.current

    def next_open(self, script: Script) -> int | None:
        """The topic to speak about now: the current one while it may be asked again, else the next that was never asked."""
        if self.current is not None and self._open(self.current):
            return self.current
        return next((index for index in range(len(script.topics)) if self._open(index)), None)

    def _open(self, index: int) -> bool:
        return index not in self.answered and self.asked[index] < ASKED_AT_MOST


def next_move(script: Script, history: Sequence[Said]) -> Move:
    """`script` has its placeholders filled. An empty `say` means there is nothing left to say."""
    turns = _merged(history)
    progress = _replay(script, turns)
    if not turns:
        return Move(script.opening or _question(script, progress) or script.closing)
    last = turns[-1]
    if last.speaker == "us":
        return _nudge(script, progress, last)
    rule = _rule_for(script, last.text)
    if rule is not None:
        return _by_rule(script, progress, rule, turns)
    if progress.just_answered is not None:
        return _go_on(script, progress, script.topics[progress.just_answered].react)
    return _go_on(script, progress, None)


def next_move_after_failed_transfer(script: Script, history: Sequence[Said]) -> Move:
    """The other side is still there: tell them and go on."""
    return _go_on(script, _replay(script, _merged(history)), NOT_REACHED)


def _merged(history: Iterable[Said]) -> list[Said]:
    """One entry a turn: what one side said in several pieces is heard as a whole."""
    turns: list[Said] = []
    for said in history:
        if turns and turns[-1].speaker == said.speaker:
            turns[-1] = Said(said.speaker, f"{turns[-1].text} {said.text}")
        elif plain(said.text):
            turns.append(said)
    return turns


def _replay(script: Script, turns: Sequence[Said]) -> _Progress:
    progress = _Progress(current=None, asked=Counter(), answered=set(), just_answered=None)
    for turn in turns:
        progress.just_answered = None
        if turn.speaker == "us":
            for number, topic in enumerate(script.topics):
                if _was_asked(topic, turn.text):
                    progress.current = number
                    progress.asked[number] += 1
        elif (index := progress.waiting_for()) is not None and re.search(script.topics[index].answer, plain(turn.text)):
            progress.answered.add(index)
            progress.just_answered = index
    return progress


def _was_asked(topic: Topic, text: str) -> bool:
    """Whole questions only: one that was interrupted half-way was not asked."""
    said = f" {plain(text)} "
    return any(f" {plain(wording)} " in said for wording in (topic.ask, topic.again) if wording)


def _rule_for(script: Script, heard: str) -> Rule | None:
    words = plain(heard)
    return next((rule for rule in script.rules if re.search(rule.when, words)), None)


def _by_rule(script: Script, progress: _Progress, rule: Rule, turns: Sequence[Said]) -> Move:
    if rule.transfer:
        return Move(rule.say or "", transfer=rule.transfer)
    if rule.press:
        return Move(rule.say or "", press=rule.press)
    if rule.then == "hang up":
        return Move(rule.say or script.closing, hang_up=True)
    if rule.then == "wait":
        return Move(rule.say or "")
    if rule.then == "repeat":
        ours = [turn.text for turn in turns if turn.speaker == "us"]
        current = script.topics[progress.current].ask if progress.current is not None else None
        return Move(_joined(rule.say, current or (ours[-1] if ours else _question(script, progress))))
    return _go_on(script, progress, rule.say)


def _go_on(script: Script, progress: _Progress, first: str | None) -> Move:
    question = _question(script, progress)
    if question is None:
        return Move(_joined(first, script.closing), hang_up=True)
    repeated = progress.next_open(script) == progress.current
    return Move(_joined(first or (NOT_UNDERSTOOD if repeated else None), question))


def _question(script: Script, progress: _Progress) -> str | None:
    index = progress.next_open(script)
    if index is None:
        return None
    topic = script.topics[index]
    return (topic.again or topic.ask) if progress.asked[index] else topic.ask


def _nudge(script: Script, progress: _Progress, last: Said) -> Move:
    """We spoke last and are asked to speak again: the question once more, or nothing after the last words."""
    if plain(script.closing) in plain(last.text):
        return Move("")
    question = _question(script, progress)
    return Move(question) if question else Move(script.closing, hang_up=True)


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)
