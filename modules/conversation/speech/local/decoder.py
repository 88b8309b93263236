"""pocketsphinx with a language model counted from known lines, and a dictionary cut to their words.

Expected is the model (build once, share); Decoder is one speaker's ear (one stream, one thread at a time). Blocking:
a decoder is ready in 0.01 s and takes 0.025 s for a second of speech, holding the interpreter's lock all the while.
"""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modules.conversation.speech.local.words import plain, sentences

SAMPLE_RATE = 16000
# Mean of the cepstra of flite's rms and kal16 over a mu-law line. Started from it, words are right from the first
# utterance on; started from pocketsphinx's own default, every third sentence of a new speaker has an error.
_LINE_MEAN = "46.5,28,-29,49,-26,13,0.5,-19,6.5,-14,13,-2,1"


class NothingToListenFor(ValueError):
    """A listener needs at least one line to expect; check the folders of scenarios and scripts."""


class Expected:
    """What can be heard: these lines, their sentences, and mixtures of them."""

    def __init__(self, lines: Iterable[str]) -> None:
        from pocketsphinx import get_model_path
        from pocketsphinx.lm import ArpaBoLM

        self._model = Path(get_model_path()) / "en-us"
        expected = sentences(lines)
        entries, missing = _cut_dictionary(self._model / "cmudict-en-us.dict", {w for s in expected for w in s.split()})
        self.missing_words = sorted(missing)
        known = [text for s in expected if (text := " ".join(w for w in s.split() if w not in missing))]
        if not known:
            raise NothingToListenFor("No line to listen for holds a word that the dictionary knows.")
        counted = ArpaBoLM(text="\n".join(f"<s> {text} </s>" for text in known))
        counted.compute()
        self._dictionary = "".join(entries)
        with tempfile.TemporaryDirectory(prefix="voicefleet-stt-") as folder:
            counted.write_file(f"{folder}/lines.lm")
            self._counts = Path(folder, "lines.lm").read_text("utf-8")

    def decoder(self) -> "Decoder":
        from pocketsphinx import Config
        from pocketsphinx import Decoder as Sphinx

        with tempfile.TemporaryDirectory(prefix="voicefleet-stt-") as folder:
            counts, dictionary = Path(folder, "lines.lm"), Path(folder, "words.dict")
            counts.write_text(self._counts, "utf-8")
            dictionary.write_text(self._dictionary, "utf-8")
            # lw, the weight of the model: with lines this few it is worth more than the sound (6.5 is pocketsphinx's own).
            # fwdflat, a second look at each utterance: half as much work again, and nothing better here.
            sphinx = Sphinx(
                Config(
                    hmm=str(self._model / "en-us"), lm=str(counts), dict=str(dictionary), samprate=SAMPLE_RATE,
                    lw=10.0, fwdflat=False, loglevel="FATAL",
                )
            )  # fmt: skip
        sphinx.set_cmn(_LINE_MEAN)
        return Decoder(sphinx)


class Decoder:
    """Sound in, words out; 16 kHz, 16 bit, mono. Call it whole (decode) or piece by piece (begin, feed, end)."""

    def __init__(self, sphinx: Any) -> None:
        self._sphinx = sphinx

    def begin(self) -> None:
        self._sphinx.start_utt()

    def feed(self, pcm: bytes) -> None:
        self._sphinx.process_raw(pcm)

    def end(self) -> str:
        """The words of the utterance that was fed, "" where there are none. Nearly all work is done before: 1-3 ms."""
        self._sphinx.end_utt()
        found = self._sphinx.hyp()
        return plain(found.hypstr) if found is not None else ""

    def decode(self, pcm: bytes) -> str:
        """The words in one whole utterance."""
        if len(pcm) < SAMPLE_RATE // 10:
            return ""
        self.begin()
        self._sphinx.process_raw(pcm, full_utt=True)
        return self.end()


def _cut_dictionary(path: Path, words: set[str]) -> tuple[list[str], set[str]]:
    """The dictionary's lines for these words (all pronunciations), and the words it does not hold."""
    entries: list[str] = []
    held: set[str] = set()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word = re.sub(r"\(\d+\)$", "", line.split(" ", 1)[0])
            if word in words:
                entries += [line, *_as_on_the_phone(word, line)]
                held.add(word)
    return entries, words - held


def _as_on_the_phone(word: str, line: str) -> list[str]:
    """The hiss of a TH lies above the 4 kHz that a phone line carries: flite's "thank you" arrives as fank, hank, hanck."""
    first, *rest = line.split()[1:]
    if first != "TH":
        return []
    thinner = ["N" if sound == "NG" else sound for sound in rest]
    ways = dict.fromkeys(" ".join([start, *sounds]) for start in ("TH", "F", "HH", "K") for sounds in (rest, thinner))
    return [f"{word}({number}) {way}\n" for number, way in enumerate(ways, start=5)]
