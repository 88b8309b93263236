"""What a benchmark hands over: the one JSON shape of all of them, and the same as a table for people. Measures nothing."""

import statistics
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Figure, Ratio


@dataclass(frozen=True, slots=True)
class Round:
    """What one round gave: samples of ours, of the peer, and of the parts that the limit is made of."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]
    limit: tuple[float, ...]
    parts: dict[str, tuple[float, ...]]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.peer)

    def to_json(self) -> dict[str, Any]:
        return {
            "ours": _rounded(self.ours),
            "peer": _rounded(self.peer),
            "limit": _rounded(self.limit),
            "ratio": round(self.ratio, 3),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """One run. `peer_is` and `limit_is` say in a sentence what stands beside ours."""

    name: str
    unit: str
    peer_is: str
    limit_is: str
    rounds: tuple[Round, ...]
    machine: dict[str, Any]

    @property
    def ours(self) -> Figure:
        return Figure(self.unit, tuple(sample for one in self.rounds for sample in one.ours))

    @property
    def peer(self) -> Figure:
        return Figure(self.unit, tuple(sample for one in self.rounds for sample in one.peer))

    @property
    def limit(self) -> Figure:
        return Figure(self.unit, tuple(sample for one in self.rounds for sample in one.limit))

    @property
    def ratio(self) -> Ratio:
        return Ratio(tuple(one.ratio for one in self.rounds))

    def parts(self) -> dict[str, Figure]:
        """What the limit is made of."""
        names = self.rounds[0].parts
        return {name: Figure(self.unit, tuple(sample for one in self.rounds for sample in one.parts[name])) for name in names}

    def to_json(self) -> dict[str, Any]:
        parts = {name: figure.to_json() for name, figure in self.parts().items()}
        return {
            "name": self.name,
            "ours": self.ours.to_json(),
            "peer": self.peer.to_json() | {"is": self.peer_is},
            "limit": self.limit.to_json() | {"is": self.limit_is, "parts": parts},
            "ratio": self.ratio.to_json(),
            "rounds": [one.to_json() for one in self.rounds],
            "machine": self.machine,
        }

    def table(self) -> str:
        """Return the run as lines for a terminal."""
        rows = {"ours": self.ours, "peer": self.peer, "limit": self.limit}
        rows |= {f"  {name}": figure for name, figure in self.parts().items()}
        lines = [f"{self.name} ({self.unit})", f"{'':<22}{'median':>9}{'p95':>9}{'samples':>9}"]
        lines += [f"{name:<22}{one.median:>9.1f}{one.p95:>9.1f}{len(one.samples):>9}" for name, one in rows.items()]
        low, high = self.ratio.interval_95
        lines.append(f"{'ours / peer':<22}{self.ratio.median:>9.3f}   95 % interval {low:.3f} to {high:.3f}")
        lines += [f"  round {number:<14}{one.ratio:>9.3f}" for number, one in enumerate(self.rounds, start=1)]
        lines += [f"peer: {self.peer_is}", f"limit: {self.limit_is}", f"machine: {_machine(self.machine)}"]
        return "\n".join(lines)


def _rounded(samples: tuple[float, ...]) -> list[float]:
    return [round(sample, 1) for sample in samples]


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    loads = f"load {machine['load_start']} to {machine['load_end']}, steal {machine['steal_percent']} %"
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}; {loads}; {versions}"
