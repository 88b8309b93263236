"""docs/silence.md: what is heard when a vendor is late or fails, written from the deadlines."""

from dataclasses import fields

from modules.conversation.deadlines import FILLERS, KEYS_PAUSE_S, PARDONS, SILENCE_S, STATEMENT_S, UTTERANCE_S, Deadlines

_HEAD = """# When a vendor is late

Written from `modules/conversation/deadlines.py` by `python -m docs.generate`; a test compares.

After somebody has answered or has finished what they say, our side is never silent for more than {silence:g} s, whatever the
vendors do: refuse, hang, stop in the middle or answer rubbish. This is what they hear instead:

| after | what is heard |
| --- | --- |
| {quiet:g} s | `sentences.filler` ("One moment, please."), at most {fillers} times in a row, {quiet:g} s apart |
| meanwhile | the next vendor of the chain, if the personality lists one |
| the last filler, or as soon as every vendor of a stage has failed | `sentences.trouble`, and the call ends as `agent_failed` |

The fixed sentences are spoken into memory while the phone rings, so a voice that fails later takes none of them along. If not
even they could be made, nothing can be said: the call is ended within the same {silence:g} s.

- **The model stops in the middle.** The next one is asked the whole question; its answer is a new sentence after what was said.
  If a tool was called already the answer ends there: what it did cannot be undone, so nobody else is asked.
- **A realtime model** has no next one. It is asked a second time where an answer failed before its first word; when it is late,
  stops in the middle or loses its connection, `sentences.trouble` is said at once.
- **The voice stops in the middle.** The next one says that sentence again from its beginning. Sentences are therefore spoken one
  by one, also by vendors who take a stream; intonation does not carry over from one to the next.
- **The listener has no words.** After speech of {statement:g} s or more the next listener, or a new connection to the same one,
  is given what was said. Speech of {utterance:g} s or more without words is answered by `sentences.pardon`, {pardons} times in a
  row; then the call ends with `sentences.trouble`, as we are deaf. Music with singing counts as speech.
- **Keys are pressed.** They are one entry until a `#`, or until none has come for {keys:g} s; our side is silent meanwhile, where
  it may be interrupted. Then an answer is owed, as after words.
- Two vendors that are down together are two deadlines one after the other. A chain longer than three may not be tried to its end.

What is said beside the conversation is in the transcript. The call's `reason` names the stage that failed, see
[providers.md](providers.md). The silence is counted at the sound that goes to the phone, not by what a model or the session says
of itself; `longest_wait_ms` of the [simulated carrier](simulated-carrier.md) shows it as the phone heard it.

A personality that lets people pause for long (`turns.endpointing_s` above half a second) adds the rest of that pause to the
first wait. `turns.detection: v1-mini` waits for the rest of a sentence for 2 s at most.

## The deadlines

| what | seconds | why |
| --- | --- | --- |
"""


def page() -> str:
    """Return docs/silence.md."""
    found = Deadlines()
    head = _HEAD.format(
        silence=SILENCE_S, quiet=found.quiet, fillers=FILLERS, statement=STATEMENT_S, utterance=UTTERANCE_S, pardons=PARDONS,
        keys=KEYS_PAUSE_S,
    )  # fmt: skip
    rows = [
        f"| {one.name.replace('_', ' ')} | {getattr(found, one.name):g} | {one.metadata['why']} |" for one in fields(Deadlines)
    ]
    return head + "\n".join(rows) + "\n"
