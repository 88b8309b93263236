"""How soon after a request a phone is asked for: HTTP POST to the dial request's arrival at the carrier, with an empty queue.

Ours is POST /v1/calls, on disk in Redis before it is answered; the peer's is LiveKit's own CreateRoom with a dispatch, which
keeps nothing. One round is one call each to a busy line. Both clocks are the machine's monotonic one.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.command import Benchmark, main
from benchmarks.peer_worker import Kind
from benchmarks.result import Round
from benchmarks.speakers import peer_job
from benchmarks.stage import Stage

BUSY = "+12025550103"
PERSONALITY = "short_notice"


async def warm_up(stage: Stage, kind: Kind) -> None:
    await one_round(stage, kind)


async def one_round(stage: Stage, kind: Kind) -> Round:
    ours = await stage.ours(BUSY, PERSONALITY)
    peer = await stage.peer(peer_job(stage, PERSONALITY, BUSY, kind))
    bare = await stage.bare(BUSY)
    return Round(
        ours=(ours.dialled_after_ms,),
        peer=(peer.dialled_after_ms,),
        limit=(bare.dialled_after_ms,),
        parts={"bare dial request": (bare.dialled_after_ms,)},
    )


if __name__ == "__main__":
    main(
        Benchmark(
            name="post_to_dial",
            about="HTTP POST to the dial request at the carrier, with an empty queue, beside a plain LiveKit worker.",
            limit_is="one bare CreateSIPParticipant request into a room that is there already; no agent comes",
            default_rounds=10,
            warm_up=warm_up,
            one_round=one_round,
        )
    )
