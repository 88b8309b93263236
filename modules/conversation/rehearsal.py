"""Talking to a personality without a phone: LiveKit's `console` and `connect` verbs. Nothing is dialled, nothing is recorded."""

from datetime import UTC, datetime

from livekit.agents import JobContext, vad

from config import Settings
from modules.calls import Call, Direction, new_call_id
from modules.conversation.call_script import Composer
from modules.conversation.personalities import personalities_of
from modules.conversation.session import Caller, make_session
from modules.conversation.speech import build
from modules.conversation.tools import Hands, tools_of


async def rehearse(ctx: JobContext, settings: Settings, activity: vad.VAD) -> None:
    """Speak as the default personality with whoever is in the room (or at the console)."""
    now = datetime.now(UTC)
    call_id = new_call_id(Direction.OUTBOUND, now)
    call = Call(call_id=call_id, personality=settings.default_personality, created_at=now, expires_at=now)
    script = Composer(personalities_of(settings)).compose(call)
    voice = build(script.personality.content.components, settings, script.variables, activity)
    session = make_session(script, voice, activity)
    await ctx.connect()
    hands = Hands(ctx.room, lambda: ctx.shutdown("the agent said goodbye"), _nowhere, lambda *_: None)
    tools = tools_of(script.personality.content, hands)
    agent = Caller(script, tools, voice.unheard)
    await session.start(agent, room=ctx.room, record=False)
    session.say(script.greeting, allow_interruptions=False)


async def _nowhere(name: str, number: str) -> str:
    return "This is a rehearsal; there is no phone to hand over."
