"""All of Voicefleet as processes on one machine. Not for many machines: there compose or Kubernetes starts the same programs.

plan      what to start, and on which settings      fleet     start in order, stop in reverse
parts     how each part is started                  keeper    start again what died, give up loudly
guard     nothing outlives the fleet                run_file  the one fleet of a data folder
"""

from modules.fleet.errors import AlreadyRunning, CannotStart, FleetError, PartFailed
from modules.fleet.fleet import Fleet
from modules.fleet.plan import API, CARRIER, EVERYTHING, LIVEKIT, ORCHESTRATOR, REDIS, SIP, WORKER, Plan

__all__ = [
    "API",
    "CARRIER",
    "EVERYTHING",
    "LIVEKIT",
    "ORCHESTRATOR",
    "REDIS",
    "SIP",
    "WORKER",
    "AlreadyRunning",
    "CannotStart",
    "Fleet",
    "FleetError",
    "PartFailed",
    "Plan",
]
