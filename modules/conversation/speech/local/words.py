"""Text as it is spoken: the words of a line, and the lines a listener should expect. No audio, no models.

Every spoken text in scripts, scenarios and personalities stands under one of SPOKEN_KEYS, so one walk over
the YAML files of a folder finds them all without knowing the formats.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

SPOKEN_KEYS = frozenset(
    {"busy", "closed", "not_in_service"}
    | {"say", "ask", "again", "react", "opening", "closing", "greets", "otherwise", "greeting", "nudge", "goodbye", "trouble"}
)
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_PRESSED = re.compile(r"\bpressed(?: [0-9*#])+")
_KEY_NAMES = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight",
    "9": "nine", "*": "star", "#": "hash",
}  # fmt: skip
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def words_of(text: str) -> list[str]:
    """Lower-case words, apostrophes kept inside them: "Don't-stop!" is don't, stop. "pressed 1 #" is pressed, one, hash."""
    spelled = _PRESSED.sub(lambda keys: " ".join(_KEY_NAMES.get(word, word) for word in keys[0].split()), text.lower())
    return re.findall(r"[a-z]+(?:'[a-z]+)*", spelled.replace("\u2019", "'"))


def plain(text: str) -> str:
    return " ".join(words_of(text))


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def fill(text: str, variables: dict[str, str]) -> str:
    """Put `variables` into `{{ name }}` places; a name without a value stays as it is."""
    return _PLACEHOLDER.sub(lambda found: variables.get(found[1], found[0]), text)


def collect_lines(*folders: Path) -> list[str]:
    """Every line that the YAML files in these folders can say, once each, placeholders filled with their defaults.

    A file that cannot be read as YAML is left out: whoever owns its format reports it. So is one whose components speak
    another language than English: its words cannot be heard here.
    """
    lines: dict[str, None] = {}
    for folder in folders:
        for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            try:
                content = yaml.safe_load(path.read_text("utf-8"))
            except (OSError, UnicodeDecodeError, yaml.YAMLError):
                continue
            if isinstance(content, dict) and _is_english([{"language": content.get("language")}, content.get("components")]):
                lines.update(dict.fromkeys(_filled(content)))
    return list(lines)


def _is_english(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_english(item) for item in value)
    if isinstance(value, dict):
        language = value.get("language")
        return (language is None or str(language).startswith("en")) and all(_is_english(item) for item in value.values())
    return True


def _filled(content: dict[str, Any]) -> Iterator[str]:
    declared = content.get("variables")
    stated = {str(name): _default(one) for name, one in declared.items()} if isinstance(declared, dict) else {}
    defaults = {name: str(value) for name, value in stated.items() if value is not None}
    for line in _spoken(content, spoken=False):
        # What is still a template here has a value only at call time: the words on either side are all we can know.
        yield from (part.strip() for part in _JINJA.split(fill(line, defaults)) if words_of(part))


def _default(variable: Any) -> Any:
    return variable.get("default") if isinstance(variable, dict) else variable


def _spoken(value: Any, *, spoken: bool) -> Iterator[str]:
    if isinstance(value, str) and spoken:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _spoken(item, spoken=spoken)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _spoken(item, spoken=key in SPOKEN_KEYS)


def sentences(lines: Iterable[str]) -> list[str]:
    """Each line as a whole and each of its sentences, as plain words: what a language model is counted from."""
    found: dict[str, None] = {}
    for line in lines:
        for part in (line, *re.split(r"[.!?]", line)):
            if text := plain(part):
                found[text] = None
    return list(found)
