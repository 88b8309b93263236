"""Prompts: what is missing, undeclared or dangerous is named before a phone rings, never while somebody listens."""

from pathlib import Path

import pytest

from modules.calls.errors import InvalidField, VoicefleetError
from modules.conversation.prompt_book import PromptBook
from modules.conversation.texts import Folders
from modules.strict_yaml import YamlError
from tests.unit.source_tree import PROJECT

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one prompt, greet."""
    (tmp_path / "prompts.yaml").write_text("greet:\n  file: greet.md\n  variables: [name]\n", encoding="utf-8")
    (tmp_path / "greet.md").write_text("Hello {{ name }}!\n", encoding="utf-8")
    return tmp_path


def book_of(folder: Path) -> PromptBook:
    """Return the book as the next call would read it."""
    return PromptBook(Folders(folder, folder))


def test_variables_are_filled_in(folder: Path) -> None:
    """What I send with the call stands in the prompt."""
    assert book_of(folder).render("greet", {"name": "Mia", "unused": "x"}) == "Hello Mia!"


def test_a_missing_variable_is_named_with_its_field(folder: Path) -> None:
    """I read which variable my request lacks."""
    with pytest.raises(InvalidField, match=r"greet\.md needs the variable 'name'") as refused:
        book_of(folder).render("greet", {})
    assert refused.value.field == "variables.name"


def test_an_undeclared_variable_is_refused_even_if_it_has_a_value(folder: Path) -> None:
    """A typo in a prompt is found by its author, not by the callee."""
    (folder / "greet.md").write_text("Hello {{ nmae }}!", encoding="utf-8")
    with pytest.raises(YamlError, match=r"greet\.md.*nmae.*not declared under greet"):
        book_of(folder).render("greet", {"name": "Mia", "nmae": "Mia"})


def test_an_edit_is_used_by_the_next_call(folder: Path) -> None:
    """No restart is needed to improve a prompt."""
    assert book_of(folder).render("greet", {"name": "Mia"}) == "Hello Mia!"
    (folder / "greet.md").write_text("Good evening, {{ name }}, dear customer.", encoding="utf-8")
    assert book_of(folder).render("greet", {"name": "Mia"}) == "Good evening, Mia, dear customer."


def test_an_unknown_prompt_says_which_there_are(folder: Path) -> None:
    """I misspelt a prompt's name and see the right ones."""
    with pytest.raises(YamlError, match=r"gret.*greet"):
        book_of(folder).render("gret", {})


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ name.__class__ }}", "{{ name|attr('__class__') }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ self.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].environ }}", "{{ namespace.__init__.__globals__ }}", "{{ joiner.__init__.__globals__ }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(name) }}", "{{ name.format.__self__ }}", "{{ ().__class__ }}",
    "{{ (1).__class__.__base__ }}", "{% include 'prompts.yaml' %}", "{% import 'greet.md' as x %}", "{% extends 'greet.md' %}",
    "{{ url_for.__globals__ }}", "{{ request }}", "{{ config }}", "{{ range(10**9)|list }}", "{{ 1/0 }}", "{{ name + 1 }}",
    "{{ name.nothing.at_all }}", "{{ [].append.__self__.__class__ }}", "{{ name }", "{% for x in name %}", "{{ name|nofilter }}",
    "{{ name['__class__'] }}", "{{ name|map('upper')|attr('gi_frame') }}", "{{ undefined_function() }}",
]  # fmt: skip


@pytest.mark.parametrize("text", ESCAPES)
def test_a_prompt_cannot_leave_its_sandbox_or_crash_a_call(folder: Path, text: str) -> None:
    """A prompt is prose with gaps. Whatever else is tried ends as an error that names the file, or as harmless text."""
    (folder / "greet.md").write_text(f"Hello {text} {{{{ name }}}}", encoding="utf-8")
    try:
        rendered = book_of(folder).render("greet", {"name": "Mia"})
    except (VoicefleetError, YamlError) as refused:
        assert "greet.md" in str(refused)
    else:
        assert not any(word in rendered for word in ("class", "object", "environ", "uid=", "globals", "import", "file:"))


def test_a_callers_words_are_never_a_template(folder: Path) -> None:
    """Whoever places a call cannot smuggle a template in through a variable."""
    assert book_of(folder).render("greet", {"name": "{{ 7*7 }}{% raw %}"}) == "Hello {{ 7*7 }}{% raw %}!"


@pytest.mark.parametrize("file", [
    "../greet.md", "/etc/passwd", "sub/greet.md", "greet.txt", "..md", "Greet.md", "greet.md/../greet.md", "gr\u0435et.md",
    "greet.md\\u0000", ".md", "a" * 65 + ".md", "~/greet.md", "C:greet.md", "gre et.md", "%2e%2e/greet.md",
])  # fmt: skip
def test_a_prompts_file_is_a_plain_name_in_its_folder(folder: Path, file: str) -> None:
    """The index cannot point anywhere else on the disk."""
    (folder / "prompts.yaml").write_text(f'greet:\n  file: "{file}"\n', encoding="utf-8")
    with pytest.raises(YamlError, match="file"):
        book_of(folder).render("greet", {"name": "Mia"})


def test_a_prompt_without_its_file_is_named(folder: Path) -> None:
    """A deleted file is told as what it is."""
    (folder / "greet.md").unlink()
    with pytest.raises(YamlError, match=r"greet\.md"):
        book_of(folder).render("greet", {"name": "Mia"})


def test_every_prompt_of_ours_can_be_filled_in() -> None:
    """The prompts that come with the project are whole."""
    book = book_of(PROJECT / "prompts")
    for key in ("house_rules", "default_outbound", "default_inbound", "gym_outbound"):
        assert len(book.render(key, {"caller_name": "", "first_visit": "", "tools": []})) > 50
