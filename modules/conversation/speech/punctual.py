"""What a vendor's stream owes us: its first item in time, and each further one. Late is an error like any other, so that
LiveKit's FallbackAdapter goes on to the next vendor; the plugins themselves wait up to half a minute.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from livekit.agents import APITimeoutError

T = TypeVar("T")
NOTHING_TO_SAY = "nothing_to_say"
"""What a realtime model's session emits when it was asked and answers nothing, of its own will."""


async def on_time(items: AsyncIterator[T], first_s: float, next_s: float) -> AsyncIterator[T]:
    """Yield what comes. Raises APITimeoutError when the first is later than `first_s`, or another `next_s` after its last."""
    within_s = first_s
    while True:
        try:
            async with asyncio.timeout(within_s):
                item = await anext(items)
        except StopAsyncIteration:
            return
        except TimeoutError as late:
            what = "nothing came" if within_s == first_s else "it stopped in the middle"
            raise APITimeoutError(f"{what} within {within_s:g} s") from late
        yield item
        within_s = next_s
