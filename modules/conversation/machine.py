"""What one call does about a mailbox, where its personality says what: recognise it, wait for its beep, speak once, hang up."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, llm
from livekit.agents.voice import UserInputTranscribedEvent, UserStateChangedEvent

from modules.conversation.beep import Beep
from modules.conversation.call_script import CallScript
from modules.conversation.dead_air import DeadAir
from modules.conversation.duties import Voicemail
from modules.conversation.opening import opening
from modules.conversation.transcript import Transcript
from modules.conversation.voicemail import FIRST_PIECES, Mailbox, is_machine
from modules.metrics_logger import get_logger

log = get_logger("voice_agent")

_LOOK_S = 0.1
# Within this the model must have worded the message; a mailbox hears silence meanwhile, so it hangs up before long.
_WORDING_S = 10.0


class Machine:
    """One call's dealings with a machine. `over` ends the call; `known` silences everything else the agent would say."""

    def __init__(
        self, script: CallScript, wanted: Voicemail | None, session: AgentSession[None], model: llm.LLM[Any],
        transcript: Transcript, dead_air: DeadAir, over: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._script, self._session, self._model = script, session, model
        self._transcript, self._dead_air, self._over = transcript, dead_air, over
        self._wanted = wanted
        self._mailbox = Mailbox(time.monotonic())
        self._beep = Beep()
        self._told = asyncio.Event()

    @property
    def known(self) -> bool:
        """Whether a machine is on the line and this call has something of its own to do about that."""
        return self._wanted is not None and is_machine(self._transcript.heard)

    def hears(self, frame: rtc.AudioFrame) -> None:
        """Listen for the beep, for as long as it may still be a machine."""
        leaves_message = self._wanted is not None and self._wanted.action == "leave_message"
        if leaves_message and (self.known or len(self._transcript.heard) < FIRST_PIECES) and self._beep.ends_in(frame):
            self._mailbox.beeped(time.monotonic())

    async def deal(self) -> None:
        """Wait for a machine; then do what the personality says."""
        if self._wanted is None:
            return
        self._session.on("user_input_transcribed", self._heard)
        self._session.on("user_state_changed", self._state_changed)
        await self._told.wait()
        with contextlib.suppress(RuntimeError):
            await self._session.interrupt(force=True)
        self._dead_air.spoke()
        if self._wanted.action == "hang_up":
            self._over("a machine took the call")
            return
        message = await self._message()
        while not self._mailbox.listens(time.monotonic()):  # noqa: ASYNC110 - a clock is part of what there is to wait for
            await asyncio.sleep(_LOOK_S)
        self._transcript.keep_unanswered()
        self._dead_air.owe(firm=True)
        await self._session.say(message, allow_interruptions=False)
        self._over("a message was left")

    def _heard(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and self.known:
            self._told.set()

    def _state_changed(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._mailbox.speaks(time.monotonic())
        else:
            self._mailbox.stopped(time.monotonic())

    async def _message(self) -> str:
        """The words, or the model's where a prompt stands instead; if it fails, nothing but a disclosure and a goodbye."""
        words = self._script.message
        if self._script.message_task:
            asked = llm.ChatContext.empty()
            asked.add_message(role="system", content=self._script.message_task)
            asked.add_message(role="user", content=" ".join(self._transcript.heard))
            try:
                async with asyncio.timeout(_WORDING_S):
                    words = (await self._model.chat(chat_ctx=asked).collect()).text
            except Exception as error:
                log.warning("voicemail.not_worded", error=type(error).__name__)
        content = self._script.personality.content
        return opening(words or content.sentences.goodbye, content.language, content.disclosure)
