"""One simulated call from the dial request to its end: join, ring, answer or refuse, talk, leave. Owns its leg and no other.

It reports twice: `joined` when the participant is in the room, `answered` with the answer or the refusal.
"""

import asyncio
import contextlib
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from livekit import api, rtc

from modules.calls.numbers import mask
from modules.conversation.speech.local import FliteTTS
from modules.conversation.speech.local.flite import SAMPLE_RATE
from modules.metrics_logger import get_logger
from modules.simulation import twirp
from modules.simulation.callee import Callee
from modules.simulation.ears import Ears, Hears
from modules.simulation.g711 import RATE, MuLaw, Samples, resample
from modules.simulation.ledger import Dial, Ledger, Spoken
from modules.simulation.leg import Leg, LiveKit
from modules.simulation.meter import Meter
from modules.simulation.scenario import Person, Scenario

log = get_logger(__name__)

RINGS_AT_MOST_S = 180.0  # livekit-sip's own limit for a request that names none
_LAST_WORDS_S = 3.0  # a busy machine takes that long to understand them
_LEAVES_WITH = {
    "486": rtc.DisconnectReason.USER_REJECTED,
    "600": rtc.DisconnectReason.USER_REJECTED,
    "603": rtc.DisconnectReason.USER_REJECTED,
    "480": rtc.DisconnectReason.USER_UNAVAILABLE,
    "408": rtc.DisconnectReason.USER_UNAVAILABLE,
    "canceled": rtc.DisconnectReason.USER_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Network:
    """What all calls of one carrier share; none of it belongs to a call."""

    livekit: LiveKit
    listener: Hears
    voices: dict[str, FliteTTS]
    mulaw: MuLaw
    threads: Executor
    ledger: Ledger


class SimulatedCall:
    def __init__(self, network: Network, dial: Dial, request: api.CreateSIPParticipantRequest, scenario: Scenario | None) -> None:
        loop = asyncio.get_running_loop()
        self.dial, self.request = dial, request
        self.joined: asyncio.Future[None] = loop.create_future()
        self.answered: asyncio.Future[None] = loop.create_future()
        self.transferred = asyncio.Event()
        self._network, self._scenario = network, scenario
        self._leg = Leg(request.participant_identity)
        self._log = log.bind(sip_call_id=dial.sip_call_id, call_id=dial.call_id or None, number=mask(dial.to_number))

    @property
    def participant_id(self) -> str:
        return self._leg.room.local_participant.sid if self.joined.done() else ""

    @property
    def _room_config(self) -> api.RoomConfiguration | None:
        """How the room is made where it is not there; None: whoever dials has made it."""
        return None

    def is_in(self, room: str, identity: str) -> bool:
        """Whether this is the answered call of that participant."""
        here = (self.dial.room, self.dial.identity) == (room, identity)
        return here and self.answered.done() and self.dial.ended_at is None and not self.transferred.is_set()

    async def run(self) -> None:
        """Live the whole call. Whatever goes wrong ends this call alone, and both futures are settled."""
        reason = rtc.DisconnectReason.CLIENT_INITIATED
        try:
            await self._join()
            await self._ring()
            await self._talk()
        except twirp.Refused as refused:
            reason = _LEAVES_WITH.get(str(refused.sip_status or refused.code), rtc.DisconnectReason.SIP_TRUNK_FAILURE)
            self._refuse(refused)
        except Exception as error:
            reason = rtc.DisconnectReason.UNKNOWN_REASON
            self._refuse(self._why_it_broke(error))
        finally:
            self._settle(twirp.Refused("unavailable", "the simulated carrier is stopping"))
            self._ended("carrier")
            await self._leg.leave(reason)

    async def _join(self) -> None:
        attributes = dict(self.request.participant_attributes) | self._sip_attributes()
        try:
            await self._leg.join(self._network.livekit, self.request, attributes, self._room_config)
        except Exception as error:
            raise twirp.Refused("unavailable", f"livekit-server cannot be reached: {error}") from error
        self.joined.set_result(None)

    async def _ring(self) -> None:
        """Return when somebody answers; raise Refused otherwise."""
        scenario = self._scenario
        self._now("ringing")
        with contextlib.suppress(Exception):  # a room that went away is seen on the next line
            await self._leg.status("ringing")
        limit_s = self.request.ringing_timeout.ToTimedelta().total_seconds() or RINGS_AT_MOST_S
        rings_s = 0.2 if scenario is None else RINGS_AT_MOST_S * 2 if scenario.never_answers else scenario.rings_s
        await asyncio.wait({self._leg.gone}, timeout=min(limit_s, rings_s))
        if self._leg.gone.done():
            raise twirp.taken_back()
        if limit_s < rings_s:
            raise twirp.no_answer()
        if scenario is None:
            raise twirp.by_sip(404, "Not Found")
        if scenario.refusal is not None:
            raise twirp.of(scenario.refusal)

    async def _talk(self) -> None:
        assert self._scenario is not None and self._scenario.person is not None
        person, clock = self._scenario.person, asyncio.get_running_loop().time
        self.dial.answered_at = datetime.now(UTC)
        meter = Meter(clock())

        def record(spoken: Spoken) -> None:
            self.dial.transcript.append(spoken)
            self._measured(meter, clock())

        callee = Callee(person, self._leg, meter, lambda text: self._speech(person, text), record)
        ears = Ears(meter, self._network.mulaw, self._network.listener, person.pause_s, self._network.threads, callee.hears)
        await self._leg.answer(ears.follow)
        self._now("answered")
        self.answered.set_result(None)
        by = await self._until_somebody_ends_it(callee)
        ended_at, stopped = datetime.now(UTC), clock()
        await self._last_words(ears)
        self._measured(meter, stopped)
        self._ended(by, ended_at)

    def _measured(self, meter: Meter, now: float) -> None:
        self.dial.first_word_ms, self.dial.turns_ms = meter.first_word_ms, meter.turns_ms
        self.dial.longest_silence_ms = meter.longest_silence_ms(now)
        self.dial.longest_wait_ms = meter.longest_wait_ms(now)

    async def _last_words(self, ears: Ears) -> None:
        """What the agent was saying when the line was cut still counts as said."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await ears.last_words()

    async def _until_somebody_ends_it(self, callee: Callee) -> str:
        talking = asyncio.create_task(self._conversation(callee), name=f"callee {self.dial.sip_call_id}")
        transferred = asyncio.create_task(self.transferred.wait(), name=f"transfer {self.dial.sip_call_id}")
        limit_s = self.request.max_call_duration.ToTimedelta().total_seconds() or None
        try:
            ends: list[asyncio.Future[Any]] = [talking, transferred, self._leg.gone]
            await asyncio.wait(ends, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if self._leg.gone.done():
                return self._leg.gone.result()
            if transferred.done():
                return "transfer"
            if talking.done():
                talking.result()
                return "callee"
            return "time_limit"
        finally:
            for task in (talking, transferred):
                task.cancel()
            await asyncio.gather(talking, transferred, return_exceptions=True)

    async def _conversation(self, callee: Callee) -> None:
        if self.request.dtmf:
            await self._leg.status("automation")
            for key in self.request.dtmf:
                if key == "w":
                    await asyncio.sleep(0.5)
                else:
                    self._leg.key_pressed(key)
            await self._leg.status("active")
        await callee.converse()

    async def _speech(self, person: Person, text: str) -> Samples:
        """`text` in this person's voice, as the other end of a phone line hears it."""
        pcm = await self._network.voices[person.voice].speak(text)
        samples: Samples = await asyncio.to_thread(resample, pcm, SAMPLE_RATE, RATE)
        return self._network.mulaw(samples) if len(samples) else np.zeros(0, dtype=np.int16)

    def _sip_attributes(self) -> dict[str, str]:
        numbers = {"sip.phoneNumber": self.dial.to_number, "sip.trunkPhoneNumber": self.dial.from_number}
        return {
            "sip.callID": self.dial.sip_call_id,
            "sip.callIDFull": f"{self.dial.sip_call_id}@simulated.invalid",
            "sip.trunkID": self.request.sip_trunk_id,
            "sip.hostname": "simulated.invalid",
            "sip.callStatus": "dialing",
            "sip.simulated": "true",
            **({} if self.request.hide_phone_number else numbers),
        }

    def _now(self, result: str) -> None:
        self.dial.result = result
        self._network.ledger.write(self.dial)
        self._log.info(f"simulated_{result}")

    def _why_it_broke(self, error: Exception) -> twirp.Refused:
        """A room that goes away in the middle of a request to it is a hang-up, not a fault."""
        if self._leg.gone.done():
            return twirp.taken_back()
        self._log.error("simulated_call_broke", exc_info=error)
        return twirp.Refused("internal", f"the simulated call broke: {type(error).__name__}")

    def _refuse(self, refused: twirp.Refused) -> None:
        taken_back = self._leg.gone.done()
        if self.dial.answered_at is None:
            self.dial.result = str(refused.sip_status or refused.code)
        by_caller = taken_back or refused.code == "canceled"
        self._ended("caller" if by_caller else "callee" if refused.sip_status else "carrier")
        self._settle(refused)

    def _settle(self, refused: twirp.Refused) -> None:
        for future in (self.joined, self.answered):
            if not future.done():
                future.set_exception(refused)
                future.exception()  # nobody may be waiting for it

    def _ended(self, by: str, at: datetime | None = None) -> None:
        if self.dial.ended_at is None:
            self.dial.ended_by, self.dial.ended_at = self._side(by), at or datetime.now(UTC)
            self.dial.digits_heard = self._leg.digits_heard
            self._network.ledger.write(self.dial)
            self._log.info("simulated_ended", by=by, result=self.dial.result)

    def _side(self, by: str) -> str:
        return by
