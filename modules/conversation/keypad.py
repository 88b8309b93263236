"""The keys that the other side presses: gathered to an entry, which is then something they said and wants an answer.

A `#` or a pause ends an entry. While it is being keyed in our side falls silent, where it may be interrupted.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

from livekit import rtc
from livekit.agents import AgentSession

from modules.conversation.dead_air import DeadAir
from modules.conversation.deadlines import KEYS_PAUSE_S, MOST_KEYS_A_CALL
from modules.conversation.keys import KEYS, MOST_KEYS, as_said
from modules.conversation.transcript import Transcript
from modules.metrics_logger import get_logger

log = get_logger("voice_agent")


class Keypad:
    """One call's keys. `answering` says whether anybody listens to them, e.g. not before the answer."""

    def __init__(
        self, session: AgentSession[None], transcript: Transcript, dead_air: DeadAir, answering: Callable[[], bool],
        pause_s: float = KEYS_PAUSE_S,
    ) -> None:  # fmt: skip
        self._session, self._transcript, self._dead_air, self._answering = session, transcript, dead_air, answering
        self._pause_s = pause_s
        self._entry = ""
        self._pressed = 0
        self._began_at = self._last_at = 0.0
        self._pause: asyncio.TimerHandle | None = None

    def listen(self, room: rtc.Room, identity: str) -> None:
        """Hear the keys of that phone from here on."""
        room.on("sip_dtmf_received", lambda tone: self._heard(tone, identity))

    def press(self, key: str) -> None:
        """They have pressed a key."""
        if not self._answering() or self._pressed == MOST_KEYS_A_CALL:
            return
        self._pressed += 1
        if self._pressed == MOST_KEYS_A_CALL:
            log.warning("keypad.no_more", keys=self._pressed)
        now = time.time()
        self._began_at, self._last_at = self._began_at if self._entry else now, now
        self._entry += key
        self._dead_air.they_speak()
        self._fall_silent()
        self._wait(0.0 if len(self._entry) == MOST_KEYS or self._entry.find("#") > 0 else self._pause_s)

    def line_is_cut(self) -> None:
        """Nobody is left to answer: what was keyed in last is written down."""
        if self._pause:
            self._pause.cancel()
        if self._entry:
            self._write_down()

    def _heard(self, tone: rtc.SipDTMF, identity: str) -> None:
        if tone.participant and tone.participant.identity == identity and len(tone.digit) == 1 and tone.digit in KEYS:
            self.press(tone.digit)

    def _wait(self, pause_s: float) -> None:
        if self._pause:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(pause_s, self._take_up)

    def _take_up(self) -> None:
        entry = self._write_down()
        self._dead_air.they_pressed()
        if not self._answering():
            self._dead_air.spoke()
            return
        self._fall_silent()  # an answer that began meanwhile knows nothing of the keys
        speaks = self._session.current_speech
        if speaks and not speaks.done():  # e.g. the greeting, whose end settles nothing
            speaks.add_done_callback(lambda _: self._dead_air.owe())
        with contextlib.suppress(RuntimeError):  # the session is closing
            self._session.generate_reply(user_input=as_said(entry))

    def _write_down(self) -> str:
        entry, self._entry = self._entry, ""
        self._transcript.pressed("callee", entry, (self._began_at, self._last_at))
        return entry

    def _fall_silent(self) -> None:
        with contextlib.suppress(RuntimeError):  # what is being said may not be interrupted
            self._session.interrupt()
