"""`personalities edit` and `save`: a running fleet's personality, changed through its API; nobody's edit is lost unseen."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from modules.command_line.api_client import ApiClient
from modules.command_line.completion import personalities as known_ids
from modules.command_line.errors import CommandError, Refused, WrongUse
from modules.command_line.options import ApiUrl, AsJson, client
from modules.command_line.output import Output, run

Named = Annotated[
    str, typer.Argument(metavar="ID", help="The file's name without .yaml.", autocompletion=known_ids, show_default=False)
]


def edit(personality_id: Named, as_json: AsJson = False, api_url: ApiUrl = "") -> None:
    """Open a fleet's personality in your editor ($EDITOR) and save it there; the next call uses it.

    What has mistakes is not saved: they are named and you may go on editing. Needs a key with the scope personalities:write.

    Example: ./voicefleet personalities edit local_demo
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        async with client(api_url) as api:
            before, etag = await api.personality(personality_id)
            draft = _draft(personality_id, before)
            while (text := _edited(draft)) != before:
                try:
                    await api.save_personality(personality_id, text, etag)
                except CommandError as error:
                    _ask_again(error, draft, output)
                else:
                    _saved(personality_id, output)
                    break
            else:
                output.say("nothing was changed", "")
        draft.unlink(missing_ok=True)

    run(work(), output)


def save(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A YAML; its name is the personality's id.", show_default=False)],
    as_json: AsJson = False,
    api_url: ApiUrl = "",
) -> None:
    """Send a file to a fleet as one of its personalities, in place of the one it has by that name or as a new one.

    Example: ./voicefleet personalities save agents/local_demo.yaml
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUse(f"{file} cannot be read: {error}", "name a YAML file") from None
        async with client(api_url) as api:
            try:
                await api.save_personality(file.stem, text, await _etag(api, file.stem))
            except Refused as error:
                _tell(error, output)
                raise
        _saved(file.stem, output)

    run(work(), output)


def _saved(personality_id: str, output: Output) -> None:
    if output.as_json:
        output.json({"id": personality_id, "saved": True})
    else:
        output.line(f"{personality_id} is saved; the next call uses it")


async def _etag(api: ApiClient, personality_id: str) -> str:
    """Return the version that the fleet has, "" where it has none."""
    try:
        return (await api.personality(personality_id))[1]
    except Refused as error:
        if error.status != 404:
            raise
        return ""


def _draft(personality_id: str, text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=f"{personality_id}-", suffix=".yaml")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _edited(draft: Path) -> str:
    """Let the person edit; return the text when their editor is closed."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ("notepad" if sys.platform == "win32" else "vi")
    try:
        subprocess.run([*shlex.split(editor), str(draft)], check=True)
        return draft.read_text("utf-8")
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise CommandError(f"the editor {editor} failed: {error}", f"set EDITOR; your text is in {draft}") from None


def _ask_again(error: CommandError, draft: Path, output: Output) -> None:
    """Return where the person wants to go on editing; raise otherwise. The text stays in its file."""
    if isinstance(error, Refused) and error.code == "broken_edit":
        _tell(error, output)
        if typer.confirm("It was not saved. Edit again?", default=True, err=True):
            return
    raise CommandError(error.message, f"your text is in {draft}", code=error.code) from error


def _tell(error: Refused, output: Output) -> None:
    for found in error.errors:
        place = ":".join(str(part) for part in (found.get("file"), found.get("line"), found.get("column")) if part)
        output.say(": ".join(str(part) for part in (place, found.get("field"), found.get("message")) if part), "red")
