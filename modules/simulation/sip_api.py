"""LiveKit's SIP API over HTTP, as far as a fleet needs it, and what a test wants to read: /ledger, /scenarios, /healthz.
Calls that come in are asked for in inbound_api.py.

Twirp: protobuf in and out, errors as JSON. Tokens are checked as livekit-server checks them. No call logic here.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import jwt
from aiohttp import web
from google.protobuf.message import DecodeError, Message
from livekit import api

from modules.metrics_logger import get_logger
from modules.simulation import twirp
from modules.simulation.carrier import Carrier
from modules.simulation.inbound_api import add_inbound

log = get_logger(__name__)

LARGEST_BODY = 256 * 1024
_PROTOBUF = "application/protobuf"
Request = TypeVar("Request", bound=Message)


def make_app(carrier: Carrier, tokens: api.TokenVerifier) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)

    async def create(request: web.Request) -> web.StreamResponse:
        return await _twirp(request, tokens, api.CreateSIPParticipantRequest(), carrier.dial)

    async def transfer(request: web.Request) -> web.StreamResponse:
        return await _twirp(request, tokens, api.TransferSIPParticipantRequest(), carrier.transfer)

    async def unknown(request: web.Request) -> web.StreamResponse:
        return _refusal(twirp.Refused("bad_route", f"no handler for path {request.path}"))

    async def ledger(request: web.Request) -> web.Response:
        return web.json_response([dial.to_json() for dial in carrier.ledger.dials(request.query.get("call_id"))])

    async def scenarios(request: web.Request) -> web.Response:
        return web.json_response([scenario.model_dump(mode="json") for scenario in carrier.scenarios.values()])

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "calls": carrier.calls_now})

    app.router.add_post("/twirp/livekit.SIP/CreateSIPParticipant", create)
    app.router.add_post("/twirp/livekit.SIP/TransferSIPParticipant", transfer)
    app.router.add_route("*", "/twirp/{rest:.*}", unknown)
    app.router.add_get("/ledger", ledger)
    app.router.add_get("/scenarios", scenarios)
    app.router.add_get("/healthz", healthz)
    add_inbound(app, carrier)
    return app


async def _twirp(
    request: web.Request, tokens: api.TokenVerifier, message: Request, handle: Callable[[Request], Awaitable[Message]]
) -> web.StreamResponse:
    try:
        _authorize(request, tokens)
        if request.content_type != _PROTOBUF:
            raise twirp.Refused("bad_route", f"unexpected Content-Type: {request.content_type}")
        try:
            message.ParseFromString(await request.read())
        except DecodeError:
            raise twirp.Refused("malformed", "the protobuf request could not be decoded") from None
        return web.Response(body=(await handle(message)).SerializeToString(), content_type=_PROTOBUF)
    except twirp.Refused as refused:
        return _refusal(refused)


def _authorize(request: web.Request, tokens: api.TokenVerifier) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = tokens.verify(token) if scheme == "Bearer" else None
    except jwt.PyJWTError as error:
        raise twirp.Refused("unauthenticated", f"invalid token: {error}") from None
    if claims is None or claims.sip is None or not claims.sip.call:
        raise twirp.Refused("unauthenticated", "permissions denied")


def _refusal(refused: twirp.Refused) -> web.Response:
    return web.json_response(refused.body(), status=refused.http_status)
