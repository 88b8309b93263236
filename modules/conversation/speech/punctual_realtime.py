"""OpenAI's realtime model: it hears the call's sound itself and answers in text, which the personality's own voice speaks.

When somebody has finished is told by the call, never by the vendor. LiveKit's plugin waits ten seconds for an answer, has no
memory after a lost connection, and lets its session close without a word; here all of that is a failure the call is told.
"""

import asyncio
from typing import Any

from livekit.agents import APIConnectionError, APIConnectOptions, APIError, APIStatusError, APITimeoutError, llm, utils
from livekit.plugins.openai import realtime

from modules.conversation.deadlines import Deadlines
from modules.conversation.speech.punctual import NOTHING_TO_SAY
from modules.conversation.speech.vendor_errors import GivenUp

_AGAIN_S = 0.5
_GONE = "the model has failed"
_STATUS = {
    "invalid_api_key": 401, "account_deactivated": 403, "credit_balance_exhausted": 402, "billing_hard_limit_reached": 402,
    "insufficient_quota": 429, "rate_limit_exceeded": 429, "inference_rate_limit_exceeded": 429, "model_not_found": 404,
    "conversation_already_has_active_response": 503, "invalid_request_error": 400,
}  # fmt: skip
_HARMLESS = "Cancellation failed"  # there was nothing left to cancel; the plugin knows it by these words


class PunctualRealtime(realtime.RealtimeModel):
    """A model with `last_resort` for its first word and `next_word` between two. `options`: model, base_url, api_key."""

    def __init__(self, deadlines: Deadlines, **options: Any) -> None:
        super().__init__(
            modalities=["text"],
            turn_detection=None,
            input_audio_transcription=None,
            max_session_duration=None,
            conn_options=APIConnectOptions(max_retry=1, retry_interval=_AGAIN_S, timeout=deadlines.last_resort),
            **options,
        )
        self.deadlines = deadlines

    def session(self, *, turn_detection_disabled: bool = False) -> realtime.RealtimeSession:
        return _Session(self, turn_detection_disabled=turn_detection_disabled)


