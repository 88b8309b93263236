"""docs/command-line.md, written from the verbs themselves by `python -m modules.command_line.reference`; a test compares."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from modules.command_line.app import app
from modules.setup.places import PROJECT

PAGE = PROJECT / "docs" / "command-line.md"
_HEAD = """# The command line

This page is written by `python -m modules.command_line.reference`; a test compares it with the program.

`./voicefleet VERB` (Windows: `voicefleet.bat VERB`) runs `python -m modules VERB` in the project's own environment.

- Answers go to standard output, everything else to standard error. `--json` prints the answer as JSON, errors included.
- Exit codes: 0 done, 1 the call or operation failed, 2 what was typed cannot be used, 3 nobody answers for the fleet, 130 Ctrl-C.
- Verbs about calls and keys ask the API at `API_HOST`:`API_PORT` with `API_KEY`; `--api-url` or VOICEFLEET_API_URL another.
- `./voicefleet --install-completion` makes the shell complete verbs, options, call ids and personalities.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *(_section(name, command) for name, command in _commands(get_command(app), "voicefleet"))])


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", {})
    if not children:
        yield name, command
    for child, inner in children.items():
        yield from _commands(inner, f"{name} {child}")


def _section(name: str, command: Any) -> str:
    text, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option" and parameter.name != "help"]
    usage = " ".join([f"./{name}", *(_shown(argument) for argument in arguments), *(["[OPTIONS]"] if options else [])])
    lines = [f"## {name}\n", f"{text.strip()}\n", f"    {usage}\n"]
    lines += [f"Example: `{example.strip()}`\n"] if example else []
    rows = [(_shown(argument), argument.help) for argument in arguments] + [(_flags(option), option.help) for option in options]
    if rows:
        lines += ["| | |", "| --- | --- |", *(f"| `{left}` | {right.replace('<', '&lt;')} |" for left, right in rows), ""]
    return "\n".join(lines)


def _shown(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _flags(option: Any) -> str:
    names = ", ".join(option.opts)
    if option.is_flag:
        return names
    return f"{names} {option.metavar or option.name.rpartition('_')[2].upper()}"


def main(page_file: Path = PAGE) -> None:
    page_file.parent.mkdir(parents=True, exist_ok=True)
    page_file.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
