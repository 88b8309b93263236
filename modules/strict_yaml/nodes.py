"""YAML text becomes a tree of nodes that know file, line and column, under limits that hold before anything is built.

The language is the small one people mean: no tags, anchors or aliases, no date or "yes/no" magic; true and false are the only
truth values. What the fields of a tree mean is not known here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

DEEPEST = 16
MOST = 4000
_TOO_DEEP = f"is nested more than {DEEPEST} deep"
_STR = "tag:yaml.org,2002:str"
_RESOLVED = (
    ("tag:yaml.org,2002:null", re.compile(r"~|null|Null|NULL|"), ("~", "n", "N", "")),
    ("tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), tuple("tTfF")),
    ("tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]{0,17})"), tuple("-+0123456789")),
    ("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{1,17}"), tuple("-+0123456789")),
)


class YamlError(ValueError):
    """A file of ours cannot be used as it is; the message says where and why. `more` are the other mistakes in it."""

    def __init__(self, path: Path, line: int, field: str, reason: str, *, column: int = 0) -> None:
        place = f"{path}:{line}:{column}" if column else f"{path}:{line}"
        super().__init__(f"{place}: {field}: {reason}" if field else f"{place}: {reason}")
        self.path, self.line, self.column, self.field, self.reason = path, line, column, field, reason
        self.more: tuple[YamlError, ...] = ()

    @property
    def all(self) -> "tuple[YamlError, ...]":
        """This mistake and the others, in the order of the file."""
        return tuple(sorted((self, *self.more), key=lambda error: (str(error.path), error.line, error.column)))


class _Resolver(BaseResolver):
    pass


for _tag, _pattern, _first in _RESOLVED:
    _Resolver.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern.pattern})$"), list(_first))


class _Loader(Reader, Scanner, Parser, Composer, SafeConstructor, _Resolver):
    def __init__(self, text: str, path: Path) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        _Resolver.__init__(self)
        self.name = str(path)
        self._path = path
        self._field: list[str] = []
        self._depth = self._count = 0
        self._seen: dict[int, dict[str, int]] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node under the limits. `index` is a value's key, an item's number, and None for a key itself."""
        self._depth += 1
        self._count += 1
        self._refuse_magic(self.peek_event())  # type: ignore[no-untyped-call]
        is_key = isinstance(parent, yaml.MappingNode) and index is None
        if not is_key:
            self._field.append(index.value if isinstance(index, yaml.ScalarNode) else "" if index is None else str(index))
        found: yaml.Node | None = super().compose_node(parent, index)
        if is_key:
            self._refuse_key(id(parent), found)
        else:
            self._field.pop()
        self._depth -= 1
        return found

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Look at the depth where the brackets are read: reading a long row of them is what takes time."""
        if self.flow_level >= DEEPEST:
            raise _at(self._path, self.get_mark(), _TOO_DEEP)
        super().fetch_flow_collection_start(token)

    def _refuse_magic(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._wrong(event, "anchors and aliases (& and *) are not used here; write it out")
        if getattr(event, "tag", None):
            raise self._wrong(event, f"tags are not used here, and this is one: {event.tag[:60]}")
        if self._depth > DEEPEST:
            raise self._wrong(event, _TOO_DEEP, field=False)
        if self._count > MOST:
            raise self._wrong(event, f"holds more than {MOST} values", field=False)

    def _refuse_key(self, mapping: int, key: yaml.Node | None) -> None:
        """YAML keeps the last of two equal keys without a word; a person who wrote both meant both."""
        if not isinstance(key, yaml.ScalarNode) or key.tag != _STR:
            raise self._wrong(key, "a field's name is a word; put this one in quotes")
        seen = self._seen.setdefault(mapping, {})
        if key.value in seen:
            self._field.append(key.value)
            raise self._wrong(key, f"is written twice, first in line {seen[key.value]}")
        seen[key.value] = key.start_mark.line + 1

    def _wrong(self, at: Any, reason: str, *, field: bool = True) -> YamlError:
        return _at(self._path, at.start_mark, reason, ".".join(self._field[1:]) if field else "")


def parse(text: str, path: Path) -> yaml.MappingNode:
    """Return the root of a document of `field: value` lines. Raises YamlError."""
    try:
        node = _Loader(text, path).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _at(path, mark, f"is not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(path, line, "", f"holds a character that no YAML may hold (U+{_code(error):04X})") from None
    if not isinstance(node, yaml.MappingNode):
        raise YamlError(path, 1, "", "must be a list of `field: value` lines")
    return node


def plain(node: yaml.Node) -> Any:
    """Return what a node says as dict, list, text, number, truth value or None."""
    match node:
        case yaml.MappingNode():
            return {key.value: plain(value) for key, value in node.value}
        case yaml.SequenceNode():
            return [plain(item) for item in node.value]
    return _scalar(node.tag.rpartition(":")[2], node.value)


def entry(node: yaml.Node, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return a key of a mapping and its value."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next(((found, value) for found, value in pairs if found.value == key), None)


def walk(node: yaml.Node, location: tuple[int | str, ...]) -> Iterator[tuple[int | str, yaml.Node, yaml.Node]]:
    """Yield (part, the node that shows it, its value) along `location`, for as long as it is in the file.

    An index into something that is no list is skipped: a single item may stand where a list is meant.
    """
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            shown = node = node.value[part]
        elif isinstance(part, int):
            continue
        elif found := entry(node, part):
            shown, node = found
        else:
            return
        yield part, shown, node


def _scalar(kind: str, text: str) -> Any:
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
    return text


def _at(path: Path, mark: Any, reason: str, field: str = "") -> YamlError:
    return YamlError(path, mark.line + 1 if mark else 1, field, reason, column=mark.column + 1 if mark else 0)


def _code(error: yaml.reader.ReaderError) -> int:
    return error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
