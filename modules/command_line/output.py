"""What commands print. Standard output carries the answer and nothing else; what is told on the way goes to standard error.

With --json the answer is JSON, also where it is an error. Colours and live progress only on a terminal.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from modules.command_line.errors import CommandError, Refused
from modules.fleet import FleetError, PartFailed

_WIDE = 160


class Output:
    """One command's answer and its progress."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out = _console(sys.stdout)
        self._err = _console(sys.stderr)
        self._spinner: Status | None = None

    def progress(self, text: str) -> None:
        """Show, on a terminal only, what is being done; until the next line of anything."""
        if not self._err.is_terminal:
            return
        if self._spinner is None:
            self._spinner = self._err.status(Text(text))
            self._spinner.start()
        self._spinner.update(Text(text))

    def still(self) -> None:
        """Take the progress away."""
        if self._spinner:
            self._spinner.stop()
            self._spinner = None

    def json(self, answer: Any) -> None:
        """Print one JSON document."""
        print(json.dumps(answer, indent=2, ensure_ascii=False), file=sys.stdout, flush=True)

    def json_line(self, answer: Any) -> None:
        """Print one JSON document on a line of its own, for streams."""
        print(json.dumps(answer, ensure_ascii=False), file=sys.stdout, flush=True)

    def line(self, text: str, style: str = "") -> None:
        """Print a line of the answer."""
        self.still()
        self._out.print(Text(text, style=style), soft_wrap=True)

    def table(self, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        """Print a table of the answer."""
        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._out.print(table)

    def say(self, text: str, style: str = "dim") -> None:
        """Tell about the way there."""
        self.still()
        self._err.print(Text(text, style=style), soft_wrap=True)

    def failure(self, error: CommandError | FleetError) -> None:
        """Print why nothing came of it."""
        code = error.code if isinstance(error, CommandError) else "fleet"
        if self.as_json:
            more = {"errors": error.errors} if isinstance(error, Refused) and error.errors else {}
            self.json({"error": {"code": code, "message": error.message, "next": error.fix, **more}})
        if isinstance(error, PartFailed) and error.tail:
            self.say(f"the end of {error.log}:\n{error.tail}")
        self.say(f"error: {error.message}", "bold red")
        if error.fix:
            self.say(f"next:  {error.fix}", "")


def run(work: Coroutine[Any, Any, int | None], output: Output) -> None:
    """Run a command to its end and leave with its exit code."""
    try:
        code = asyncio.run(_then_still(work, output))
    except (CommandError, FleetError) as error:
        output.failure(error)
        raise typer.Exit(error.exit_code if isinstance(error, CommandError) else 1) from None
    except KeyboardInterrupt:
        output.say("stopped")
        raise typer.Exit(130) from None
    if code:
        raise typer.Exit(code)


async def _then_still(work: Coroutine[Any, Any, int | None], output: Output) -> int | None:
    try:
        return await work
    finally:
        output.still()


def clock(moment: datetime | str | None) -> str:
    """Return a time of day here, "" for none."""
    if not moment:
        return ""
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return known.astimezone().strftime("%H:%M:%S")


def _console(stream: Any) -> Console:
    console = Console(file=stream, highlight=False)
    return console if console.is_terminal else Console(file=stream, highlight=False, width=_WIDE)
