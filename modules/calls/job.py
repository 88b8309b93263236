"""What a worker is told when it is sent into a room: which attempt of which call, and the token that lets it speak for it.

Everything else is in the call's record, which the worker reads under that token: numbers and prompts then never pass
through LiveKit's logs, and a job that comes late reads what is true now.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class CallJob(BaseModel):
    """The dispatch metadata, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    call_id: str
    attempt: int
    token: int
