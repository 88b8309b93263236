"""A vendor's language model that answers in time or fails."""

from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, APIError, NotGivenOr, llm, utils

from modules.conversation.deadlines import Deadlines
from modules.conversation.speech.punctual import on_time


class PunctualLLM(llm.LLM[Any]):
    """`model`, with `first_s` for its first word. All chunks of one attempt have one id, another than those of the next."""

    def __init__(self, model: llm.LLM[Any], first_s: float, deadlines: Deadlines) -> None:
        super().__init__()
        self.wrapped = model
        self.first_s = first_s
        self.next_s = deadlines.next_word
        model.on("metrics_collected", self._forward)

    @property
    def model(self) -> str:
        return self.wrapped.model

    @property
    def provider(self) -> str:
        return self.wrapped.provider

    def prewarm(self, **options: Any) -> None:
        self.wrapped.prewarm(**options)

    async def aclose(self) -> None:
        self.wrapped.off("metrics_collected", self._forward)
        await self.wrapped.aclose()

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        options: dict[str, Any] = {
            "parallel_tool_calls": parallel_tool_calls, "tool_choice": tool_choice, "extra_kwargs": extra_kwargs,
        }  # fmt: skip
        return _Stream(self, chat_ctx, tools or [], conn_options, options)

    def _forward(self, *metrics: Any) -> None:
        self.emit("metrics_collected", *metrics)


class _Stream(llm.LLMStream):
    def __init__(
        self, model: PunctualLLM, chat_ctx: llm.ChatContext, tools: list[llm.Tool], conn_options: APIConnectOptions,
        options: dict[str, Any],
    ) -> None:  # fmt: skip
        super().__init__(model, chat_ctx=chat_ctx, tools=tools, conn_options=conn_options)
        self._mind = model
        self._options = options
        self._retry_on_chunk_sent = True

    async def _run(self) -> None:
        once = APIConnectOptions(max_retry=0, timeout=self._mind.first_s)
        attempt, acted = utils.shortuuid("answer_"), False
        asked = self._mind.wrapped.chat(chat_ctx=self._chat_ctx, tools=self._tools, conn_options=once, **self._options)
        async with asked as stream:
            try:
                async for chunk in on_time(stream, self._mind.first_s, self._mind.next_s):
                    acted = acted or bool(chunk.delta and chunk.delta.tool_calls)
                    self._event_ch.send_nowait(chunk.model_copy(update={"id": attempt}))
            except APIError:
                # A tool that was called is not called again by the next model: what it did cannot be undone.
                if not acted:
                    raise

    async def _metrics_monitor_task(self, event_aiter: Any) -> None:
        async for _ in event_aiter:
            pass
