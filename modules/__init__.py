"""Voicefleet's packages, in the order in which a call meets them.

setup                  what a machine needs before anything runs (standard library only)
calls                  words and rules: states, outcomes, the gate; no I/O, no clock, no settings
strict_yaml            a YAML file becomes a model, or an error with file, line and what was expected
call_queue_manager     what is going on now; the only importer of redis
call_history           what happened; the only importer of sqlalchemy
sip_management         the phone side: trunks, the one dial request, what a refusal means
metrics_logger         logs and metrics; only listens, never decides
outbound_orchestrator  from queue to a room with an agent; the reaper
conversation           the agent's side: personality, prompts, session, the call itself
after_call             what a call leaves: typed answers, found in its transcript when its line is free again
simulation             calls without phones: a carrier that answers LiveKit's SIP API
api_server             HTTP; the only importer of fastapi
doctor                 what is wrong, why, and what to do: 22 checks
fleet                  all of the above as processes on one machine
command_line           the verbs of ./voicefleet, over the API and the fleet

Imports point one way, from the entry points down to `calls`; tests/unit/test_architecture.py holds the direction.
"""
