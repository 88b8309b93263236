"""What a worker is told when it is sent into a room: which attempt of which call, and the token that lets it speak for it.

Everything else is in the call's record, which the worker reads under that token: numbers and prompts then never pass
through LiveKit's logs, and a job that comes late reads what is true now.
"""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints


class CallJob(BaseModel):
    """The dispatch metadata of an outbound call, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    call_id: str
    attempt: int
    token: int


class InboundJob(BaseModel):
    """The dispatch metadata of a dispatch rule, as JSON: written once, for every call that the rule lets in.

    The call itself has no record yet; the worker makes it. `personality` answers, whatever number was called.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    direction: Literal["inbound"]
    personality: str = ""
    variables: dict[str, Annotated[str, StringConstraints(max_length=2000)]] = {}


def read_job(metadata: str) -> CallJob | InboundJob:
    """Return what a worker was sent for. Raises ValueError where the metadata is of neither kind."""
    told = json.loads(metadata)
    kind = InboundJob if isinstance(told, dict) and told.get("direction") == "inbound" else CallJob
    return kind.model_validate(told)
