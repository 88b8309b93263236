"""A part of the fleet as it is described: what to run, how to ask whether it is ready, how long it may take. Runs nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Ready = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process to keep running. With `others_wait`, later parts start only once this one is ready."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    ready: Ready
    others_wait: bool = False
    start_within_s: float = 60.0
    stop_within_s: float = 10.0
