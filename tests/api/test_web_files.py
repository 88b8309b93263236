"""The page's files: no code that could turn words into markup, nothing from elsewhere, the same words in both languages."""

import json
import re
from pathlib import Path

import pytest

from modules.calls import Outcome, State

pytestmark = pytest.mark.unit
WEB = Path(__file__).parents[2] / "modules" / "api_server" / "web"
SCRIPTS = {path.name: path.read_text() for path in WEB.glob("*.js")}
CATALOGUES = {path.stem: json.loads(path.read_text()) for path in (WEB / "texts").glob("*.json")}


def test_both_languages_have_every_word_that_is_used() -> None:
    """I never read a key instead of a word."""
    used = {key for script in SCRIPTS.values() for key in re.findall(r"""text\((?:yes \? )?"([\w.]+)\"""", script)}
    used |= {f"status.{word.value}" for word in [*State, *Outcome]} | {f"step.{state.value}" for state in State}
    assert set(CATALOGUES) == {"en", "de"}
    for language, words in CATALOGUES.items():
        assert used <= set(words), language
        assert set(words) == set(CATALOGUES["en"]), language
        assert all(isinstance(word, str) and word for word in words.values())


def test_no_script_can_make_markup_or_code_from_text() -> None:
    """What a callee says cannot become part of the page."""
    for name, script in SCRIPTS.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|DOMParser", script), name


def test_nothing_is_loaded_from_elsewhere() -> None:
    """The page works without the internet and tells nobody that I use it."""
    for path in WEB.rglob("*.*"):
        found = [url for url in re.findall(r"https?://[^\s\"'<)]+", path.read_text()) if url != "http://www.w3.org/2000/svg"]
        assert not found, path.name
    for path in WEB.glob("*.html"):
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", path.read_text()), path.name


def test_its_files_stay_small() -> None:
    """Somebody who changes the page can read it first."""
    for path in WEB.rglob("*.*"):
        assert len(path.read_text().splitlines()) <= 250, path.name
