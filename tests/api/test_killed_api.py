"""The API is killed while people place calls: whoever repeats with the same key ends with one call each, none lost."""

import asyncio
import contextlib
import random

import httpx2
import pytest

from config import Settings
from modules.call_queue_manager import CallQueue, Store
from tests.api.conftest import KEY, NUMBER, process

pytestmark = pytest.mark.chaos
CALLS = 20


async def test_twenty_calls_survive_three_killed_apis(api_settings: Settings, store: Store, queue: CallQueue) -> None:
    """My program keeps asking with its Idempotency-Key until it is answered; the API dies under it three times."""
    address: list[str] = [""]
    placing = [asyncio.create_task(_insist(address, f"order-{number}")) for number in range(CALLS)]
    for lives in (1, 2, 3, 4):
        async with process(api_settings) as running:
            address[0] = running.url
            if lives == 4:
                ids = await asyncio.wait_for(asyncio.gather(*placing), 60)
                break
            await asyncio.wait(placing[: lives * 5], return_when=asyncio.FIRST_COMPLETED)
            running.child.kill()
            await running.child.wait()
    assert len(set(ids)) == CALLS
    assert (await queue.waiting())["ready"] == CALLS


async def _insist(address: list[str], key: str) -> str:
    headers = {"X-API-Key": KEY, "Idempotency-Key": key}
    patience = random.Random(key)
    async with httpx2.AsyncClient(headers=headers, trust_env=False, verify=False) as http:
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                answer = await http.post(f"{address[0]}/v1/calls", json={"to_number": NUMBER})
                if answer.status_code == 202:
                    return str(answer.json()["call_id"])
            await asyncio.sleep(patience.uniform(0.05, 0.3))  # a client's own pause between tries
