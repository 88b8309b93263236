"""A whole fleet for a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from modules.fleet import Fleet, Plan


@asynccontextmanager
async def running(**plan: Any) -> AsyncIterator[Fleet]:
    """A fleet by its plan, killed at the end: how one stops in its own time is told by test_demo.py and test_up_and_down.py."""
    async with Fleet(Plan(**plan)) as fleet:
        try:
            yield fleet
        finally:
            fleet.hurry()
