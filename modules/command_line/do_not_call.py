"""`do-not-call`: the numbers that are not called, through the API."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from modules.command_line.api_client import ApiClient
from modules.command_line.options import ApiUrl, AsJson, client
from modules.command_line.output import Output, run

app = typer.Typer(help="Numbers that are not called.", no_args_is_help=True)
_Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number, e.g. +12025550100.", show_default=False)]


@app.callback()
def do_not_call() -> None:
    """Numbers that are not called."""


@app.command("list")
def list_numbers(as_json: AsJson = False, api_url: ApiUrl = "") -> None:
    """List them, the newest first.

    Example: ./voicefleet do-not-call list
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        async with client(api_url) as api:
            found = await api.do_not_call()
        if as_json:
            output.json(found)
        else:
            output.table(("number", "since", "source"), [(one["number"], one["at"], one["source"]) for one in found["numbers"]])

    run(work(), output)


@app.command()
def add(number: _Number, as_json: AsJson = False, api_url: ApiUrl = "") -> None:
    """Never call a number again; calls to it that wait are not placed either.

    Example: ./voicefleet do-not-call add +12025550100
    """
    _change(lambda api: api.never_call(number), "is not called any more", Output(as_json=as_json), api_url)


@app.command()
def remove(number: _Number, as_json: AsJson = False, api_url: ApiUrl = "") -> None:
    """Let a number be called again, where whoever answers it has said so. Needs an admin key.

    Example: ./voicefleet do-not-call remove +12025550100
    """
    _change(lambda api: api.call_again(number), "may be called again", Output(as_json=as_json), api_url)


def _change(ask: Callable[[ApiClient], Awaitable[dict[str, Any]]], words: str, output: Output, api_url: str) -> None:
    async def work() -> None:
        async with client(api_url) as api:
            entry = await ask(api)
        if output.as_json:
            output.json(entry)
        else:
            output.line(f"{entry['number']} {words}")

    run(work(), output)
