"""The person of a scenario on an answered line: what they say, when, and when they hang up.

`reply_to` decides and is pure; Callee waits, speaks and presses keys. The line may be taken away at any moment: its owner
cancels converse().
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from modules.simulation.ears import Heard
from modules.simulation.g711 import RATE, Samples, beep
from modules.simulation.ledger import Spoken
from modules.simulation.meter import Meter
from modules.simulation.scenario import Knows, Person

_BREATH = np.zeros(int(0.3 * RATE), dtype=np.int16)


class Line(Protocol):
    """What a person holds in the hand."""

    digits: asyncio.Queue[str]

    async def play(self, samples: Samples) -> None: ...
    async def press(self, digits: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Reply:
    say: str | None = None
    press: str | None = None
    hang_up: bool = False


def reply_to(person: Person, heard: str, replies: int, puzzled: int) -> Reply:
    """What the person answers to these words, after so many replies, so many of them from `otherwise`."""
    rule = next((rule for rule in person.knows if rule.when and re.search(rule.when, heard)), None)
    if rule is not None:
        return _of(rule)
    if replies == 0 and person.greets and not person.opening:
        return Reply(person.greets)
    return Reply(person.otherwise[puzzled % len(person.otherwise)]) if person.otherwise else Reply()


def reply_to_digit(person: Person, digit: str) -> Reply:
    rule = next((rule for rule in person.knows if rule.digit == digit), None)
    return _of(rule) if rule is not None else Reply()


def _of(rule: Knows) -> Reply:
    return Reply(rule.say, rule.press, rule.then == "hang up")


class Callee:
    def __init__(
        self,
        person: Person,
        line: Line,
        meter: Meter,
        speak: Callable[[str], Awaitable[Samples]],
        record: Callable[[Spoken], None],
    ) -> None:
        self._person, self._line, self._meter, self._speak, self._record = person, line, meter, speak, record
        self._clock = asyncio.get_running_loop().time
        self._heard: asyncio.Queue[Heard | str] = asyncio.Queue()
        self._turns = self._replies = self._puzzled = self._hellos = 0

    def hears(self, heard: Heard) -> None:
        if heard.text:
            self._record(Spoken("agent", heard.text, self._ms(heard.started_at), self._ms(heard.ended_at)))
            self._heard.put_nowait(heard)

    async def converse(self) -> None:
        """Return when the person hangs up."""
        keys = asyncio.create_task(self._forward_keys(), name="callee-keys")
        try:
            if self._person.hangs_up.after_s != 0:
                await self._talk()
        finally:
            keys.cancel()

    async def _talk(self) -> None:
        if self._person.opening:
            await self._say(self._person.opening)
            self._turns += 1
        if self._person.beep:
            await self._line.play(np.concatenate([_BREATH, beep()]))
        while not self._has_had_enough():
            try:
                async with asyncio.timeout_at(self._next_deadline()):
                    event = await self._heard.get()
            except TimeoutError:
                await self._break_silence()
                continue
            if await self._answer(event):
                return

    async def _answer(self, event: Heard | str) -> bool:
        """True when the person is done."""
        if isinstance(event, str):
            reply = reply_to_digit(self._person, event)
        else:
            reply = reply_to(self._person, self._all_heard(event), self._replies, self._puzzled)
            self._puzzled += reply.say in self._person.otherwise
        if reply.say:
            await self._say(reply.say)
            self._turns += 1
            self._replies += 1
        if reply.press:
            await self._press(reply.press)
        return reply.hang_up

    def _all_heard(self, first: Heard) -> str:
        """What was said in several pieces while the person was speaking is answered as a whole."""
        texts, keys = [first.text], []
        while not self._heard.empty():
            event = self._heard.get_nowait()
            texts.append(event.text) if isinstance(event, Heard) else keys.append(event)
        for key in keys:
            self._heard.put_nowait(key)
        return " ".join(texts)

    async def _say(self, text: str) -> None:
        samples = await self._speak(text)
        started = self._clock()
        self._meter.callee_speaks(started)
        await self._line.play(samples)
        ended = self._clock()
        self._meter.callee_stopped(ended)
        self._record(Spoken("callee", text, self._ms(started), self._ms(ended)))

    async def _press(self, keys: str) -> None:
        started = self._clock()
        self._meter.callee_speaks(started)
        await self._line.press(keys)
        ended = self._clock()
        self._meter.callee_stopped(ended)
        self._record(Spoken("callee", f"pressed {' '.join(keys)}", self._ms(started), self._ms(ended)))

    async def _break_silence(self) -> None:
        silent = self._person.when_silent
        if silent and self._hellos < silent.times and self._quiet_s() >= silent.after_s - 0.01:
            self._hellos += 1
            await self._say(silent.say)

    def _next_deadline(self) -> float | None:
        """When to look again, if nothing is heard before."""
        silent, ends = self._person.when_silent, self._person.hangs_up
        quiet_since = self._meter.last_sound_at
        hello = quiet_since + silent.after_s if silent and self._hellos < silent.times else None
        enough = quiet_since + ends.after_silence_s if ends.after_silence_s is not None else None
        over = self._meter.answered_at + ends.after_s if ends.after_s is not None else None
        return min((moment for moment in (hello, enough, over) if moment is not None), default=None)

    def _has_had_enough(self) -> bool:
        ends = self._person.hangs_up
        lasted = self._clock() - self._meter.answered_at
        return (
            (ends.after_s is not None and lasted >= ends.after_s)
            or (ends.after_silence_s is not None and self._quiet_s() >= ends.after_silence_s)
            or (ends.after_turns is not None and self._turns >= ends.after_turns)
        )

    async def _forward_keys(self) -> None:
        while True:
            self._heard.put_nowait(await self._line.digits.get())

    def _quiet_s(self) -> float:
        return self._clock() - self._meter.last_sound_at

    def _ms(self, moment: float) -> int:
        return round((moment - self._meter.answered_at) * 1000)
