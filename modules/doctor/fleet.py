"""The fleet: is there a worker with room for a call?"""

from modules.calls.errors import Unavailable
from modules.doctor.subject import Subject
from modules.doctor.verdict import Finding, amber, green, not_proven, red


async def workers(subject: Subject) -> Finding:
    """A worker beats and has a free slot."""
    try:
        alive = await subject.workers()
    except Unavailable:
        return not_proven("Redis does not answer, so no worker can be seen.", "Start it: ./voicefleet up")
    free = sum(worker.slots - worker.active for worker in alive)
    if not sum(worker.slots for worker in alive):
        return red("No worker takes calls: they wait, and callers hear endless ringing.", "Start one: ./voicefleet up")
    if free <= 0:
        return amber(f"All slots of {len(alive)} worker(s) are taken; calls wait.", "Raise NUM_AGENTS, or WORKER_SLOTS.")
    return green(f"{len(alive)} worker(s), {free} free slot(s).")
