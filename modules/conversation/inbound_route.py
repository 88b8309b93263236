"""Which personality answers a call that came in: the rule that let it in may say; else the called number; else the default."""

from config import Settings
from modules.calls.job import InboundJob
from modules.conversation.personalities import Personalities
from modules.metrics_logger import get_logger
from modules.sip_management.phone import Phone

log = get_logger("voice_agent")


def answering(job: InboundJob, phone: Phone, personalities: Personalities, settings: Settings) -> str:
    """Return the id of the personality that answers, "" where nobody does.

    The default answers our own SIP_FROM_NUMBER and calls whose called number is hidden; any other number that no
    personality claims is one that nobody answers.
    """
    if job.personality:
        if personalities.usable(job.personality):
            return job.personality
        log.error("inbound.unknown_personality", personality=job.personality, next="correct the dispatch rule's metadata")
    if found := personalities.answering().get(phone.called):
        return found
    return settings.default_personality if phone.called in ("", settings.sip_from_number) else ""
