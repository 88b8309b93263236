"""LiveKit: does its SIP service answer, do the keys fit, which address does it tell the carrier, how soon does an agent come?"""

import asyncio
import secrets
import time
from contextlib import suppress

import aiohttp
from livekit import api

from modules.doctor.subject import Subject
from modules.doctor.verdict import Finding, amber, green, not_proven, red

_AWAY = (aiohttp.ClientError, TimeoutError, OSError)
_NOWHERE = "127.0.0.1:9"  # the discard port of livekit-sip's own machine: a dial there can ring nobody
_AGENT_AMBER_S, _AGENT_RED_S = 3.0, 8.0


async def sip_service(subject: Subject) -> Finding:
    """Where calls need it, a livekit-sip takes them."""
    if not subject.trunks:
        return not_proven("No real trunk is configured; the simulated carrier needs no livekit-sip.")
    return await sip_answers(subject)


async def sip_answers(subject: Subject) -> Finding:
    """A livekit-sip shares Redis and keys with livekit-server: a request for a call reaches it."""
    room = f"doctor-{secrets.token_hex(4)}"
    asked = api.CreateSIPParticipantRequest(
        room_name=room, participant_identity="doctor", sip_call_to="0", sip_number="0",
        trunk=api.SIPOutboundConfig(hostname=_NOWHERE, transport=api.SIPTransport.SIP_TRANSPORT_TCP),
    )  # fmt: skip
    try:
        async with asyncio.timeout(10):
            await subject.lkapi.sip.create_sip_participant(asked)
    except api.ServerError as error:
        said = error.message or ""
        if "no response from servers" in said:
            fix = "Start livekit-sip with the same Redis, LIVEKIT_API_KEY and LIVEKIT_API_SECRET as livekit-server."
            return red("No SIP service took the request.", fix)
        if "sip not connected" in said:
            fix = "Give livekit-server and livekit-sip the same Redis in their configuration."
            return red("livekit-server runs without Redis, so no SIP service can be found.", fix)
    except _AWAY:
        return not_proven("livekit-server does not answer.", "Start it: ./voicefleet up")
    finally:
        with suppress(api.ServerError, *_AWAY):
            await subject.lkapi.room.delete_room(api.DeleteRoomRequest(room=room))
    return green("livekit-sip takes requests.")


async def keys(subject: Subject) -> Finding:
    """livekit-server accepts our key. (An example secret or a short one is refused when settings are read.)"""
    try:
        async with asyncio.timeout(5):
            await subject.lkapi.room.list_rooms(api.ListRoomsRequest())
    except api.ServerError as error:
        if error.status in (401, 403):
            fix = "Give livekit-server, livekit-sip and Voicefleet the same LIVEKIT_API_KEY and LIVEKIT_API_SECRET."
            return red("livekit-server refuses our key or secret.", fix)
        return not_proven(f"livekit-server answers {error.status}.")
    except _AWAY:
        return red("livekit-server does not answer.", "Start it (./voicefleet up), or correct LIVEKIT_URL.")
    return green("livekit-server accepts our key.")


async def advertised_address(subject: Subject) -> Finding:
    """The carrier is told an address that it can reach."""
    if not subject.trunks:
        return not_proven("No real trunk is configured; sound stays on this machine.")
    service = subject.service("sip-server")
    if not service:
        return not_proven("There is no docker-compose.yaml here; read use_external_ip in livekit-sip's own configuration.")
    if subject.settings.sip_publish_on.startswith("127."):
        fix = "Set SIP_PUBLISH_ON=0.0.0.0 and SIP_USE_EXTERNAL_IP=true in .env."
        return red("livekit-sip listens for this machine only: no carrier's sound can reach it.", fix)
    config = str(service.get("environment", {}).get("SIP_CONFIG_BODY", ""))
    external = "use_external_ip: true" in config or subject.settings.sip_use_external_ip
    fixed = "nat_1_to_1_ip:" in config
    if external and fixed:
        return red("use_external_ip and nat_1_to_1_ip exclude each other.", "Keep one of them in SIP_CONFIG_BODY.")
    if not (external or fixed):
        fix = "Set SIP_USE_EXTERNAL_IP=true in .env, or nat_1_to_1_ip in SIP_CONFIG_BODY."
        return red("The carrier is told a container's private address: nobody hears anything.", fix)
    return not_proven("It is told the public address; that the sound arrives shows a call only.")


async def browser_address(subject: Subject) -> Finding:
    """A browser on this machine can reach a livekit-server in a container."""
    service = subject.service("livekit")
    if not service:
        return green("livekit-server runs on this machine itself.")
    config = str(service.get("environment", {}).get("LIVEKIT_CONFIG", ""))
    if "udp_port:" not in config:
        fix = "Give rtc one udp_port in LIVEKIT_CONFIG and publish it."
        return amber("livekit-server in its container uses a range of UDP ports, which Docker Desktop does not forward.", fix)
    return green("livekit-server uses one UDP port.")


async def sound_arrives(subject: Subject) -> Finding:
    """Whether the carrier's sound arrives cannot be seen from the inside."""
    fix = "Call a number of yours: ./voicefleet doctor --loop --trunk NAME --number +…; or your phone: ./voicefleet call"
    return not_proven("Whether UDP from the carrier arrives shows a call only.", fix)


async def agent_comes(subject: Subject) -> Finding:
    """An agent joins a room within seconds: until then, a caller would hear nothing."""
    room, started = f"doctor-{secrets.token_hex(4)}", time.monotonic()
    dispatch = api.RoomAgentDispatch(agent_name=subject.settings.livekit_agent_name)
    try:
        await subject.lkapi.room.create_room(api.CreateRoomRequest(name=room, empty_timeout=20, agents=[dispatch]))
        async with asyncio.timeout(2 * _AGENT_RED_S):
            while not await _agent_in(subject, room):  # noqa: ASYNC110 - LiveKit is asked over HTTP
                await asyncio.sleep(0.05)
    except TimeoutError:
        fix = "Look at the worker's log; is LIVEKIT_AGENT_NAME the same everywhere?"
        return red(f"No agent came into a room within {2 * _AGENT_RED_S:g} s.", fix)
    except (api.ServerError, *_AWAY):
        return not_proven("livekit-server does not answer.", "Start it: ./voicefleet up")
    finally:
        with suppress(api.ServerError, *_AWAY):
            await subject.lkapi.room.delete_room(api.DeleteRoomRequest(room=room))
    took_s = time.monotonic() - started
    if took_s > _AGENT_AMBER_S:
        fix = "Give the workers more CPU, or fewer WORKER_SLOTS."
        return (red if took_s > _AGENT_RED_S else amber)(f"An agent came after {took_s:.1f} s.", fix)
    return green(f"An agent came after {took_s:.1f} s.")


async def _agent_in(subject: Subject, room: str) -> bool:
    found = await subject.lkapi.room.list_participants(api.ListParticipantsRequest(room=room))
    return any(one.kind == api.ParticipantInfo.Kind.AGENT for one in found.participants)
