"""How a benchmark's samples become its figures, and what it prints: on recorded samples, nothing is measured here."""

import json
import statistics

import pytest

from benchmarks.figures import Figure, Ratio, bootstrap_interval, percentile
from benchmarks.result import Result, Round

pytestmark = pytest.mark.unit

MACHINE = {
    "cpu": "a processor", "cores": 2, "kernel": "Linux 6", "load_start": 0.5, "load_end": 0.9, "steal_percent": 0.0,
    "versions": {"python": "3.11"},
}  # fmt: skip
ROUNDS = (
    Round(ours=(412.0, 398.0, 430.0), peer=(803.0, 790.0), limit=(365.0,), parts={"wait": (250.0,), "hop": (55.0, 60.0)}),
    Round(ours=(405.0, 401.0), peer=(812.0, 950.0, 788.0), limit=(360.0,), parts={"wait": (250.0,), "hop": (52.0, 58.0)}),
)


@pytest.fixture
def result() -> Result:
    return Result("turn_latency", "ms", "a plain worker", "the longer of two", ROUNDS, MACHINE)


def test_a_percentile_lies_between_its_neighbours() -> None:
    """The 95th percentile of eleven samples is half-way between the last two; of one sample it is that sample."""
    assert percentile(range(11), 0.95) == pytest.approx(9.5)
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([7.0], 0.95) == 7.0


def test_no_samples_give_no_figure() -> None:
    """A benchmark that measured nothing fails instead of printing a number."""
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)
    with pytest.raises(statistics.StatisticsError):
        _ = Figure("ms", ()).median


def test_the_same_samples_always_give_the_same_interval() -> None:
    """Computing a recorded run again gives what was printed."""
    samples = (0.48, 0.52, 0.5, 0.61, 0.47, 0.55)
    assert bootstrap_interval(samples) == bootstrap_interval(samples)


def test_the_interval_holds_the_median_and_shrinks_with_agreement() -> None:
    """Rounds that agree leave little doubt; rounds that differ leave much."""
    wide, narrow = Ratio((0.3, 0.9, 0.5, 0.7, 0.4, 0.8)), Ratio((0.59, 0.61, 0.6, 0.6, 0.58, 0.62))
    for ratio in (wide, narrow):
        low, high = ratio.interval_95
        assert low <= ratio.median <= high
    assert wide.interval_95[1] - wide.interval_95[0] > narrow.interval_95[1] - narrow.interval_95[0]


def test_one_round_has_an_interval_without_width() -> None:
    """A single round says nothing about its own spread, and does not pretend to."""
    assert Ratio((0.5,)).interval_95 == (0.5, 0.5)


def test_a_rounds_ratio_compares_its_own_medians(result: Result) -> None:
    """What the machine did in one round cannot make ours look good in another."""
    assert result.ratio.samples == (412.0 / 796.5, 403.0 / 812.0)


def test_the_json_is_one_object_of_seven_parts(result: Result) -> None:
    """A program can read every benchmark the same way."""
    told = json.loads(json.dumps(result.to_json()))
    assert list(told) == ["name", "ours", "peer", "limit", "ratio", "rounds", "machine"]
    for part in (told["ours"], told["peer"], told["limit"], *told["limit"]["parts"].values()):
        assert {"unit", "median", "p95", "samples"} <= part.keys()
    assert told["ours"]["samples"] == [412.0, 398.0, 430.0, 405.0, 401.0]
    assert told["ratio"]["interval_95"] == [0.496, 0.517]
    assert [one["ours"] for one in told["rounds"]] == [[412.0, 398.0, 430.0], [405.0, 401.0]]
    assert told["machine"] == MACHINE


def test_the_table_shows_every_round_and_what_stands_beside_ours(result: Result) -> None:
    """A person sees the spread, the peer and the limit in one screen."""
    lines = result.table().splitlines()
    assert len(lines) <= 24
    for word in ("ours", "peer", "limit", "hop", "round 1", "round 2", "a plain worker", "the longer of two", "a processor"):
        assert any(word in line for line in lines), word
