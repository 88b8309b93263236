"""What is examined: settings, the folder with the compose file, and ways to ask the parts. Everything here only reads."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import yaml
from livekit import api

from config import Settings
from modules.call_queue_manager import Worker
from modules.sip_management import Trunk, configured

_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """One fleet, as seen from this machine."""

    settings: Settings
    folder: Path
    """Where docker-compose.yaml is."""
    lkapi: api.LiveKitAPI
    http: httpx2.AsyncClient
    workers: Callable[[], Awaitable[list[Worker]]]
    twilio: Callable[[], AbstractAsyncContextManager[Any]] | None = None
    """Opens Twilio's client, where an account is configured."""
    callee: str = ""
    """A number somebody wants to call, E.164; some checks need one."""

    @property
    def trunks(self) -> list[Trunk]:
        """The ways to real phones: everything but the simulated trunk. Raises TrunksUnusable."""
        return [trunk for trunk in configured(self.settings).values() if not trunk.simulated]

    def service(self, name: str) -> dict[str, Any]:
        """Return a service of docker-compose.yaml; {} where there is none."""
        found = _compose(self.folder).get("services", {}).get(name, {})
        return found if isinstance(found, dict) else {}


@cache
def _compose(folder: Path) -> dict[str, Any]:
    path = folder / "docker-compose.yaml"
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return {}
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
