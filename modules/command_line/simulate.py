"""`simulate inbound`: somebody calls one of our numbers over the simulated network. It asks the carrier, not the API."""

from typing import Annotated, Any

import httpx2
import typer

from config import load
from modules.command_line.errors import CommandError, Unreachable
from modules.command_line.options import AsJson
from modules.command_line.output import Output, run
from modules.fleet.plan import USUAL_CARRIER

app = typer.Typer(no_args_is_help=True, help="Calls without phones.")
_SHORT_CALL = "+12025550111"
_ANSWER_S = 15.0
_ENSURE = "./voicefleet trunks ensure makes trunk and rule for the numbers in your personalities' inbound_numbers"


@app.callback()
def simulate() -> None:
    """Calls without phones."""


@app.command()
def inbound(
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Which of our numbers is called.", show_default=False)],
    caller: Annotated[str, typer.Option("--from", metavar="NUMBER", help="The number the caller shows.")] = _SHORT_CALL,
    scenario: Annotated[str, typer.Option("--scenario", metavar="NUMBER", help="Who calls: a scenario's number.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let somebody call one of our numbers over the simulated carrier; no phone rings.

    Without --scenario the person of --from calls, where that is a scenario's number, else the one of the short call.

    Example: ./voicefleet simulate inbound --to +12025550140
    """
    output = Output(as_json=as_json)

    async def work() -> None:
        entry = await _ring({"to": to, "from": caller, "scenario": scenario})
        if as_json:
            output.json(entry)
        else:
            output.line(f"{entry['scenario']} rings {to} (simulated)")
            output.say("how it goes: ./voicefleet calls")

    run(work(), output)


async def _ring(wanted: dict[str, str]) -> dict[str, Any]:
    url = load().sip_api_url or USUAL_CARRIER
    try:
        async with httpx2.AsyncClient(base_url=url, timeout=_ANSWER_S) as carrier:
            known = {one["number"] for one in (await carrier.get("/scenarios")).raise_for_status().json()}
            plays = wanted["scenario"] or (wanted["from"] if wanted["from"] in known else _SHORT_CALL)
            answer = await carrier.post("/inbound", json=wanted | {"scenario": plays})
    except httpx2.HTTPError as error:
        raise Unreachable(f"the simulated carrier at {url} does not answer ({type(error).__name__})", "./voicefleet up") from None
    entry: dict[str, Any] = answer.json()
    if answer.status_code == 202:
        return entry
    if answer.status_code == 403 and entry.get("why"):
        raise CommandError(f"nothing lets this call in: {entry['why']}", _ENSURE, code="dropped")
    raise CommandError(str(entry.get("detail", entry)), _ENSURE if answer.status_code == 503 else "", code="not_placed")
