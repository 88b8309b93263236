"""`personalities`: the files of agents/ and prompts/ as they are here and now, without a fleet; and, through the API, a fleet's.

Looking at files (lint, list, show, diff) changes nothing. What is saved (edit, save) is in personality_edits.py.
"""

import difflib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_settings import BaseSettings

from config import Settings
from modules.calls.errors import UnknownPersonality
from modules.command_line.completion import personalities as known_ids
from modules.command_line.errors import CommandError, WrongUse
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.command_line.personality_edits import edit, save
from modules.conversation.assembly import Loaded, LoadedSplit
from modules.conversation.personalities import Personalities
from modules.conversation.split import Split
from modules.strict_yaml import YamlError

app = typer.Typer(help="Personalities and their prompts: check, list, show, compare, edit.", no_args_is_help=True)
app.command()(edit)
app.command()(save)
Named = Annotated[
    str, typer.Argument(metavar="ID", help="The file's name without .yaml.", autocompletion=known_ids, show_default=False)
]


@app.callback()
def personalities() -> None:
    """Personalities and their prompts: check, list, show, compare, edit."""


@app.command()
def lint(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Which; without one, all.", autocompletion=known_ids)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Name every mistake in the files: place, field, what was expected. Exit code 1 if there is one.

    Example: ./voicefleet personalities lint
    """
    output = Output(as_json=as_json)

    async def work() -> int:
        store = _store()
        found = {name: _mistakes(store, name) for name in ids or store.ids()}
        seen = {str(error): error for errors in found.values() for error in errors}
        if as_json:
            output.json({"valid": not seen, "errors": [_row(error) for error in seen.values()]})
        else:
            for text in seen:
                output.line(text, "red")
            broken = sum(bool(errors) for errors in found.values())
            output.say(f"{len(found)} looked at, {broken} broken" if broken else f"{len(found)} looked at, all good", "")
        return 1 if seen else 0

    run(work(), output)


@app.command("list")
def list_personalities(as_json: AsJson = False) -> None:
    """List what a call may name.

    Example: ./voicefleet personalities list
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        store = _store()
        found = [_listed(store, name) for name in store.ids()]
        if as_json:
            output.json({"personalities": found})
            return
        rows = [(row["id"], row["name"], row["language"], row["speaks_by"], row["problem"] or "good") for row in found]
        output.table(("id", "name", "language", "stt / llm / tts", "state"), rows)

    run(work(), output)


@app.command()
def show(personality_id: Named, as_json: AsJson = False) -> None:
    """Show a personality as a call gets it: every field, `extends` resolved, its variables and files.

    Example: ./voicefleet personalities show local_demo
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        loaded = _good(_store(), personality_id)
        content = loaded.content.model_dump(mode="json")
        told = {"id": loaded.id, "sha256": loaded.sha256, "files": sorted(loaded.texts), **content}
        if as_json:
            output.json(told)
            return
        output.table(("field", "value"), [(field, str(value)) for field, value in _flat(told, "")])

    run(work(), output)


@app.command()
def diff(personality_id: Named, as_json: AsJson = False) -> None:
    """Compare the files with the last good version a fleet on this machine has used. Exit code 1 if they differ.

    Example: ./voicefleet personalities diff local_demo
    """
    output = Output(as_json=as_json)

    async def work() -> int:
        store = _store()
        broken = _mistakes(store, personality_id)
        kept = store.kept(personality_id)
        if not kept:
            raise CommandError(f"no version of {personality_id} was kept yet", "a version is kept when a fleet here has read it")
        now = {name: _read(name) for name in kept} if broken else store.check(personality_id).texts
        lines = [line for name in sorted({*kept, *now}) for line in _difference(name, kept.get(name, ""), now.get(name, ""))]
        if as_json:
            output.json({"differs": bool(lines), "diff": "\n".join(lines)})
        else:
            for line in lines:
                output.line(line, {"+": "green", "-": "red"}.get(line[:1], ""))
            output.say("" if lines else "no difference", "")
        return 1 if lines else 0

    run(work(), output)


class _Folders(BaseSettings):
    """The three settings that name files, read as `Settings` reads them, without asking for the rest."""

    model_config = Settings.model_config

    agents_dir: Path = Path("agents")
    prompts_dir: Path = Path("prompts")
    data_dir: Path = Path("data")


def _store() -> Personalities:
    folders = _Folders()
    return Personalities(folders.agents_dir, folders.prompts_dir, folders.data_dir / "personalities")


def _mistakes(store: Personalities, name: str) -> tuple[YamlError, ...]:
    try:
        store.check(name)
    except UnknownPersonality as error:
        raise WrongUse(error.message, "./voicefleet personalities list names them") from None
    except YamlError as error:
        return error.all
    return ()


def _good(store: Personalities, name: str) -> Loaded | LoadedSplit:
    try:
        return store.check(name)
    except UnknownPersonality as error:
        raise WrongUse(error.message, "./voicefleet personalities list names them") from None
    except YamlError as error:
        raise CommandError(str(error), f"./voicefleet personalities lint {name} names every mistake", code="broken") from None


def _listed(store: Personalities, name: str) -> dict[str, Any]:
    try:
        content = store.check(name).content
    except YamlError as error:
        return {"id": name, "name": "", "language": "", "speaks_by": "", "problem": str(error)}
    if isinstance(content, Split):
        arms = ", ".join(f"{arm} {weight}" for arm, weight in content.split.items())
        return {"id": name, "name": content.name, "language": "", "speaks_by": f"split: {arms}", "problem": None}
    parts = (content.components.stt, content.components.llm, content.components.tts)
    by = " / ".join(", ".join(item.provider for item in part) for part in parts)
    return {"id": name, "name": content.name, "language": content.language, "speaks_by": by, "problem": None}


def _row(error: YamlError) -> dict[str, Any]:
    return {
        "file": str(error.path), "line": error.line, "column": error.column or None, "field": error.field or None,
        "message": error.reason,
    }  # fmt: skip


def _flat(value: Any, prefix: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [row for name, inner in value.items() for row in _flat(inner, f"{prefix}.{name}".lstrip("."))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [row for index, inner in enumerate(value) for row in _flat(inner, f"{prefix}.{index}")]
    return [(prefix, ", ".join(value) if isinstance(value, list) else "" if value is None else value)]


def _read(name: str) -> str:
    """Return a file's text as it is, however broken; "" where there is none."""
    shelf, _, file = name.partition("/")
    folders = _Folders()
    path = (folders.agents_dir if shelf == "agents" else folders.prompts_dir) / file
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""


def _difference(name: str, old: str, new: str) -> list[str]:
    return list(difflib.unified_diff(old.splitlines(), new.splitlines(), f"last good {name}", name, lineterm=""))
