"""A/B: a file of agents/ that speaks by others. It shares its calls out between personalities, its arms, by weight.

The arm is drawn from a hash of the call's id: what a call is told apart by, random from the start, the same in every process
and at every retry, and saying nothing about who is called. It is drawn when the call is accepted and kept in the record, so
new weights move no call that has its arm already.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from modules.conversation.inbound_numbers import InboundNumbers
from modules.strict_yaml.nodes import entry

FIELD = "split"
_Weight = Annotated[int, Field(ge=1, le=10_000)]
_Arm = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Split(BaseModel):
    """A file of agents/ that shares its calls out: `split: {a: 70, b: 30}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="What people see; the file's name is what calls use.")
    split: dict[_Arm, _Weight] = Field(
        min_length=2, max_length=16,
        description="Two or more other files of agents/, each with a weight, a whole number from 1; the sum is of no account.",
    )  # fmt: skip
    inbound_numbers: InboundNumbers = Field(
        default=[], max_length=1000, description="The numbers of ours whose calls it shares out, as E.164."
    )


def is_split(tree: yaml.Node) -> bool:
    """Whether a file shares its calls out and does not speak itself."""
    return entry(tree, FIELD) is not None


def drawn(call_id: str, weights: Mapping[str, int]) -> str:
    """Return the arm of a call. The order of `weights` does not matter."""
    position = int.from_bytes(hashlib.sha256(call_id.encode()).digest()[:8]) * sum(weights.values()) >> 64
    for arm, weight in sorted(weights.items()):
        if position < weight:
            return arm
        position -= weight
    raise ValueError("no arms")
