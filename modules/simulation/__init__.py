"""Calls without phones: a carrier that answers LiveKit's SIP API and lets the people of scenarios/*.yaml pick up.

Reading order: scenario, twirp; g711, meter, ears, callee; leg, call, carrier; ledger, verdict, sip_api.
`python -m modules.simulation` runs it. Product code never imports this package: for it, the simulated carrier is a trunk
like any other.
"""

from modules.simulation.ledger import Dial, Ledger
from modules.simulation.scenario import Scenario, load_scenarios
from modules.simulation.verdict import shortcomings

__all__ = ["Dial", "Ledger", "Scenario", "load_scenarios", "shortcomings"]
