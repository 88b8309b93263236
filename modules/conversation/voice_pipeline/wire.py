"""How the caller's process and a worker talk: a line of JSON, then as many bytes as it announces. Both ways, over pipes."""

import asyncio
import json
from typing import Any

from pydantic import SecretStr

from config import Settings

Head = dict[str, Any]


async def send(writer: asyncio.StreamWriter, head: Head, body: bytes = b"") -> None:
    """Write one message."""
    writer.write(json.dumps(head | {"size": len(body)}).encode() + b"\n")
    writer.write(body)
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> tuple[Head, bytes] | None:
    """Return the next message, None where the other side has left. The reader's limit is the longest head."""
    line = await reader.readline()
    if not line.endswith(b"\n"):
        return None
    head: Head = json.loads(line)
    try:
        return head, await reader.readexactly(head.pop("size"))
    except asyncio.IncompleteReadError:
        return None


def settings_to_wire(settings: Settings) -> Head:
    """Return every setting as JSON, secrets in clear: for the pipe to our own child and nothing else."""
    plain = settings.model_dump(mode="json")
    secret = {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    return plain | secret


def settings_from_wire(values: Head) -> Settings:
    """Return the settings that were sent; neither the environment nor `.env` has a say."""
    return Settings(_env_file=None, **values)  # type: ignore[call-arg]  # pydantic-settings' own argument
