"""`keys`: API keys, through the API. A new key is printed once; nobody can show it again."""

from datetime import datetime
from typing import Annotated, Any

import typer

from modules.command_line.options import ApiUrl, AsJson, client
from modules.command_line.output import Output, run

app = typer.Typer(help="API keys: who may do what.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """API keys: who may do what."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For whom or what it is.", show_default=False)],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="calls:write, calls:read, personalities:write, recordings:read or admin; repeatable."),
    ] = None,
    expires_at: Annotated[datetime | None, typer.Option(help="When it stops working (local time).", show_default=False)] = None,
    as_json: AsJson = False,
    api_url: ApiUrl = "",
) -> None:
    """Make a key; without --scope it may read calls only. It is printed this once.

    Example: ./voicefleet keys create crm --scope calls:write --scope calls:read
    """
    output = Output(as_json=as_json)
    body: dict[str, Any] = {"name": name, "scopes": scope or ["calls:read"]}
    body |= {"expires_at": expires_at.astimezone().isoformat()} if expires_at else {}

    async def work() -> None:
        async with client(api_url) as api:
            made = await api.make_key(body)
        if as_json:
            output.json(made)
        else:
            output.line(made["key"])
            output.say("keep it; it cannot be shown again", "")

    run(work(), output)


@app.command("list")
def list_keys(as_json: AsJson = False, api_url: ApiUrl = "") -> None:
    """List the keys, revoked ones too; never the keys themselves.

    Example: ./voicefleet keys list
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        async with client(api_url) as api:
            found = await api.keys()
        if as_json:
            output.json(found)
            return
        rows = [(key["id"], key["name"], " ".join(key["scopes"]), _state(key)) for key in found["keys"]]
        output.table(("id", "name", "scopes", "state"), rows)

    run(work(), output)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.", show_default=False)],
    as_json: AsJson = False,
    api_url: ApiUrl = "",
) -> None:
    """Close a key for good.

    Example: ./voicefleet keys revoke key_0a1b2c3d
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        async with client(api_url) as api:
            closed = await api.revoke_key(key_id)
        if as_json:
            output.json(closed or {"id": key_id, "revoked": True})
        else:
            output.line(f"{key_id} is revoked")

    run(work(), output)


def _state(key: dict[str, Any]) -> str:
    if key.get("revoked_at"):
        return "revoked"
    return f"until {key['expires_at']}" if key.get("expires_at") else "open"
