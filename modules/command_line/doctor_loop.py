"""`doctor --loop`: the fleet calls itself over real SIP. What is done and judged is in modules/doctor/loop.py."""

from config import Settings
from modules.calls.errors import InvalidField, Unavailable
from modules.command_line.doctor_parts import closing, show_finding, subject_of
from modules.command_line.errors import Unreachable, WrongUse
from modules.command_line.options import client
from modules.command_line.output import Output


async def looped(settings: Settings, trunk: str, number: str, api_url: str, output: Output) -> int:
    """Loop one call, tell the way there on standard error, print the lines. Returns 1 where something is bad."""
    from modules.call_queue_manager import connect
    from modules.doctor import Colour
    from modules.doctor.loop import loop, way_over, way_round
    from modules.sip_management.client import sip_client
    from modules.sip_management.trunks import TrunksUnusable

    try:
        way = way_over(settings, _answering(settings), trunk, number) if trunk else way_round(settings)
        async with (
            closing(await connect(settings.redis_url)) as store, subject_of(settings) as subject, sip_client(settings) as lkapi,
            client(api_url) as calls,
        ):  # fmt: skip
            found = await loop(subject, store, lkapi, calls, way, output.say)
    except (InvalidField, TrunksUnusable) as error:
        raise WrongUse(error.message, "./voicefleet trunks status shows the trunks, agents/*.yaml have the numbers") from None
    except Unavailable as error:
        raise Unreachable(error.message, "./voicefleet up starts the fleet here; one --loop runs at a time") from None
    if output.as_json:
        output.json({"checks": [line.to_json() for line in found]})
    else:
        for line in found:
            show_finding(output, line.title, line.finding)
    return 1 if any(line.finding.colour is Colour.RED for line in found) else 0


def _answering(settings: Settings) -> dict[str, str]:
    from modules.conversation.personalities import personalities_of

    return personalities_of(settings).answering()
