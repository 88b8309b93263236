"""How every benchmark is run from a shell: options, interleaved rounds, progress on stderr, the result on stdout."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.machine import Watch
from benchmarks.peer_worker import Kind
from benchmarks.result import Result, Round
from benchmarks.stage import BenchmarkFailed, Stage, open_stage
from modules.conversation.priority import give_up_real_time
from modules.fleet import FleetError
from modules.metrics_logger import configure

PEERS: dict[Kind, str] = {
    "plain": "a hand-made LiveKit worker that dials, then starts its session, with the framework's default options",
    "tuned": "a hand-made LiveKit worker that starts its session before it dials and waits as long as we do for an end of turn",
}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One comparison. `one_round` calls ours, then the peer, then what the limit is made of."""

    name: str
    about: str
    limit_is: str
    default_rounds: int
    warm_up: Callable[[Stage, Kind], Awaitable[None]]
    one_round: Callable[[Stage, Kind], Awaitable[Round]]
    unit: str = "ms"


def main(benchmark: Benchmark) -> None:
    """Run a benchmark as a program. Exit 1: a call went wrong and there is no figure."""
    args = _arguments(benchmark)
    configure("console", "WARNING")
    give_up_real_time()
    try:
        result = asyncio.run(_run(benchmark, args.rounds, args.peer))
    except (BenchmarkFailed, FleetError) as error:
        raise SystemExit(f"{benchmark.name}: {error}") from None
    print(json.dumps(result.to_json()) if args.json else result.table())


async def _run(benchmark: Benchmark, rounds: int, peer: Kind) -> Result:
    watch = Watch.start()
    async with open_stage(_tell) as stage:
        _tell("one call each that does not count")
        await benchmark.warm_up(stage, peer)
        played = []
        for number in range(1, rounds + 1):
            played.append(await benchmark.one_round(stage, peer))
            ours, theirs = (sum(samples) / len(samples) for samples in (played[-1].ours, played[-1].peer))
            _tell(f"round {number} of {rounds}: ours {ours:.0f} {benchmark.unit}, peer {theirs:.0f} {benchmark.unit}")
    return Result(benchmark.name, benchmark.unit, PEERS[peer], benchmark.limit_is, tuple(played), watch.stop())


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments(benchmark: Benchmark) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"benchmarks/{benchmark.name}.py", description=benchmark.about)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=_positive, default=benchmark.default_rounds, help="default: %(default)s")
    parser.add_argument("--peer", choices=list(PEERS), default="plain", help="; ".join(f"{k}: {v}" for k, v in PEERS.items()))
    return parser.parse_args()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)
