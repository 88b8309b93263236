"""Where a call is, and what may happen to it: two vocabularies. What follows what is in lifecycle.py."""

from enum import StrEnum


class State(StrEnum):
    """Where a call is."""

    QUEUED = "queued"
    """Accepted; waiting for its time, a slot, a carrier turn."""
    PLACING = "placing"
    """A room is made and an agent is coming; no INVITE has left, so redoing it is safe."""
    RINGING = "ringing"
    """An INVITE may have left; inbound calls start here."""
    IN_PROGRESS = "in_progress"
    """Somebody or something answered."""
    ENDED = "ended"
    """Has an outcome; final."""


class Event(StrEnum):
    """What a party reports."""

    CLAIMED = "claimed"
    """An orchestrator took the call and makes a room."""
    DIALING = "dialing"
    """The worker is about to send the dial request; written before it leaves."""
    ANSWERED = "answered"
    """The far end picked up."""
    HUNG_UP = "hung_up"
    """Either side ended the conversation."""
    TRANSFERRED = "transferred"
    """The far end was handed to somebody else."""
    CANCELLED = "cancelled"
    """A person or program took the call back."""
    EXPIRED = "expired"
    """Its last moment passed while it waited."""
    BLOCKED = "blocked"
    """Our gate refused it."""
    ATTEMPT_FAILED = "attempt_failed"
    """The dial ended without an answer, or could not be made."""
    LOST = "lost"
    """Whoever held the call stopped renewing its lease, or a deadline passed."""
