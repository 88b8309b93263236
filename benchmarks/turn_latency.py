"""How long a person on the phone waits for an answer: end of their speech to the agent's first sound, both on the phone leg.

One round is one whole call with the simulated gym desk by ours and one by the peer (five or six answers each).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.alone import hops_ms, speech_ms
from benchmarks.command import Benchmark, main
from benchmarks.peer_worker import Kind
from benchmarks.result import Round
from benchmarks.speakers import peer_job, wait_ms
from benchmarks.stage import Stage

GYM, SHORT = "+12025550100", "+12025550111"
PERSONALITY = "local_demo"
_ALONE = 2  # how often a round measures the parts alone


async def warm_up(stage: Stage, kind: Kind) -> None:
    await stage.ours(SHORT, "short_notice")
    await stage.peer(peer_job(stage, "short_notice", SHORT, kind))
    await speech_ms(stage)


async def one_round(stage: Stage, kind: Kind) -> Round:
    ours = await stage.ours(GYM, PERSONALITY)
    peer = await stage.peer(peer_job(stage, PERSONALITY, GYM, kind))
    speech = [await speech_ms(stage) for _ in range(_ALONE)]
    hops, wait = await hops_ms(stage, 2 * _ALONE), wait_ms(stage, PERSONALITY)
    ways = [there + back for there, back in zip(hops[::2], hops[1::2], strict=True)]
    return Round(
        ours=tuple(ours.turns_ms),
        peer=tuple(peer.turns_ms),
        limit=tuple(max(wait, one) + way for one, way in zip(speech, ways, strict=True)),
        parts={"wait": (wait,), "stt+llm+tts alone": tuple(speech), "hop": tuple(hops)},
    )


if __name__ == "__main__":
    main(
        Benchmark(
            name="turn_latency",
            about="End of the caller's speech to the agent's first sound, on the phone leg, beside a plain LiveKit worker.",
            limit_is="the longer of the end-of-turn wait and STT + LLM + TTS alone, plus the sound's way to the agent and back",
            default_rounds=3,
            warm_up=warm_up,
            one_round=one_round,
        )
    )
