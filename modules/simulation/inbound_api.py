"""`POST /inbound`: somebody rings one of our numbers, on the simulated network. Asked for by tests and the command line.

For this machine alone: whoever can ask for calls can fill the fleet.
"""

import ipaddress
import json
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from modules.simulation import twirp
from modules.simulation.carrier import Carrier
from modules.simulation.inbound_call import Patience
from modules.simulation.inbound_match import Invite

Number = Annotated[str, StringConstraints(pattern=r"^[+0-9A-Za-z*#.]{0,32}$")]


class Wanted(BaseModel):
    """Who rings whom. `scenario` is the number of the scenario that the caller plays; without it, `from` is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to_number: Number = Field(alias="to", min_length=1)
    from_number: Number = Field(alias="from")
    scenario: str = ""
    address: str = "127.0.0.1"
    username: str = ""
    password: str = ""
    patience_s: float | None = Field(default=None, gt=0, le=600)

    def invite(self) -> Invite:
        """Return it as the carrier's INVITE."""
        return Invite(self.to_number, self.from_number, self.address, self.username, self.password)


def add_inbound(app: web.Application, carrier: Carrier) -> None:
    """Answer POST /inbound: 202 with the ledger's entry when it rings, 403 with the entry when it was dropped."""

    async def inbound(request: web.Request) -> web.StreamResponse:
        if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:
            return _wrong(403, "calls can be asked for from this machine only")
        try:
            wanted = Wanted.model_validate_json(await request.read())
        except ValidationError as error:
            return _wrong(422, "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()))
        scenario = carrier.scenarios.get(wanted.scenario or wanted.from_number)
        if scenario is None or scenario.person is None:
            return _wrong(422, "scenario: must be the number of a scenario with a person; GET /scenarios lists them")
        try:
            dial = await carrier.call_in(wanted.invite(), scenario, Patience(wanted.patience_s))
        except twirp.Refused as refused:
            return _wrong(refused.http_status, refused.message)
        return web.json_response(dial.to_json(), status=403 if dial.result == "dropped" else 202)

    app.router.add_post("/inbound", inbound)


def _wrong(status: int, message: str) -> web.Response:
    return web.Response(status=status, text=json.dumps({"detail": message}), content_type="application/json")
