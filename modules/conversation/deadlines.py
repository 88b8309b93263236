"""How long a vendor may take, and how long nobody may hear anything: every fixed number of it, with its reason.

The promise they are chosen for: after the other side has finished, our side is never silent for more than SILENCE_S. What is
heard comes about half a second after what is decided here: the voice detector, the network and the phone's own buffer.
"""

from dataclasses import dataclass, field

SILENCE_S = 4.0
"""The promise, as the phone's own waveform shows it."""


def _because(seconds: float, why: str) -> float:
    default: float = field(default=seconds, metadata={"why": why})
    return default


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. docs/silence.md is written from this table."""

    quiet: float = _because(2.5, "our silence, while a word is owed, before the filler; again after each filler")
    words: float = _because(2.0, "end of an utterance to its words, before the next listener gets what was said")
    first_word: float = _because(2.5, "a model that has another after it: the second has begun before the filler is over")
    next_word: float = _because(2.0, "between two words of a model; a stalled stream rarely comes back")
    first_sound: float = _because(2.0, "a voice that has another after it: the second speaks right after the filler")
    next_sound: float = _because(1.0, "between two pieces of sound; voices make sound faster than it is spoken")
    last_resort: float = _because(6.0, "for all three where no other vendor follows: a slow answer is better than none")
    apology: float = _because(8.0, "longest apology that is heard out before the line is cut")
    own_sentence: float = _because(8.0, "longest sentence that may end before the apology of a vendor's failure begins")


FILLERS = 2
"""Fillers in a row before we give up: with the pauses between them about ten seconds, time for a chain of three."""
PARDONS = 2
"""Times in a row that an utterance without words is answered by `pardon`. After the next one we know that we are deaf."""
UTTERANCE_S = 0.3
"""Shorter sounds than this are coughs and clicks, and nobody waits for an answer to them."""
STATEMENT_S = 0.8
"""Speech this long has words; a listener that has none for it is replaced."""
KEPT_S = 15.0
"""What was said is kept this long for the next listener."""
KEYS_PAUSE_S = 1.5
"""Keys are one entry until none has come for so long, or until a #. Between the groups of a long number people take a second; the
answer to a single key waits for it as well."""
MOST_KEYS_A_CALL = 300
"""Later ones are not heard: nobody keys in so much, and a machine that presses without end may not ask our model as often."""
