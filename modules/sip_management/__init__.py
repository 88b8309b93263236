"""The phone side: which trunks there are, the one dial request, what a refusal means, and what livekit-server stores.

trunks        those of the settings and of trunks.yaml       carriers/   what is known of each carrier
trunk_book    the same, read again when the file has changed
ways_in       who may call in                                wanted      what should be stored     marks  what is ours
plan, ensure  stored made equal to wanted, under a lock      findings    what is wrong now         monitor  and from then on
dial, errors  one call out, and what its failure means       reach       is the carrier there?     phone  who calls in
loop          a way in for one call of ours to ourselves

Nothing here decides whether a number may be dialled (modules/calls/gate.py) or what follows a failure (lifecycle.py).
"""

from modules.sip_management.dial import ATTEMPT, CALL_ID, CALLEE, Line, dial
from modules.sip_management.errors import meaning_of
from modules.sip_management.transfer import transfer
from modules.sip_management.trunks import Trunk, choose, configured

__all__ = ["ATTEMPT", "CALLEE", "CALL_ID", "Line", "Trunk", "choose", "configured", "dial", "meaning_of", "transfer"]
