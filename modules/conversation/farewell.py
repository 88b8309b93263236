"""What a caller gets who is not put through: a sentence, a tone to leave a message after, or somebody else's phone."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import APIError, JobContext, vad

from config import Settings
from modules.calls import Event, Outcome, Report
from modules.calls.errors import VoicefleetError
from modules.conversation.announcement import Announcer, spoken
from modules.conversation.duties import TAKE_MESSAGE
from modules.conversation.inbound_line import InboundLine
from modules.conversation.message import RATE, Message, with_tone
from modules.conversation.personality import Personality
from modules.conversation.speech import SPEAKING, ear
from modules.conversation.speech.punctual_stt import Unheard
from modules.conversation.taken_call import TakenCall, cut
from modules.conversation.turned_away import TurnedAway
from modules.metrics_logger import get_logger
from modules.strict_yaml import YamlError

log = get_logger("voice_agent")


@dataclass(frozen=True, slots=True)
class Farewell:
    """One caller, why they are not put through, and who tells them. `hand_over` returns "" or why it failed."""

    ctx: JobContext
    settings: Settings
    line: InboundLine
    taken: TakenCall
    speaks: Personality
    away: TurnedAway
    activity: vad.VAD
    hand_over: Callable[[str], Awaitable[str]]

    async def say(self) -> None:
        """Do it, where there is a voice for it, hang up and write the end."""
        sounds = await self._sounds()
        if not sounds:
            await cut(self.ctx, self.taken, Report(Event.ATTEMPT_FAILED, Outcome.BLOCKED, self.away.reason))
            return
        announcer = Announcer(self.ctx.room, self.line, self.taken, sounds)
        saying = asyncio.create_task(self._said(announcer), name="farewell")
        over = asyncio.create_task(self.taken.ending.wait(), name="call over")
        try:
            await asyncio.wait({saying, over}, return_when=asyncio.FIRST_COMPLETED)
            await cut(self.ctx, self.taken, saying.result() if saying.done() else over.result().report)
        finally:
            for task in (saying, over):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _sounds(self) -> dict[str, rtc.AudioFrame]:
        """Every sentence that may be said, in one voice; {} where none can say them."""
        sentences, folder = self.away.sentences(self.speaks), self.settings.data_dir / "announcements"
        for component in self.speaks.components.tts if sentences else []:
            try:
                voice = SPEAKING[component.provider](component, self.settings)
            except (VoicefleetError, YamlError):  # a missing key; the end of the call says why it was not taken
                continue
            voice_id = component.model_dump_json()
            made = await asyncio.gather(*(spoken(text, voice, voice_id, folder) for text in sentences))
            sounds = {text: sound for text, sound in zip(sentences, made, strict=True) if sound}
            if len(sounds) == len(set(sentences)):
                if self.away.instead == TAKE_MESSAGE:
                    sounds[sentences[0]] = with_tone(sounds[sentences[0]])
                return sounds
        return {}

    async def _said(self, announcer: Announcer) -> Report:
        """Open the line and do what is to be done; return how the call ended."""
        if failed := await announcer.open():
            return failed
        try:
            report = await self._done(announcer)
            await announcer.heard_out()
            return report
        except Exception as error:
            log.warning("farewell.cut", error=type(error).__name__)
            return Report(Event.LOST, Outcome.INFRASTRUCTURE, self.away.reason)

    async def _done(self, announcer: Announcer) -> Report:
        if self.away.instead == TAKE_MESSAGE:
            return await self._message(announcer)
        if self.away.instead:
            return await self._handed_over(announcer)
        await announcer.say(self.away.sentence)
        return self._blocked()

    async def _message(self, announcer: Announcer) -> Report:
        said, transcript = self.speaks.sentences, announcer.transcript
        unheard = Unheard()
        try:
            listener = ear(self.speaks.components, self.settings, self.activity, unheard)
        except (VoicefleetError, YamlError):  # a missing key
            await announcer.say(said.trouble)
            return self._blocked("There is no listener to write a message down.")
        await announcer.say(said.take_message)
        words: list[str] = []

        def heard(text: str, times: tuple[float, float]) -> None:
            words.append(text)
            transcript.write("callee", text, times)

        broke = False
        try:
            longest_s = min(self.speaks.overflow.message_s, self.taken.held.call.max_call_s)
            left = await Message(listener, self.activity, unheard, heard).take(self.line.sound(RATE), longest_s)
            if not left:
                await announcer.say(said.goodbye)
        except (APIError, TimeoutError) as error:
            log.warning("message.not_understood", error=type(error).__name__)
            broke = True
            await announcer.say(said.trouble)
        finally:
            await listener.aclose()
        if words:
            more = " The listener failed before its end." if broke else ""
            return Report(Event.HUNG_UP, Outcome.VOICEMAIL, f"{self.away.reason} The caller left a message.{more}")
        return self._blocked("The listener failed; no message was written down." if broke else "The caller left no message.")

    async def _handed_over(self, announcer: Announcer) -> Report:
        name, target = self.away.instead, self.speaks.transfer[self.away.instead]
        await announcer.say(target.announcement)
        await announcer.heard_out()
        if not (failed := await self.hand_over(target.number)):
            return Report(Event.TRANSFERRED, reason=f"{self.away.reason} Handed over to {name}.")
        if not self.line.is_there:
            return self._blocked(f"The caller hung up before {name} could be reached.")
        self.taken.scribe.note("call.not_handed_over", {"to": name, "reason": failed})
        await announcer.say(self.away.sentence)
        return self._blocked(f"{name} could not be reached: {failed}")

    def _blocked(self, more: str = "") -> Report:
        return Report(Event.HUNG_UP, Outcome.BLOCKED, f"{self.away.reason} {more}".rstrip())
