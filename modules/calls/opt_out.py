"""Does a text message ask us not to call any more? The words by which carriers stop messages, in English and German. No I/O.

Only a message that is nothing but such a word counts, as with the carriers: "Please stop by at five" is an answer.
Source: CTIA Messaging Principles and Best Practices; Twilio's default opt-out keywords.
"""

import re

WORDS = frozenset({
    "stop", "stopall", "stopp", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "abmelden", "abbestellen",
})  # fmt: skip
_NO_LETTERS = re.compile(r"[\W_]+")


def asks_not_to_be_called(text: str) -> bool:
    """Return whether a text message is one of WORDS, however it is written: `Stop!`, `STOP ALL`, `opt-out`."""
    return _NO_LETTERS.sub("", text).casefold() in WORDS
