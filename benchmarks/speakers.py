"""The same words for both: the peer is given the greeting and the script of one of our personalities. Says nothing."""

from livekit.agents import inference

from benchmarks.peer_worker import Kind, PeerJob
from benchmarks.stage import Stage
from modules.conversation.personalities import personalities_of
from modules.conversation.session import voice_activity


def peer_job(stage: Stage, personality: str, number: str, kind: Kind) -> PeerJob:
    """Return the peer's call that corresponds to ours."""
    content = personalities_of(stage.settings).load(personality).content
    return PeerJob(
        number=number,
        greeting=content.greeting,
        script=content.components.llm[0].script,
        kind=kind,
        wait_s=content.turns.endpointing_s,
    )


def wait_ms(stage: Stage, personality: str) -> float:
    """Return the silence after which our agent takes its turn: the detector's own or the configured one, whichever is longer."""
    turns = personalities_of(stage.settings).load(personality).content.turns
    activity = voice_activity()
    silence_s = activity.min_silence_duration if isinstance(activity, inference.VAD) else None
    return 1000 * max(turns.endpointing_s, silence_s or 0.0)
