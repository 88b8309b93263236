"""Answers found by a script's patterns in a transcript: what the scripted model reports after a call. Pure."""

import re
from typing import Any

from modules.conversation.speech.local.script import Evidence, Script
from modules.conversation.speech.local.words import plain

_LINE = re.compile(r"^\[(\d+)\] (\w+): (.*)$", re.MULTILINE)
_SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_TIMES = {"hundred": 100, "thousand": 1000}


def found_in(script: Script, transcript: str) -> dict[str, dict[str, Any]]:
    """Return {name: {value, quote, turn}} for each answer that the other side gave; the first place counts."""
    turns = [(int(index), plain(text)) for index, speaker, text in _LINE.findall(transcript) if speaker != "agent"]
    found: dict[str, dict[str, Any]] = {}
    for name, evidence in script.answers.items():
        for index, text in turns:
            if match := re.search(evidence.when, text):
                found[name] = {"value": _value(evidence, match), "quote": match[0], "turn": index}
                break
    return found


def _value(evidence: Evidence, match: re.Match[str]) -> object:
    if evidence.value is not None:
        return evidence.value
    number = spoken_number(match["value"])
    return match["value"] if number is None else number


def spoken_number(words: str) -> int | None:
    """Return "one hundred and twenty five" as 125; None for words that are no number below a million."""
    total = part = 0
    for word in (word for word in words.split() if word != "and"):
        if word in _SMALL:
            part += _SMALL.index(word)
        elif word in _TENS:
            part += _TENS[word]
        elif word in _TIMES and (word == "hundred" or not total):
            part = max(part, 1) * _TIMES[word]
            total, part = (total + part, 0) if word == "thousand" else (total, part)
        else:
            return None
    return total + part if words.strip() else None
