"""What a shell offers on Tab: the latest calls of a fleet that runs, the personalities of this folder. Silent about failures."""

import asyncio
from typing import Any

from config import Settings
from modules.command_line.api_client import ApiAddress, ApiClient
from modules.command_line.errors import CommandError

_LATEST = 20
_PATIENCE_S = 1.0


def call_ids(incomplete: str) -> list[tuple[str, str]]:
    """Return the latest calls' ids, each with where the call is."""
    calls = _ask().get("calls", [])
    return [(call["call_id"], call["status_text"]) for call in calls if call["call_id"].startswith(incomplete)]


def personalities(incomplete: str) -> list[str]:
    """Return the names of the files in agents/."""
    folder = Settings.model_fields["agents_dir"].default
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem.startswith(incomplete))


def _ask() -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        address = ApiAddress()
        async with asyncio.timeout(_PATIENCE_S), ApiClient(address.url, address.api_key.get_secret_value()) as api:
            return await api.calls(limit=_LATEST)

    try:
        return asyncio.run(ask())
    except (CommandError, TimeoutError, ValueError):
        return {}
