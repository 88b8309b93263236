"""A client that is not sure whether its request arrived sends it again with the same key. That makes one call, not two."""

import pytest

from modules.call_queue_manager import CallQueue, Enqueued, Repeat
from modules.calls.errors import IdempotencyMismatch
from tests.fleet_clock import Clock
from tests.phone_calls import a_call

pytestmark = pytest.mark.redis


async def test_the_same_request_again_answers_with_the_same_call(queue: CallQueue, clock: Clock) -> None:
    """The first answer is remembered for a day."""
    mine = Repeat(owner="me", key="order-7", body_sha="the body's hash")
    first, call_id = await queue.enqueue(a_call(clock.now()), mine)
    second, same_id = await queue.enqueue(a_call(clock.now()), mine)
    assert (first, second) == (Enqueued.NEW, Enqueued.KNOWN)
    assert call_id == same_id


async def test_another_request_with_the_same_key_is_a_mistake(queue: CallQueue, clock: Clock) -> None:
    """A key stands for one request; a different body under it is refused."""
    await queue.enqueue(a_call(clock.now()), Repeat("me", "order-7", "the body's hash"))
    with pytest.raises(IdempotencyMismatch):
        await queue.enqueue(a_call(clock.now()), Repeat("me", "order-7", "another hash"))
