"""The peer: a LiveKit worker as one writes it by hand for outbound calls, with the framework's defaults. Not part of the product.

One job is one call: connect, dial and wait for the answer, start the session, say the greeting. Nothing is queued, kept or
repeated. What it is told is `PeerJob`; ours and it use the same speech, server and simulated carrier.
"""

import asyncio
import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from livekit import api
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobExecutorType

from modules.conversation.priority import give_up_real_time
from modules.conversation.speech.local import collect_lines, flite_tts, load_script, scripted_llm, sphinx_stt

NAME = "peer"
Kind = Literal["plain", "tuned"]


@dataclass(frozen=True, slots=True)
class PeerJob:
    """One call of the peer. `tuned` starts the session before it dials and waits no longer for an end of turn than we do."""

    number: str
    greeting: str
    script: str
    kind: Kind
    wait_s: float

    def to_json(self) -> str:
        return json.dumps(asdict(self))


async def entrypoint(ctx: JobContext) -> None:
    job = PeerJob(**json.loads(ctx.job.metadata))
    prompts, scenarios = Path(os.environ["PEER_PROMPTS_DIR"]), Path(os.environ["PEER_SCENARIOS_DIR"])
    session = AgentSession[None](
        stt=sphinx_stt(collect_lines(scenarios)),
        llm=scripted_llm(load_script(prompts / "scripts" / f"{job.script}.yaml")),
        tts=flite_tts("rms"),
        **_options(job),
    )
    agent = Agent(instructions="You speak with a person on the phone.")
    await ctx.connect()
    if job.kind == "tuned":
        starting = asyncio.create_task(session.start(agent, room=ctx.room), name="session")
        await _dial(ctx, job)
        await starting
    else:
        await _dial(ctx, job)
        await session.start(agent, room=ctx.room)
    session.say(job.greeting)


def _options(job: PeerJob) -> dict[str, Any]:
    if job.kind == "plain":
        return {}
    return {"turn_handling": {"turn_detection": "vad", "endpointing": {"min_delay": job.wait_s}}}


async def _dial(ctx: JobContext, job: PeerJob) -> None:
    # ctx.api speaks to livekit-server, which has no SIP service here; the simulated carrier has an address of its own.
    carrier = api.LiveKitAPI(os.environ["PEER_SIP_API_URL"], failover=False)
    try:
        await carrier.sip.create_sip_participant(
            api.CreateSIPParticipantRequest(
                sip_trunk_id="ST_simulated",
                sip_call_to=job.number,
                room_name=ctx.room.name,
                participant_identity="phone",
                wait_until_answered=True,
            )
        )
    finally:
        await carrier.aclose()


def main() -> None:
    give_up_real_time()  # as our workers do; otherwise a peer that runs as root would starve its own Python
    server = AgentServer(
        load_threshold=math.inf,  # the default refuses jobs on a busy small machine
        job_executor_type=JobExecutorType.PROCESS,
        port=0,
        host="127.0.0.1",
    )
    server.rtc_session(entrypoint, agent_name=NAME)
    server.on("worker_registered", lambda *_: Path(os.environ["PEER_READY_FILE"]).touch())
    asyncio.run(server.run())


if __name__ == "__main__":
    main()
