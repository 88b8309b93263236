"""Whatever somebody sends, in whatever field, the API answers for it: never a 500, never a call that was not meant."""

import json
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from modules.api_server.schemas import NewCall
from tests.api.conftest import NUMBER

pytestmark = pytest.mark.redis
TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1e400", "-1", "NaN", "%00",
    "ä" * 300, "x" * 30_000, "'; drop table calls; --", "[]", "{}", "null", "+", "0", "9" * 26, "../../x", "\u202e\u2028",
]  # fmt: skip
VALUES: list[Any] = [
    *TEXTS, None, True, -1, 0, 1e308, 10**40, [], {}, {"a": {"b": [1]}}, {"\x00": "x"}, {"a": "\x00"}, {"a": "\ud800"},
]  # fmt: skip


def fine(answer: httpx2.Response, *told: object) -> bool:
    assert answer.status_code < 500, (*map(repr, told), answer.text)
    return answer.status_code < 300


@pytest.mark.parametrize("field", sorted(NewCall.model_fields))
async def test_any_value_in_any_field(api: httpx2.AsyncClient, field: str) -> None:
    """A broken program fills in nonsense; what it places can be read back."""
    for value in VALUES:
        body = json.dumps({"to_number": NUMBER} | {field: value})
        answer = await api.post("/v1/calls", content=body, headers={"Content-Type": "application/json"})
        if fine(answer, field, value) and answer.status_code == 202:
            assert fine(await api.get(answer.headers["location"]))


async def test_any_text_in_any_query_path_and_header(api: httpx2.AsyncClient) -> None:
    """A scanner tries every address with everything it knows."""
    filters = ["state", "simulated", "personality", "to_number", "created_from", "created_before", "q", "limit", "cursor", "more"]
    headers = ["Idempotency-Key", "Last-Event-ID", "X-API-Key", "Authorization", "Cookie", "Origin", "Content-Type"]
    for text in (text for text in TEXTS if "\ud800" not in text):
        quoted = quote(text, safe="")
        for name in filters:
            fine(await api.get("/v1/calls", params={name: text}), name, text)
        for path in (f"/v1/calls/{quoted}", f"/v1/calls/{quoted}/transcript", f"/web/{quoted}"):
            fine(await api.get(path), path)
        fine(await api.post(f"/v1/calls/{quoted}/cancel"), text)
        fine(await api.delete(f"/v1/keys/{quoted}"), text)
        fine(await api.post("/sign-in", data={"key": text}), text)
        for name in headers:
            raw = [(name.encode(), text.encode())]
            fine(await api.post("/v1/calls", content=b"{}", headers=raw), name, text)
