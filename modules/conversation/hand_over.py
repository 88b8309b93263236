"""Handing a call over to somebody else's phone: the gate is asked as for every number, then the carrier."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from livekit import api

from config import Settings, policy
from modules.call_queue_manager import CallQueue, Held, Store
from modules.calls.errors import Unavailable
from modules.calls.gate import Allowed, decide
from modules.metrics_logger import get_logger
from modules.sip_management import meaning_of, transfer

log = get_logger("voice_agent")


class HandOver:
    """One call's way to other phones. `identity` is the phone's in `room`."""

    def __init__(self, settings: Settings, store: Store, held: Held, room: str, identity: str) -> None:
        self._settings, self._store, self._held = settings, store, held
        self._room, self._identity = room, identity

    async def to(self, number: str) -> str:
        """Hand the call over to a number (E.164); return "" or, where that failed, why, as a sentence for people."""
        call_id = self._held.call.call_id
        try:
            if refused := await self._refused(number):
                return refused
        except Unavailable as error:
            return error.message
        where = self._settings.sip_api_url if self._held.call.simulated else self._settings.http_url
        secret = self._settings.livekit_api_secret.get_secret_value()
        try:
            # No failover: a request that is sent twice rings twice.
            async with api.LiveKitAPI(where, self._settings.livekit_api_key, secret, failover=False) as carrier:
                await transfer(
                    carrier, room=self._room, identity=self._identity, to_number=number,
                    ringing_timeout_s=self._settings.ring_timeout_s,
                )  # fmt: skip
        except Exception as error:
            meaning, sip_status = meaning_of(error)
            log.info("call.not_handed_over", call_id=call_id, sip_status_code=sip_status, error=type(error).__name__)
            return meaning.sentence
        log.info("call.handed_over", call_id=call_id)
        return ""

    async def _refused(self, number: str) -> str:
        """Why our own rules do not let this number be rung now; "" if they do. Raises Unavailable."""
        moment = datetime.fromtimestamp(self._store.clock.now_ms() / 1000, UTC)
        queue = CallQueue(self._store, lease_s=self._settings.lease_s, retention_s=self._settings.retention_s)
        there = replace(self._held.call, to_number=number, not_before=None, expires_at=moment + timedelta(days=1))
        barred = await queue.barred(number)
        answer = decide(there, policy(self._settings), moment, paused=await queue.paused(), do_not_call=barred)
        return "" if isinstance(answer, Allowed) else answer.reason
