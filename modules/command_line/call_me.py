"""The first call after a trunk was set up: to the operator's own phone, only if they type its number."""

from modules.calls import numbers
from modules.calls.errors import InvalidField, InvalidNumber
from modules.command_line import ask
from modules.command_line.errors import Refused, Unreachable
from modules.command_line.options import client
from modules.command_line.output import Output
from modules.command_line.watching import show_live
from modules.sip_management.trunks import REAL


async def offer_a_call(output: Output, default_region: str) -> None:
    """Ask for a number and call it, live on the screen; where no fleet with the trunk is up, say what to type."""
    typed = ask.answer("Your own phone's number, for a first call now (Enter: no call)")
    if not typed:
        output.say("later:  ./voicefleet call NUMBER --watch", "")
        return
    try:
        number = numbers.parse(typed, default_region)
    except InvalidNumber as error:
        output.say(f"{error.message} Nothing was dialled; type it as: ./voicefleet call NUMBER --watch", "")
        return
    async with client("") as api:
        try:
            placed = await api.place({"to_number": number, "trunk": REAL})
        except (Refused, Unreachable) as error:
            output.say(f"not called: {error.message}", "yellow")
            output.say(f"next:  {_next(error)}", "")
            output.say(f"then:  ./voicefleet call {number} --watch", "")
            return
        await show_live(api, placed, output)


def _next(error: Refused | Unreachable) -> str:
    if isinstance(error, Unreachable):
        return "./voicefleet up --detach"
    if error.code == InvalidField.code:
        return "./voicefleet down, then ./voicefleet up --detach: a fleet reads .env only when it starts"
    return error.fix or "./voicefleet doctor"
