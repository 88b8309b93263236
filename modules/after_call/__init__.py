"""What a call leaves, found out when its line is free again: nothing here holds a phone, a room or a slot.

answers     reported answers held against the transcript: value, quote, turn
extraction  the personality's model is asked for them
ended       calls that have ended, each worked on by one process until it is done

    await after_call.run(settings, stop)     # beside a worker; any number of them share the work
"""

from modules.after_call.ended import run

__all__ = ["run"]
