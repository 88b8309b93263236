"""Prompts: prose in Markdown files, with declared variables. prompts.yaml is the index; no prompt text lives in Python.

Jinja2, sandboxed and strict. A prompt is looked through when it is loaded: what it includes, which variables it uses, which
filters. What is missing then is a value, and that fails when the call is accepted, never while it is spoken.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, meta, nodes
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, RootModel

from modules.calls.errors import InvalidField
from modules.conversation.texts import Texts
from modules.strict_yaml import model_of
from modules.strict_yaml.mistakes import near
from modules.strict_yaml.nodes import YamlError, parse

INDEX = "prompts.yaml"
DEEPEST = 4
_FOREIGN = (nodes.Import, nodes.FromImport, nodes.Extends)
_BROKEN = (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)


class Entry(BaseModel):
    """One prompt of prompts.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(
        pattern=r"^[a-z0-9_-]{1,64}\.md$", title="a file name of small letters, digits, _ and -, with .md",
        description="The Markdown file next to prompts.yaml.",
    )  # fmt: skip
    variables: list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]] = Field(
        default=[], max_length=64, description="The variables its text may use, those of included prompts aside."
    )
    notes: str = Field(default="", max_length=2000, description="For the next person who edits it.")


class Index(RootModel[dict[Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")], Entry]]):
    """prompts.yaml: one entry per prompt, by its key."""


class PromptBook:
    """The prompts of one set of texts. What was read once stays as it was read."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._path = texts.path("prompts", INDEX)
        root = parse(texts.text("prompts", INDEX), self._path)
        self.entries: dict[str, Entry] = model_of(root, self._path, Index).root
        self._trees: dict[str, nodes.Template] = {}
        self._jinja = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, loader=FunctionLoader(self.text))

    def text(self, key: str) -> str:
        """Return a prompt as it is written. Raises YamlError."""
        if key not in self.entries:
            hint = near(key, list(self.entries)) or f"; there is {', '.join(sorted(self.entries))}"
            raise YamlError(self._path, 1, key, f"there is no such prompt{hint}")
        return self._texts.text("prompts", self.entries[key].file)

    def needs(self, key: str) -> frozenset[str]:
        """Return the variables that a prompt uses, with all it includes. Raises YamlError for whatever cannot be used in it."""
        return frozenset(name for page in self.pages(key) for name in self.entries[page].variables if name in self._used(page))

    def pages(self, key: str, above: tuple[str, ...] = ()) -> list[str]:
        """Return the keys of a prompt and of all it includes. Raises YamlError."""
        if key in above:
            raise YamlError(self._file(above[-1]), 1, "", f"includes itself: {' -> '.join([*above, key])}")
        if len(above) > DEEPEST:
            raise YamlError(self._file(key), 1, "", f"is included more than {DEEPEST} deep: {' -> '.join([*above, key])}")
        self._check(key)
        found = [key]
        for included in self._included(key):
            found += [page for page in self.pages(included, (*above, key)) if page not in found]
        return found

    def render(self, key: str, values: Mapping[str, object]) -> str:
        """Return a prompt with its variables filled in. Raises InvalidField for a missing one, YamlError for a broken file."""
        missing = sorted(self.needs(key) - set(values))
        if missing:
            raise _missing(self.entries[key].file, missing[0])
        return self._filled(self.text(key), values, self.entries[key].file)

    def fill(self, text: str, values: Mapping[str, object], *, where: str) -> str:
        """Return a template's text with its variables filled in. Raises InvalidField naming the variable that is missing."""
        missing = sorted(self.names_in(text, Path(where)) - set(values))
        if missing:
            raise _missing(where, missing[0])
        return self._filled(text, values, where)

    def names_in(self, text: str, path: Path, line: int = 1, field: str = "") -> set[str]:
        """Return the variables of a template that is in no book. Raises YamlError; `line` and `field` say where it begins."""
        tree = self._tree(text, path, line, field)
        if found := next(tree.find_all((nodes.Include, *_FOREIGN)), None):
            raise YamlError(path, line + found.lineno - 1, field, "includes belong into prompts")
        return meta.find_undeclared_variables(tree)

    def _filled(self, text: str, values: Mapping[str, object], where: str) -> str:
        try:
            return self._jinja.from_string(text).render(dict(values)).strip()
        except _BROKEN as error:
            raise InvalidField(f"{where} cannot be filled in: {error}", field="variables") from None

    def _check(self, key: str) -> None:
        tree, path = self._page(key), self._file(key)
        for found in tree.find_all(_FOREIGN):
            raise YamlError(path, found.lineno, "", 'only {% include "key" %} brings in another prompt')
        for include in tree.find_all(nodes.Include):
            name = include.template.value if isinstance(include.template, nodes.Const) else None
            if not isinstance(name, str) or include.ignore_missing:
                raise YamlError(path, include.lineno, "", 'an include names one prompt: {% include "key" %}')
            if name not in self.entries:
                raise YamlError(path, include.lineno, name, f"there is no such prompt in {INDEX}{near(name, list(self.entries))}")
        declared = self.entries[key].variables
        for name in sorted(self._used(key) - set(declared)):
            lines = [found.lineno for found in tree.find_all(nodes.Name) if found.name == name]
            reason = f"is used but not declared under {key} in {INDEX}{near(name, declared)}"
            raise YamlError(path, min(lines, default=1), name, reason)

    def _included(self, key: str) -> list[str]:
        found = [include.template for include in self._page(key).find_all(nodes.Include)]
        return list(dict.fromkeys(str(template.value) for template in found if isinstance(template, nodes.Const)))

    def _used(self, key: str) -> set[str]:
        return meta.find_undeclared_variables(self._page(key))

    def _page(self, key: str) -> nodes.Template:
        if key not in self._trees:
            self._trees[key] = self._tree(self.text(key), self._file(key))
        return self._trees[key]

    def _file(self, key: str) -> Path:
        return self._texts.path("prompts", self.entries[key].file)

    def _tree(self, text: str, path: Path, line: int = 1, field: str = "") -> nodes.Template:
        try:
            tree = self._jinja.parse(text)
            for found in tree.find_all((nodes.Filter, nodes.Test)):
                word, known = ("filter", self._jinja.filters) if isinstance(found, nodes.Filter) else ("test", self._jinja.tests)
                if found.name not in known:
                    reason = f"there is no {word} '{found.name}'{near(found.name, list(known))}"
                    raise YamlError(path, line + found.lineno - 1, field, reason)
            meta.find_undeclared_variables(tree)
        except TemplateError as error:
            at = line + int(getattr(error, "lineno", None) or 1) - 1
            raise YamlError(path, at, field, f"is not a Jinja2 template: {error.message}") from None
        except RecursionError:
            raise YamlError(path, line, field, "is nested too deeply") from None
        return tree


def _missing(where: str, name: str) -> InvalidField:
    return InvalidField(f"{where} needs the variable '{name}'.", field=f"variables.{name}")
