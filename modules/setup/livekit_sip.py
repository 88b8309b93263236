"""livekit-sip, the way to real phones: the binary that LIVEKIT_SIP_BIN names. It is not built here; Docker has it too."""

from pathlib import Path

from modules.setup.places import named_by_env


def find_livekit_sip() -> Path | None:
    """Return LIVEKIT_SIP_BIN; None where it is not set. Raises SetupProblem where it names no program."""
    return named_by_env("LIVEKIT_SIP_BIN")
