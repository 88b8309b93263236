"""`providers list`: which vendors a personality may name here. Never the value of a key, only whether there is one."""

from typing import Any

import typer

from config import Settings, load
from modules.command_line.options import AsJson
from modules.command_line.output import Output
from modules.conversation.vendors import KINDS, VENDORS, Vendor, how_to_install, keys_present

app = typer.Typer(help="The vendors that hear, think and speak.", no_args_is_help=True)


@app.callback()
def providers() -> None:
    """The vendors that hear, think and speak."""


@app.command("list")
def list_providers(as_json: AsJson = False) -> None:
    """List the vendors, whether each is installed, and which of its settings are there.

    Example: ./voicefleet providers list
    """
    output = Output(as_json=as_json)
    settings = load()
    found = [row(vendor, settings) for vendor in VENDORS]
    if as_json:
        output.json({"providers": found})
        return
    for kind, title in KINDS.items():
        output.line(f"{title} ({kind})", "bold")
        output.table(("provider", "what it is", "state"), [_cells(one) for one in found if one["kind"] == kind])


def row(vendor: Vendor, settings: Settings) -> dict[str, Any]:
    """Return what is known of a vendor on this machine."""
    keys = keys_present(vendor, settings)
    return {
        "kind": vendor.kind,
        "provider": vendor.name,
        "title": vendor.title,
        "installed": vendor.installed,
        "install": None if vendor.installed else how_to_install(vendor),
        "settings": keys,
        "ready": vendor.installed and all(keys.values()),
        "model": vendor.model or None,
        "voice": vendor.voice or None,
        "takes_base_url": bool(vendor.hosts),
    }


def _cells(found: dict[str, Any]) -> tuple[str, str, str]:
    missing = [name for name, there in found["settings"].items() if not there]
    state = "ready" if found["ready"] else found["install"] or f"set {', '.join(missing)} in .env"
    return found["provider"], found["title"], state
