"""New values in a YAML text that people also edit: its comments, its order and its spelling stay wherever nothing changes.

A comment of its own line belongs to the field below it, and goes only when that field goes.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.util import load_yaml_guess_indent

from modules.strict_yaml.nodes import parse, plain

_WIDE = 128


def fields(text: str, path: Path) -> dict[str, Any]:
    """Return what a text says, as it says it. Raises YamlError."""
    found: dict[str, Any] = plain(parse(text, path))
    return found


def with_fields(text: str, path: Path, wanted: Mapping[str, Any]) -> str:
    """Return `text` with exactly the fields of `wanted`. Raises YamlError where `text` itself cannot be read."""
    language = YAML()
    language.preserve_quotes = True
    language.width = _WIDE
    if not text.strip():
        document, known = CommentedMap(), {}
    else:
        known = fields(text, path)
        document, indent, offset = load_yaml_guess_indent(text, yaml=language)
        if offset:
            language.indent(mapping=2, sequence=indent, offset=offset)
    _lay(document, known, wanted)
    written = io.StringIO()
    language.dump(document, written)
    return _with_comments(text.splitlines(), written.getvalue().splitlines())


def _lay(node: CommentedMap, known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in [key for key in node if key not in wanted]:
        del node[key]
    for key, value in wanted.items():
        old = known.get(key)
        if key in node and isinstance(value, Mapping) and isinstance(old, Mapping):
            _lay(node[key], old, value)
        elif key not in node or type(old) is not type(value) or old != value:
            node[key] = value


def _with_comments(old: list[str], new: list[str]) -> str:
    """Put comments back that ruamel has thrown away: it keeps one with the field above it, and drops it with that field."""
    for comment, field in _comments(old):
        if "\n".join(comment) not in "\n".join(new):
            below = [index for index, line in enumerate(new) if field and line.startswith(field)]
            if below:
                new[below[0] : below[0]] = comment
    return "\n".join(new) + "\n"


def _comments(lines: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yield each block of comment and empty lines with the beginning of the line below it, up to the field's colon."""
    block: list[str] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            block.append(line)
        else:
            if any(block):
                yield block, line.partition(":")[0] + ":"
            block = []