class _Session(realtime.RealtimeSession):
    """One call's conversation. What goes to the vendor and comes from it is watched in `emit`, which the plugin tells of both."""

    def __init__(self, model: PunctualRealtime, *, turn_detection_disabled: bool) -> None:
        self._deadlines = model.deadlines
        self._timers: list[asyncio.TimerHandle] = []
        self._vital: set[str] = set()  # ids of what we asked for and cannot do without
        self._request = ""  # the id of the last answer we asked for
        self._response = ""  # the vendor's id of that answer
        self._asked_again = self._answers = False
        self._unheeded_since: float | None = None  # when we asked first without being told that an answer begins
        self._reply: asyncio.Future[llm.GenerationCreatedEvent] | None = None
        self._failed: Exception | None = None
        super().__init__(model, turn_detection_disabled=turn_detection_disabled)

    def generate_reply(self, **options: Any) -> asyncio.Future[llm.GenerationCreatedEvent]:
        if self._failed:
            self._give_up(self._failed)
            none: asyncio.Future[llm.GenerationCreatedEvent] = asyncio.get_running_loop().create_future()
            none.set_exception(llm.RealtimeError(_GONE))
            return none
        self._asked_again = False
        self._unheeded_since = self._unheeded_since or asyncio.get_running_loop().time()
        self._expect()
        self._reply = super().generate_reply(**options)
        self._reply.add_done_callback(self._dropped)
        return self._reply

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        if self._failed:  # nobody is left to confirm it, and the plugin would wait
            raise llm.RealtimeError(_GONE)
        await super().update_chat_ctx(chat_ctx)

    def interrupt(self) -> None:
        self._settled()
        super().interrupt()

    async def aclose(self) -> None:
        self._settled()
        try:
            await super().aclose()
        except Exception:
            if not self._failed:
                raise

    def emit(self, event: Any, *args: Any) -> None:
        match event:
            case "openai_client_event_queued":
                self._sends(args[0])
            case "openai_server_event_received":
                self._receives(args[0])
            case "error" if not isinstance(args[0], GivenUp) and self._ends_it(args[0]):
                body = getattr(args[0].error, "body", None)
                self._give_up(args[0].error if body is None else _refusal(body))
                return
        super().emit(event, *args)

    def _dropped(self, reply: asyncio.Future[llm.GenerationCreatedEvent]) -> None:
        if reply.cancelled() and reply is self._reply:
            self._settled()

    def _ends_it(self, error: llm.RealtimeModelError) -> bool:
        """A connection that is lost takes the memory of what was said with it: there is only the sound, and that was sent."""
        return not error.recoverable or (self._reply is not None and isinstance(error.error, APIConnectionError))

    def _sends(self, event: dict[str, Any]) -> None:
        if event["type"] == "response.create" and event.get("event_id"):
            self._request = event["event_id"]
        if event["type"] == "session.update":
            self._vital.add(event["event_id"])

    def _receives(self, event: dict[str, Any]) -> None:
        match event:
            case {"type": "response.created", "response": {"id": str() as found} as response}:
                self._unheeded_since = None
                ours = (response.get("metadata") or {}).get("client_event_id") in (None, self._request)
                if ours and self._reply and not self._reply.cancelled():
                    self._expect()
                    self._response = found
            case {"type": "response.output_text.delta" | "response.function_call_arguments.delta", "response_id": self._response}:
                self._expect(self._deadlines.next_word, "it stopped in the middle")
                self._answers = True
            case {"type": "response.done", "response": {"id": self._response} as response}:
                self._done(response)
            case {"type": "error", "error": {"message": str() as words} as error}:
                # The plugin writes a vendor's words into the log and into errors; a key or speech may be in them.
                error["message"] = _HARMLESS if words.startswith(_HARMLESS) else str(error.get("code") or error.get("type"))
                if error.get("event_id") in self._vital:
                    self._give_up(_refusal(error))
                elif error.get("event_id") == self._request != "":
                    self._refused(_refusal(error))

    def _done(self, response: dict[str, Any]) -> None:
        self._settled()
        if response.get("status") == "failed":
            self._refused(_refusal((response.get("status_details") or {}).get("error")))
            return
        acts = any(item.get("type") == "function_call" for item in response.get("output") or [])
        if response.get("status") == "completed" and not self._answers and not acts:
            super().emit(NOTHING_TO_SAY)  # type: ignore[arg-type]  # an event of our own

    def _refused(self, error: APIError) -> None:
        """Ask a second time, unless something was answered already, or the vendor would say the same again."""
        if self._asked_again or self._answers or not error.retryable:
            self._give_up(error)
            return
        self._asked_again = True
        self._expect()
        self._unheeded_since = None  # a refusal is notice: who interrupts now and asks much later is not late
        again = {"type": "response.create", "event_id": utils.shortuuid("response_create_")}
        self._timers.append(asyncio.get_running_loop().call_later(_AGAIN_S, self.send_event, again))

    def _expect(self, within_s: float | None = None, what: str = "nothing came") -> None:
        """From here on so long; without a time, as long as the first word of an answer may take.

        Who asks again, as somebody spoke on, has waited already where the vendor takes no notice of us at all.
        """
        self._settled()
        loop = asyncio.get_running_loop()
        since = loop.time()
        if within_s is None:
            within_s, self._response, self._answers = self._deadlines.last_resort, "", False
            since = self._unheeded_since or since
        late = APITimeoutError(f"{what} within {within_s:g} s")
        self._timers.append(loop.call_at(since + within_s, self._give_up, late))

    def _settled(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _give_up(self, error: Exception) -> None:
        self._settled()
        self._failed = error
        super().emit("error", GivenUp.of(error, self.realtime_model.label))


def _refusal(error: Any) -> APIStatusError:
    """Return what an error in the vendor's own words means as an HTTP status; the words themselves are left behind."""
    told = [error.get(name) if isinstance(error, dict) else getattr(error, name, None) for name in ("code", "type")]
    status = next((_STATUS[word] for word in told if word in _STATUS), 500)
    return APIStatusError("the vendor refuses", status_code=status)
