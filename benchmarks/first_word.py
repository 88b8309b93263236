"""How long a person who picks up hears nothing: pick-up to the agent's first sound, on the phone leg.

One round is one short call by ours and one by the peer; both say the same greeting.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.alone import FRAME_MS, hops_ms
from benchmarks.command import Benchmark, main
from benchmarks.peer_worker import Kind
from benchmarks.result import Round
from benchmarks.speakers import peer_job
from benchmarks.stage import Stage

SHORT = "+12025550111"
PERSONALITY = "short_notice"


async def warm_up(stage: Stage, kind: Kind) -> None:
    await one_round(stage, kind)


async def one_round(stage: Stage, kind: Kind) -> Round:
    ours = await stage.ours(SHORT, PERSONALITY)
    peer = await stage.peer(peer_job(stage, PERSONALITY, SHORT, kind))
    hops = await hops_ms(stage, 3)
    return Round(
        ours=(ours.first_word_ms,),
        peer=(peer.first_word_ms,),
        limit=tuple(FRAME_MS + hop for hop in hops),
        parts={"frame": (float(FRAME_MS),), "hop": tuple(hops)},
    )


if __name__ == "__main__":
    main(
        Benchmark(
            name="first_word",
            about="Pick-up to the agent's first sound, measured on the phone leg, beside a plain LiveKit worker.",
            limit_is="one frame of sound and its way through livekit-server to somebody who listens already",
            default_rounds=8,
            warm_up=warm_up,
            one_round=one_round,
        )
    )
