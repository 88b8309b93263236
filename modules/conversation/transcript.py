"""Who said what and when, taken from the session as it speaks and told to the scribe. Times count from the answer."""

import time
from dataclasses import dataclass, field

from livekit.agents import AgentSession, llm
from livekit.agents.voice import ConversationItemAddedEvent, UserInputTranscribedEvent

from modules.conversation.keys import as_kept, as_said
from modules.conversation.scribe import Scribe

SPEAKER = {"assistant": "agent", "user": "callee"}


@dataclass(slots=True)
class Transcript:
    """One call's turns. `heard` is all the callee's words, piece by piece; `unanswered` those no turn has taken up yet."""

    scribe: Scribe
    hides_keys: bool = False
    answered_at: float | None = None
    count: int = 0
    heard: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    _last_heard_at: float = 0.0
    _kept: str = ""
    _keyed_in: list[str] = field(default_factory=list)

    def listen(self, session: AgentSession[None]) -> None:
        """Write down every turn from here on."""
        session.on("conversation_item_added", self._added)
        session.on("user_input_transcribed", self._heard)

    def answered(self) -> None:
        """The clock starts."""
        self.answered_at = time.time()

    def spoke_first(self) -> None:
        """The agent's first sound went out."""
        if self.answered_at is not None:
            self.scribe.note("call.first_word", {"first_word_ms": round((time.time() - self.answered_at) * 1000)})

    def _heard(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and event.transcript.strip():
            self.heard.append(event.transcript)
            self.unanswered.append(event.transcript)
            self._last_heard_at = time.time()

    def _added(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, llm.ChatMessage) or item.role not in SPEAKER or not item.text_content:
            return
        if item.role == "user" and item.text_content in self._keyed_in:
            self._keyed_in.remove(item.text_content)  # written down when it was pressed, perhaps without what it was
            return
        if item.role == "user":
            self.unanswered.clear()
            if item.text_content.split() == self._kept.split():
                return  # the session closed after the line was cut, and takes up now what is written down already
        times = item.metrics.get("started_speaking_at"), item.metrics.get("stopped_speaking_at")
        latency_s = item.metrics.get("e2e_latency")
        self.write(
            SPEAKER[item.role],
            item.text_content,
            (times[0] or item.created_at, times[1] or time.time()),
            interrupted=item.interrupted,
            latency_ms=None if latency_s is None else round(latency_s * 1000),
        )

    def taken_up(self, said: llm.ChatMessage) -> None:
        """Write down what a realtime model answers now: LiveKit adds nothing of it to the conversation."""
        self._added(ConversationItemAddedEvent(item=said))

    def said(self, text: str) -> None:
        """Write down, as it is said, what the agent says beside the conversation, e.g. that an answer takes long."""
        now = time.time()
        self.write("agent", text, (now, now))

    def pressed(self, speaker: str, keys: str, times: tuple[float, float]) -> None:
        """Write down keys that were pressed between two moments (Unix time), as far as a record may hold them."""
        if speaker != "agent":
            self._keyed_in.append(as_said(keys))
        kept = as_kept(keys, hidden=self.hides_keys)
        self.write(speaker, as_said(kept), times, keys=kept)

    def keep_unanswered(self) -> None:
        """Write down, at the end, what was said and taken up by no turn, e.g. into the greeting before a hang-up."""
        if self.unanswered:
            self._kept = " ".join(self.unanswered)
            self.write("callee", self._kept, (self._last_heard_at, self._last_heard_at))
            self.unanswered.clear()

    def write(
        self, speaker: str, text: str, times: tuple[float, float], *, interrupted: bool = False, latency_ms: int | None = None,
        keys: str = "",
    ) -> None:  # fmt: skip
        """Write down a turn that lasted from one moment to another (Unix time)."""
        began, ended = (self._since_answer(moment) for moment in times)
        turn = {"index": self.count, "speaker": speaker, "text": text, "start_s": began, "end_s": ended}
        self.scribe.note("call.turn", turn | {"interrupted": interrupted, "latency_ms": latency_ms, "keys": keys})
        self.count += 1

    def _since_answer(self, moment: float) -> float:
        return round(max(0.0, moment - (self.answered_at or moment)), 2)
