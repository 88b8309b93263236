"""The prompt book: includes by key, circles, and what a prompt may use; a mistake is told with file and line."""

from pathlib import Path

import pytest

from modules.calls.errors import InvalidField
from modules.conversation.prompt_book import PromptBook
from modules.conversation.texts import Folders
from modules.strict_yaml import YamlError

pytestmark = pytest.mark.unit


def book(folder: Path, index: str = "a: {file: a.md}\nb: {file: b.md, variables: [who]}\n", **pages: str) -> PromptBook:
    (folder / "prompts.yaml").write_text(index)
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text)
    return PromptBook(Folders(folder, folder))


def test_a_prompt_includes_another(tmp_path: Path) -> None:
    """What one prompt needs, those that include it need as well."""
    prompts = book(tmp_path, a="One. {% include 'b' %}", b="Two for {{ who }}.")
    assert prompts.needs("a") == {"who"}
    assert prompts.render("a", {"who": "Ada"}) == "One. Two for Ada."
    with pytest.raises(InvalidField) as error:
        prompts.render("a", {})
    assert error.value.field == "variables.who"


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ({"a": "x\n{% include 'c' %}"}, "a.md:2: c: there is no such prompt in prompts.yaml"),
        ({"a": "{% include '../../etc/passwd' %}"}, "a.md:1: ../../etc/passwd: there is no such prompt in prompts.yaml"),
        ({"a": "{% include name %}"}, 'a.md:1: an include names one prompt: {% include "key" %}'),
        ({"a": "{% include ['b'] %}"}, 'a.md:1: an include names one prompt: {% include "key" %}'),
        ({"a": "{% extends 'b' %}"}, 'a.md:1: only {% include "key" %} brings in another prompt'),
        ({"a": "{% import 'b' as b %}"}, 'a.md:1: only {% include "key" %} brings in another prompt'),
        ({"a": "{% include 'b' %}", "b": "{% include 'a' %}"}, "b.md:1: includes itself: a -> b -> a"),
        ({"a": "x\nx {{ who }}"}, "a.md:2: who: is used but not declared under a in prompts.yaml"),
        ({"a": "{{ 'x' | shout }}"}, "a.md:1: there is no filter 'shout'; did you mean `sort`?"),
        ({"a": "{% if x is evn %}{% endif %}"}, "a.md:1: there is no test 'evn'; did you mean `even`?"),
        ({"a": "x\n{% for %}"}, "a.md:2: is not a Jinja2 template: Expected an expression, got 'end of statement block'"),
        ({"a": "x" * 70_000}, "a.md:1: has more than 64 KiB"),
    ],
)
def test_a_mistake_in_a_prompt_is_found_when_it_is_loaded(tmp_path: Path, pages: dict[str, str], message: str) -> None:
    """I am told where it is before anybody is called."""
    with pytest.raises(YamlError) as error:
        book(tmp_path, **({"b": "Two."} | pages)).needs("a")
    assert str(error.value).removeprefix(f"{tmp_path}/") == message


@pytest.mark.parametrize(
    ("index", "message"),
    [  # fmt: skip
        ("a: {file: ../a.md}",
         "prompts.yaml:1:11: a.file: expected a file name of small letters, digits, _ and -, with .md, found '../a.md'"),
        ("a: {file: a.md, variables: [who, 2]}", "prompts.yaml:1:34: a.variables.1: expected text, found 2; put it in quotes"),
        ("a: {fil: a.md}", "prompts.yaml:1:5: a.fil: no such field; did you mean `file`?"),
        ("a: a.md", "prompts.yaml:1:4: a: expected `field: value` lines, found 'a.md'"),
        ("a: {file: a.md}\na: {file: b.md}", "prompts.yaml:2:1: a: is written twice, first in line 1"),
    ],
)
def test_a_mistake_in_the_index_is_named(tmp_path: Path, index: str, message: str) -> None:
    """prompts.yaml is as strict as a personality."""
    with pytest.raises(YamlError) as error:
        book(tmp_path, index)
    assert str(error.value).removeprefix(f"{tmp_path}/") == message


def test_a_prompt_cannot_reach_out_of_its_sandbox(tmp_path: Path) -> None:
    """Nothing of the program can be read through a prompt."""
    prompts = book(tmp_path, "a: {file: a.md}", a="{{ ''.__class__.__mro__ }}")
    with pytest.raises(InvalidField):
        prompts.render("a", {})
