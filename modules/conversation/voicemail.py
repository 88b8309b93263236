"""Does a machine speak? Told by the words a greeting machine uses, among the first things heard. English and German.

It names the outcome only; what to say to a machine is the prompt's business. A person who quotes such a greeting is mistaken
for one, which costs a word in a report and nothing else.
"""

import re

# Four pieces of speech: some machines say the name first and the instruction after a pause.
FIRST_PIECES = 4
_MACHINE = re.compile(
    r"leave (a|your|me a) (short )?message|after the (tone|beep|signal)|voice ?mail|mailbox|record your message"
    r"|can(no|')t (come to|take|answer) (the|your) (phone|call)"
    r"|nach dem (signal)?ton|hinterlassen sie|anrufbeantworter|mobilbox",
    re.IGNORECASE,
)


def is_machine(heard: list[str]) -> bool:
    """Return whether the first turns heard on a call are those of a machine."""
    return any(_MACHINE.search(turn) for turn in heard[:FIRST_PIECES])
