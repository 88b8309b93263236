"""The first words of a call. Whoever they are written by, they say that an AI is speaking; nobody can edit that away.

The sentence is fixed per language. A greeting that says it itself, plainly and at once, is left as it is; any doubt (a denial, a
joke, a mere mention, a late remark) puts the fixed sentence in front, which costs two seconds and never misleads.
"""

import re

DISCLOSURE = {
    "en": "I am an AI assistant.",
    "de": "Ich bin ein KI-Assistent.",
    "es": "Soy un asistente de inteligencia artificial.",
    "fr": "Je suis un assistant d'intelligence artificielle.",
    "it": "Sono un assistente di intelligenza artificiale.",
    "nl": "Ik ben een AI-assistent.",
}
# The words must come this early, or they are not an opening.
_AT_ONCE = 120
_EN = (
    r"\b(?:I am|I['’]m|this is|it is|it['’]s|you are (?:speaking|talking) (?:to|with)|you['’]re (?:speaking|talking) (?:to|with))"
    r"\s+(?:[\w .-]{1,30},\s+)?(?:(?:an?|the|your|our)\s+)?(?:[\w-]+['’]s\s+)?"
    r"(?:AI|A\.I\.|artificial intelligence)(?:[- ](?:\w+ )?(?:assistant|agent|voice|system|caller))?\b"
)
_DE = (
    r"\b(?:ich bin|hier ist|hier spricht|das ist|am apparat ist|sie sprechen mit)"
    r"\s+(?:[\w .-]{1,30},\s+)?(?:(?:ein|eine|einem|einer|der|die|dem)\s+)?"
    r"(?:KI|künstliche[nr]? Intelligenz)(?:[- ]?(?:Assistent|Assistentin|Agent|System|Stimme))?\b"
)
_SAYS_SO = re.compile(f"{_EN}|{_DE}", re.IGNORECASE)
# With one of these nearby the words may mean the opposite: "I am an AI assistant? No, I am a human being."
_DOUBT = re.compile(
    r"\b(?:not|no|none|never|isn['’]?t|ain['’]?t|hardly|human|humans|person|real|joke|joking|kidding|pretend\w*|unlike|instead"
    r"|kein\w*|nicht|nie|niemals|mensch\w*|person|echte?[rn]?|scherz|spaß|statt)\b|\?|n['’]t\b",
    re.IGNORECASE,
)


def opening(greeting: str, language: str, disclosure: str = "") -> str:
    """Return the greeting, with a disclosure in front where it does not disclose itself beyond doubt.

    `disclosure` is the personality's own wording of it; the fixed sentence of its language stands in where there is none.
    """
    if discloses(greeting):
        return greeting
    return f"{disclosure or DISCLOSURE.get(language, DISCLOSURE['en'])} {greeting}"


def discloses(text: str) -> bool:
    """Return whether a text says, plainly and at once, that an AI is speaking."""
    said = _SAYS_SO.search(text)
    fixed = any(sentence in text[:_AT_ONCE] for sentence in DISCLOSURE.values())
    return (fixed or bool(said and said.end() <= _AT_ONCE)) and not _DOUBT.search(text)
