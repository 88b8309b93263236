"""The language models' vendors at their wire: what our factories ask, what we make of the answers and of the lack of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from livekit.agents import llm

from config import Settings
from modules.conversation.personality import Thinking
from modules.conversation.speech import CONVERSING, THINKING
from modules.conversation.speech.vendor_errors import (
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderRejected,
    ProviderTimedOut,
    ProviderUnreachable,
)
from modules.conversation.vendors import names
from tests.contracts.providers.models import PROMPT, QUESTION, failure, think
from tests.contracts.providers.vendor_server import Asked, VendorServer

pytestmark = [
    pytest.mark.unit,
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),  # google-genai's own
]


def chat_completions() -> list[str]:
    """OpenAI's format, which Azure, Groq, ollama and vLLM share."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [
        head | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}]}
        for word in ("Guten ", "Tag!")
    ]
    chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [line for chunk in chunks for line in (f"data: {json.dumps(chunk)}", "")] + ["data: [DONE]", ""]


def messages() -> list[str]:
    """Anthropic's format."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    message: dict[str, Any] = {"id": "m1", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": usage}
    message |= {"stop_reason": None, "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Guten "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Tag!"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    return [line for event in events for line in (f"event: {event['type']}", f"data: {json.dumps(event)}", "")]


def candidates() -> list[str]:
    """Gemini's format."""
    contents = [{"parts": [{"text": word}], "role": "model"} for word in ("Guten ", "Tag!")]
    said = [{"candidates": [{"content": contents[0]}]}, {"candidates": [{"content": contents[1], "finishReason": "STOP"}]}]
    return [line for chunk in said for line in (f"data: {json.dumps(chunk)}", "")]


def _openai_body(body: dict[str, Any]) -> tuple[str, bool, float, list[tuple[str, str]]]:
    return body["model"], body["stream"], body["temperature"], [(one["role"], _text(one["content"])) for one in body["messages"]]


def _anthropic_body(body: dict[str, Any]) -> tuple[str, bool, float, list[tuple[str, str]]]:
    said = [("system", _text(body["system"])), *((one["role"], _text(one["content"])) for one in body["messages"])]
    return body["model"], body["stream"], body["temperature"], said


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a vendor answers, how it knows us, and what it sends."""

    path: str
    auth: tuple[str, str]
    stream: Callable[[], list[str]]
    body: Callable[[dict[str, Any]], Any] = _openai_body
    base: str = ""
    model: str = "model-x"


WIRES = {
    "openai": Wire("/v1/chat/completions", ("authorization", "Bearer vendor-key"), chat_completions, base="/v1"),
    "azure_openai": Wire("/openai/deployments/vendor-key/chat/completions", ("api-key", "vendor-key"), chat_completions),
    "groq": Wire("/openai/v1/chat/completions", ("authorization", "Bearer vendor-key"), chat_completions, base="/openai/v1"),
    "anthropic": Wire("/v1/messages", ("x-api-key", "vendor-key"), messages, _anthropic_body),
    "google": Wire("/v1/models/model-x:streamGenerateContent", ("x-goog-api-key", "vendor-key"), candidates),
}
VENDORS = list(WIRES)


def mind(name: str, server: VendorServer, keys: Settings) -> llm.LLM[Any]:
    url = "" if name == "azure_openai" else server.url + WIRES[name].base
    return THINKING[name](Thinking(provider=name, model="model-x", temperature=0.5, base_url=url), keys)


def test_no_vendor_is_missing_from_these_tests() -> None:
    """A new language model's vendor gets the same tests."""
    assert set(VENDORS) | set(CONVERSING) == set(THINKING) == set(names("llm")) - {"local"}  # test_realtime_vendor.py


@pytest.mark.parametrize("name", VENDORS)
async def test_the_vendor_is_asked_in_its_own_words(name: str, server: VendorServer, keys: Settings) -> None:
    """Path, key, model and talk arrive as the vendor wants them, and its answer comes back as it streams."""
    wire = WIRES[name]
    server.sends(wire.stream())
    assert await think(mind(name, server, keys)) == "Guten Tag!"
    asked: Asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", wire.path)
    assert asked.headers[wire.auth[0]] == wire.auth[1]
    if name == "google":
        assert asked.query["alt"] == "sse" and asked.json["generationConfig"]["temperature"] == 0.5
        assert asked.json["systemInstruction"]["parts"][0]["text"] == PROMPT
        assert asked.json["contents"][-1]["parts"][0]["text"] == QUESTION
        return
    assert wire.body(asked.json) == ("model-x", True, 0.5, [("system", PROMPT), ("user", QUESTION)])


@pytest.mark.parametrize(
    ("status", "error", "step"),
    [(401, ProviderRejected, "check {key}"), (404, ProviderRejected, "check model"), (429, ProviderBusy, "its limit"),
     (500, ProviderFailed, "a fault on its side")],
)  # fmt: skip
@pytest.mark.parametrize("name", VENDORS)
async def test_a_refusal_says_what_to_do(
    name: str, status: int, error: type[ProviderError], step: str, server: VendorServer, keys: Settings
) -> None:
    """I read which vendor said what, and which setting to look at."""
    server.refuses(status)
    found = await failure("llm", name, think(mind(name, server, keys)))
    key = {"google": "GOOGLE_API_KEY"}.get(name, f"{name.upper()}_API_KEY")
    assert type(found) is error, found
    assert str(found).startswith(f"{error.__name__}: {name} says {status}: {step.format(key=key)}")
    assert len(server.asked) == 1


@pytest.mark.parametrize("name", VENDORS)
async def test_a_slow_first_word_is_waited_for(name: str, server: VendorServer, keys: Settings) -> None:
    """Half a second of thinking is no fault."""
    server.sends(WIRES[name].stream(), after_s=0.5)
    assert await think(mind(name, server, keys)) == "Guten Tag!"


@pytest.mark.parametrize("name", [name for name in VENDORS if name != "anthropic"])
async def test_a_vendor_that_hangs_is_given_up(name: str, server: VendorServer, keys: Settings) -> None:
    """No call waits for ever."""
    server.hangs()
    found = await failure("llm", name, think(mind(name, server, keys)))
    assert type(found) is ProviderTimedOut, found


@pytest.mark.parametrize("name", VENDORS)
async def test_garbage_is_no_answer(name: str, server: VendorServer, keys: Settings) -> None:
    """What cannot be read is called a failure of the vendor."""
    server.sends(["data: {]", "", "event: message_start", "data: <html>", ""])
    found = await failure("llm", name, think(mind(name, server, keys)))
    assert isinstance(found, ProviderFailed), found


@pytest.mark.parametrize("name", [name for name in VENDORS if name != "google"])  # whose library tries on for seven seconds
async def test_nobody_there_is_told_apart(name: str, server: VendorServer, keys: Settings) -> None:
    """A wrong address reads different from a wrong key."""
    nowhere = server.url.rpartition(":")[0] + ":9"
    there = keys.model_copy(update={"azure_openai_endpoint": nowhere})
    model = THINKING[name](Thinking(provider=name, base_url="" if name == "azure_openai" else nowhere), there)
    found = await failure("llm", name, think(model))
    assert isinstance(found, ProviderUnreachable), found
