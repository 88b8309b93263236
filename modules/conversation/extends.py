"""`extends`: a personality takes from one other file what it does not say itself. Trees of nodes in, one tree out.

Fields are laid over each other one by one. Lists, variables and a component that names its provider replace the parent's as
a whole; numbers to answer are nobody else's. Every node knows the file it came from, so a mistake is told with the right one.
"""

import re
from pathlib import Path

import yaml
from rapidfuzz import process

from modules.conversation import inbound_numbers
from modules.conversation.personality import PARENT
from modules.conversation.split import is_split
from modules.conversation.texts import Texts
from modules.strict_yaml.nodes import YamlError, entry, parse

_MOST = 8
_EXTENDS = "extends"
_NOT_PASSED_ON = {_EXTENDS, inbound_numbers.FIELD}


def resolved(texts: Texts, personality_id: str, others: list[str]) -> tuple[yaml.MappingNode, list[str]]:
    """Return the tree of a personality with its ancestors laid under it, and all their names. Raises YamlError."""
    trees: list[yaml.MappingNode] = []
    line: list[str] = []
    name = personality_id
    while name:
        path = texts.path("agents", f"{name}.yaml")
        tree = parse(texts.text("agents", f"{name}.yaml"), path)
        if trees and is_split(tree):
            raise _wrong(trees[-1], texts.path("agents", f"{line[-1]}.yaml"), f"{name} is a split; extend a personality")
        trees.append(tree)
        line.append(name)
        name = _parent(tree, path, line, others)
    merged = trees.pop()
    while trees:
        merged = _laid_over(merged, trees.pop(), ())
    return merged, line


def _parent(tree: yaml.MappingNode, path: Path, line: list[str], others: list[str]) -> str:
    found = entry(tree, _EXTENDS)
    if found is None:
        return ""
    _, value = found
    name = value.value if isinstance(value, yaml.ScalarNode) else ""
    reason = ""
    if not isinstance(value, yaml.ScalarNode) or not re.fullmatch(PARENT, name):
        reason = "expected the name of one other file in agents/, without .yaml"
    elif name in line:
        reason = f"goes in a circle: {' -> '.join([*line, name])}"
    elif name not in others:
        near = process.extractOne(name, others, score_cutoff=60)
        reason = f"there is no {name}.yaml" + (f"; did you mean `{near[0]}`?" if near else "")
    elif len(line) >= _MOST:
        reason = f"is a line of more than {_MOST} files"
    if reason:
        raise _wrong(tree, path, reason)
    return name


def _wrong(tree: yaml.MappingNode, path: Path, reason: str) -> YamlError:
    key, value = entry(tree, _EXTENDS) or (tree, tree)
    mark = value.start_mark if isinstance(value, yaml.ScalarNode) else key.start_mark
    return YamlError(path, mark.line + 1, _EXTENDS, reason, column=mark.column + 1)


def _laid_over(under: yaml.MappingNode, over: yaml.MappingNode, place: tuple[str, ...]) -> yaml.MappingNode:
    pairs = []
    for key, value in over.value:
        below = entry(under, key.value)
        if below and _may_merge(value, below[1], (*place, key.value)):
            value = _laid_over(below[1], value, (*place, key.value))  # type: ignore[arg-type]  # _may_merge has looked
        pairs.append((key, value))
    said = {key.value for key, _ in over.value} | (set() if place else _NOT_PASSED_ON)
    pairs += [(key, value) for key, value in under.value if key.value not in said]
    return yaml.MappingNode(over.tag, pairs, over.start_mark, over.end_mark)


def _may_merge(over: yaml.Node, under: yaml.Node, place: tuple[str, ...]) -> bool:
    if not isinstance(over, yaml.MappingNode) or not isinstance(under, yaml.MappingNode):
        return False
    if place[0] == "variables" and len(place) == 2:
        return False
    return not (place[0] == "components" and len(place) == 2 and entry(over, "provider"))
