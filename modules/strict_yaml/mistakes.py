"""What is wrong with a file, in the words of the person who wrote it: place, field, what was expected, the nearest valid word."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo
from rapidfuzz import fuzz, process

from modules.strict_yaml.nodes import YamlError, plain, walk

_NEAR = 60
_LISTED = 40
_TEXT = 40
_BAD_NAME = "a name here is letters, digits and _, without a digit in front"
_WRAPPERS = ("function-", "list[", "dict[", "nullable", "lax-or-strict", "json-or-python")


def mistakes(path: Path, root: yaml.Node, model: type[BaseModel], problems: list[Any]) -> YamlError:
    """Return pydantic's `problems` as one error that holds the others. A misspelt field comes before the one it then misses."""
    found = [_mistake(path, root, model, problem) for problem in problems]
    misspelt = [problem["type"] != "extra_forbidden" for problem in problems]
    first = found[min(range(len(found)), key=lambda index: misspelt[index])]
    first.more = tuple(other for other in found if other is not first)
    return first


def near(word: str, words: list[str]) -> str:
    """Return "; did you mean `x`?" for the nearest of `words`, else ""."""
    found = process.extractOne(word, words, scorer=fuzz.ratio, score_cutoff=_NEAR)
    return f"; did you mean `{found[0]}`?" if found else ""


def _mistake(path: Path, root: yaml.Node, model: type[BaseModel], problem: dict[str, Any]) -> YamlError:
    location = tuple(part for part in problem["loc"] if isinstance(part, int) or not part.startswith(_WRAPPERS))
    if location[-1:] == ("[key]",):
        location, problem = location[:-1], problem | {"type": "value_error", "msg": _BAD_NAME}
    shown: yaml.Node = root
    value: yaml.Node | None = root
    named: list[str] = []
    for part, key, inner in walk(root, location):
        named.append(str(part))
        shown, value = key, inner
    steps = [part for part in location if isinstance(part, str) or str(part) in named]
    missing = len(named) < len(steps)
    field = ".".join([*named, *(str(part) for part in steps[len(named) :])])
    reason = _reason(problem, model, location, None if missing else value)
    wrong_value = isinstance(value, yaml.ScalarNode) and value.value and problem["type"] not in ("extra_forbidden", "missing")
    mark = value.start_mark if value and wrong_value and not missing else shown.start_mark
    column = 0 if missing and shown is root else mark.column + 1
    return YamlError(Path(mark.name) if mark.name else path, mark.line + 1, field, reason, column=column)


def _reason(problem: dict[str, Any], model: type[BaseModel], location: tuple[int | str, ...], value: yaml.Node | None) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    match kind:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return _no_such_field(model, location)
        case "value_error" | "assertion_error":
            return str(problem["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
        case "literal_error" | "enum":
            words = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
            found = plain(value) if value else None
            hint = near(found, words) if isinstance(found, str) else ""
            return f"expected one of {', '.join(repr(word) for word in words)}, found {_said(value)}{hint}"
        case "string_pattern_mismatch":
            info = _field_at(model, location)
            form = info.title if info and info.title else f"text of the form {context['pattern']}"
            return f"expected {form}, found {_said(value)}"
    return f"expected {_expected(kind, context, problem['msg'])}, found {_said(value)}{_quote(kind, value)}"


def _expected(kind: str, context: dict[str, Any], message: str) -> str:
    bounds = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le"),
              "greater_than": ("more than", "gt"), "less_than": ("less than", "lt")}  # fmt: skip
    if kind in bounds:
        words, key = bounds[kind]
        return f"{words} {context[key]:g}"
    if kind in ("too_short", "too_long"):
        count = int(context.get("min_length") or context["max_length"])
        return f"at {'least' if kind == 'too_short' else 'most'} {count} {'entries' if count > 1 else 'entry'}"
    if kind in ("string_too_short", "string_too_long"):
        short = kind == "string_too_short"
        count = context["min_length" if short else "max_length"]
        return f"at {'least' if short else 'most'} {count} character{'s' if count > 1 else ''}"
    plain_words = {
        "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
        "bool_type": "true or false", "list_type": "a list", "dict_type": "`name: value` lines",
        "model_type": "`field: value` lines", "model_attributes_type": "`field: value` lines", "finite_number": "a finite number",
    }  # fmt: skip
    return plain_words.get(kind, message[:1].lower() + message[1:])


def _said(node: yaml.Node | None) -> str:
    match plain(node) if node else None:
        case None:
            return "nothing"
        case bool() as truth:
            return str(truth).lower()
        case dict():
            return "`field: value` lines"
        case list():
            return f"a list of {len(plain(node))}" if node and node.value else "an empty list"
        case str() as text:
            return f"'{text}'" if len(text) <= _TEXT else f"a text of {len(text)} characters"
        case number:
            return str(number)


def _quote(kind: str, value: yaml.Node | None) -> str:
    return "; put it in quotes" if kind == "string_type" and isinstance(value, yaml.ScalarNode) and value.value else ""


def _no_such_field(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    word = str(location[-1])
    here = _model_at(model, location[:-1])
    fields = list(here.model_fields) if here else []
    elsewhere = sorted(where for where, name in _everywhere(model, "") if name == word)
    if elsewhere:
        place = f"under `{elsewhere[0]}`" if elsewhere[0] else "to the left, as a field of its own"
        return f"no such field here; it belongs {place}"
    if hint := near(word, fields):
        return f"no such field{hint}"
    return f"no such field; there are {', '.join(fields[:_LISTED])}" if fields else "no such field"


def _model_at(model: type[BaseModel] | None, location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that `location` leads to, through lists and maps."""
    for part in location:
        if model is None:
            return None
        if isinstance(part, int):
            continue
        if issubclass(model, RootModel):  # a map of models; the part is a key of it
            model = next(iter(_models_in(model.model_fields["root"].annotation)), None)
        elif part in model.model_fields:
            inner = _models_in(model.model_fields[part].annotation)
            model = inner[0] if inner else None
    return model


def _field_at(model: type[BaseModel], location: tuple[int | str, ...]) -> FieldInfo | None:
    names = [part for part in location if isinstance(part, str)]
    holder = _model_at(model, tuple(names[:-1])) if names else None
    return holder.model_fields.get(names[-1]) if holder else None


def _everywhere(model: type[BaseModel], prefix: str, seen: frozenset[type[BaseModel]] = frozenset()) -> Iterator[tuple[str, str]]:
    """Every (dotted place, field name) of a model and of the models inside it."""
    for name, info in model.model_fields.items():
        yield prefix, name
        for inner in _models_in(info.annotation):
            if inner not in seen:
                yield from _everywhere(inner, f"{prefix}.{name}".lstrip("."), seen | {model})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _models_in(part)]
