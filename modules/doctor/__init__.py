"""What is wrong, why, and what to do: 22 checks of a fleet and its phone side.

checks.py      the table: which checks there are, in which order, and what each explains
subject.py     what is examined
verdict.py     green, amber, red, not proven
machine.py, livekit.py, fleet.py, stored.py, carrier.py, twilio.py    the checks themselves
loop.py        apart from these: a call of the fleet to itself over real SIP

The checks change nothing; the loop takes away what it makes. modules/calls/advice.py says which checks explain a failed call.
"""

from modules.doctor.checks import CHECKS, Check, Examined, examine
from modules.doctor.subject import Subject
from modules.doctor.verdict import Colour, Finding

__all__ = ["CHECKS", "Check", "Colour", "Examined", "Finding", "Subject", "examine"]
