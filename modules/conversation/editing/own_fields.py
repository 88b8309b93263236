"""New values in a YAML text that people also edit: its comments, its order and its spelling stay wherever nothing changes.

ruamel writes the fields that change; all others stay letter by letter as they were. A comment of its own line belongs to the
field below it, and goes only when that field goes.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    changed = {name for name in wanted if name not in known or not _same(known[name], wanted[name])}
    return _spliced(text, _with_comments(text.splitlines(), written.getvalue().splitlines()), path, changed)


def _lay(node: CommentedMap, known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in [key for key in node if key not in wanted]:
        del node[key]
    for key, value in wanted.items():
        old = known.get(key)
        if key in node and isinstance(value, Mapping) and isinstance(old, Mapping):
            _lay(node[key], old, value)
        elif key not in node or not _same(old, value):
            node[key] = value


def _same(old: Any, new: Any) -> bool:
    """Whether two values are written alike: 1, 1.0 and true are equal to Python only."""
    return json.dumps(old) == json.dumps(new)


def _spliced(old: str, new: str, path: Path, changed: set[str]) -> str:
    """Return the old text with the changed fields as the new one has them."""
    before, after = _Pieces.of(old, path), _Pieces.of(new, path)
    if before is None or after is None:
        return new
    first = next(iter(before.bodies))
    lines = [] if first in after.bodies else list(before.above[first])  # the head of the file
    for name, body in after.bodies.items():
        lines += before.above.get(name, [])
        lines += body if name in changed else before.bodies[name]
    return "\n".join([*lines, *before.tail]) + "\n"


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A text cut at its outermost fields: the comment and empty lines above each, its own lines, and what comes after all."""

    above: dict[str, list[str]]
    bodies: dict[str, list[str]]
    tail: list[str]

    @classmethod
    def of(cls, text: str, path: Path) -> "_Pieces | None":
        """Return the pieces of a text; None where its fields do not each begin a line."""
        if not text.strip():
            return None
        keys = [key for key, _ in parse(text, path).value]
        if not keys or any(key.start_mark.column for key in keys):
            return None
        lines = text.splitlines()
        starts = [key.start_mark.line for key in keys]
        ends = [_end(lines, start, after) for start, after in zip(starts, [*starts[1:], len(lines)], strict=True)]
        names = [key.value for key in keys]
        return cls(
            above={name: lines[end:start] for name, end, start in zip(names, [0, *ends], starts, strict=False)},
            bodies={name: lines[start:end] for name, start, end in zip(names, starts, ends, strict=True)},
            tail=lines[ends[-1] :],
        )


def _end(lines: list[str], start: int, after: int) -> int:
    """Return where a field's own lines end: the comments that begin a line, and empty lines, belong to what is below."""
    while after > start + 1 and (not lines[after - 1].strip() or lines[after - 1].startswith("#")):
        after -= 1
    return after


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
