"""What contract tests say to the SIP API, and what they ask the simulated carrier's ledger afterwards."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
from google.protobuf.duration_pb2 import Duration
from livekit import api

Dial = dict[str, Any]


def request(number: str, room: str, **fields: Any) -> api.CreateSIPParticipantRequest:
    """A dial request as the fleet makes it."""
    return api.CreateSIPParticipantRequest(
        **{
            "sip_trunk_id": "ST_simulated",
            "sip_call_to": number,
            "sip_number": "+12025550199",
            "room_name": room,
            "participant_identity": "callee",
            "participant_attributes": {"voicefleet.call_id": room, "voicefleet.attempt": "1"},
            "wait_until_answered": True,
            "ringing_timeout": Duration(seconds=20),
            **fields,
        }
    )


async def refusal(sip: api.LiveKitAPI, dial: api.CreateSIPParticipantRequest) -> api.ServerError:
    """The error that a dial ends in."""
    try:
        answered = await sip.sip.create_sip_participant(dial)
    except api.ServerError as error:
        return error
    raise AssertionError(f"{dial.sip_call_to} answered: {answered}")


async def ledger(carrier_url: str, call_id: str) -> list[Dial]:
    async with aiohttp.ClientSession() as http, http.get(f"{carrier_url}/ledger", params={"call_id": call_id}) as answer:
        dials: list[Dial] = await answer.json()
        return dials


async def ledger_says(
    carrier_url: str, call_id: str, true: Callable[[Dial], bool], which: int = -1, within_s: float = 40
) -> Dial:
    """Wait until one dial of a call (the last) is as wanted, and return it."""
    dials: list[Dial] = []
    try:
        async with asyncio.timeout(within_s):
            while not (dials := await ledger(carrier_url, call_id)) or not true(dials[which]):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"the ledger still says {dials}") from None
    return dials[which]


def ended(dial: Dial) -> bool:
    return dial["ended_at"] is not None
