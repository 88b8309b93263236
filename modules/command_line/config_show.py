"""`config show`: every setting, its value with secrets hidden, and which name in which place gave it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from pydantic import SecretStr
from pydantic_settings import DotEnvSettingsSource

from config import Settings, load
from modules.command_line.options import AsJson
from modules.command_line.output import Output
from modules.fleet.plan import names_of

app = typer.Typer(help="What this fleet is configured to do.", no_args_is_help=True)
DEFAULT = "default"
# A URL may carry a password between "://" and "@".
_URLS = frozenset({"redis_url", "database_url", "livekit_url", "sip_api_url", "public_base_url", "openai_base_url"})


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting. `source` is the file or "environment" or "default"; `name` the variable that was read there."""

    setting: str
    value: Any
    source: str
    name: str
    description: str


@app.callback()
def config() -> None:
    """What this fleet is configured to do."""


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show every setting, its value with secrets hidden, and where it came from.

    Example: ./voicefleet config show
    """
    output = Output(as_json=as_json)
    found = shown(load(), os.environ, _files())
    if as_json:
        output.json({item.setting: _row(item) for item in found})
        return
    rows = [(item.setting.upper(), str(item.value), _origin(item), item.description) for item in found]
    output.table(("setting", "value", "from", "what it is"), rows)


def shown(settings: Settings, environment: Mapping[str, str], files: Mapping[str, Mapping[str, str | None]]) -> list[Shown]:
    """Return every setting as it is, with its origin. `files` are the env files by name, the stronger one last."""
    outer = {name.upper(): value for name, value in environment.items()}
    merged: dict[str, str] = {}
    for file, values in files.items():
        merged |= {name.upper(): file for name, value in values.items() if value}
    return [_shown(settings, setting, outer, merged) for setting in Settings.model_fields]


def redacted(setting: str, value: Any) -> Any:
    """Return a setting's value as it may be shown."""
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else ""
    if setting in _URLS and "@" in str(value):
        scheme, _, rest = str(value).partition("://")
        return f"{scheme}://(hidden)@{rest.rpartition('@')[2]}"
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    return str(value) if isinstance(value, Path) else value


def _shown(settings: Settings, setting: str, environment: Mapping[str, str], files: Mapping[str, str]) -> Shown:
    names = names_of(setting)
    source, won = DEFAULT, ""
    if found := next((name for name in names if environment.get(name)), None):
        source, won = "environment", found
    elif found := next((name for name in names if name in files), None):
        source, won = files[found], found
    description = Settings.model_fields[setting].description or ""
    return Shown(setting, redacted(setting, getattr(settings, setting)), source, won, description)


def _files() -> dict[str, Mapping[str, str | None]]:
    named = Settings.model_config.get("env_file") or ()
    paths = [named] if isinstance(named, str | Path) else list(named)
    return {str(path): DotEnvSettingsSource(Settings, env_file=path).env_vars for path in paths}


def _row(item: Shown) -> dict[str, Any]:
    return {"value": item.value, "source": item.source, "name": item.name or None, "description": item.description}


def _origin(item: Shown) -> str:
    return f"{item.source}: {item.name}" if item.name else item.source
