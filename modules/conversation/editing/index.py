"""prompts.yaml with one entry changed: the others, their comments and their order stay as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.conversation.editing.own_fields import fields, with_fields
from modules.conversation.prompt_book import Entry


def with_entry(text: str, path: Path, key: str, entry: Entry) -> str:
    """Return the index with this entry, which goes to the end if it is new. Raises YamlError."""
    known = fields(text, path) if text.strip() else {}
    old = known.get(key)
    told = entry.model_dump()
    # An entry says only what it has to say, unless it said so before.
    said = {name: value for name, value in told.items() if value or (isinstance(old, Mapping) and name in old)}
    return with_fields(text, path, known | {key: said})


def without_entry(text: str, path: Path, key: str) -> str:
    """Return the index without this entry. Raises YamlError."""
    known: dict[str, Any] = fields(text, path)
    return with_fields(text, path, {name: value for name, value in known.items() if name != key})
