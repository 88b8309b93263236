"""A Twilio account set up for this fleet, and undone again: an elastic SIP trunk with its user, number and origination.

connect     look, then make what is missing     disconnect  undo what the ledger names, and nothing else
number      which one calls                     for_sale    what Twilio sells, at which price
purchase    buying one, once                    release     giving it back, if somebody says so
users       who may use the trunk               countries   which ones may be called
found_or_made  one thing, kept or made
steps       what is told of each step           ledger      what was made, by name and SID, in DATA_DIR
account     the way to Twilio's REST API        transport   its addresses, its 429s       errors  each refusal as a sentence
"""

from modules.sip_management.twilio.account import opened
from modules.sip_management.twilio.connect import Connected, Wish, connect
from modules.sip_management.twilio.disconnect import disconnect
from modules.sip_management.twilio.errors import Fault, TwilioTrouble
from modules.sip_management.twilio.for_sale import Offer
from modules.sip_management.twilio.ledger import Ledger
from modules.sip_management.twilio.steps import Did, Step

__all__ = ["Connected", "Did", "Fault", "Ledger", "Offer", "Step", "TwilioTrouble", "Wish", "connect", "disconnect", "opened"]
