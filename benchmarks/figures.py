"""Numbers about numbers: median, 95th percentile, the ratio of two interleaved series and how sure it is. Pure."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_RESAMPLES = 10_000
_SEED = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity; lower is better."""

    unit: str
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        return percentile(self.samples, 0.95)

    def to_json(self) -> dict[str, Any]:
        return {
            "unit": self.unit,
            "median": round(self.median, 1),
            "p95": round(self.p95, 1),
            "samples": [round(sample, 1) for sample in self.samples],
        }


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours through the peer's, a round at a time; below 1 ours is less."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def interval_95(self) -> tuple[float, float]:
        return bootstrap_interval(self.samples)

    def to_json(self) -> dict[str, Any]:
        return {
            "unit": "ours / peer",
            "median": round(self.median, 3),
            "interval_95": [round(end, 3) for end in self.interval_95],
            "samples": [round(sample, 3) for sample in self.samples],
        }


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the sample below which `share` of them lie, interpolated between neighbours. Raises ValueError for none."""
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def bootstrap_interval(samples: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the median. The same samples always give the same interval."""
    dice = random.Random(_SEED)
    medians = [statistics.median(dice.choices(samples, k=len(samples))) for _ in range(_RESAMPLES)]
    return percentile(medians, 0.025), percentile(medians, 0.975)
