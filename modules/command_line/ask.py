"""Questions on a terminal. Where nobody sits at one, nothing is asked."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


def somebody_is_there() -> bool:
    """Whether a person reads the screen and can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str) -> bool:
    """Ask for a yes; Enter is a no."""
    with _interruptible():
        return typer.confirm(question, default=False, err=True)


def answer(question: str) -> str:
    """Ask for a line; Enter is ""."""
    with _interruptible():
        return str(typer.prompt(question, default="", show_default=False, err=True)).strip()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the question: asyncio's own handler would wait until it is answered."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
