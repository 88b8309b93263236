"""The phone side: which trunks there are, the one dial request, what a refusal means.

Nothing here decides whether a number may be dialled (modules/calls/gate.py) or what follows a failure (lifecycle.py).
"""

from modules.sip_management.dial import ATTEMPT, CALL_ID, CALLEE, Line, dial
from modules.sip_management.errors import meaning_of
from modules.sip_management.trunks import Trunk, choose, configured

__all__ = ["ATTEMPT", "CALLEE", "CALL_ID", "Line", "Trunk", "choose", "configured", "dial", "meaning_of"]
