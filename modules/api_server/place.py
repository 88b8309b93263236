"""From a request to a queued call, or to a named refusal. What is refused here leaves no trace in the queue."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from fastapi.encoders import jsonable_encoder

from modules.api_server import on_behalf
from modules.api_server.errors import GateRefused
from modules.api_server.keys import Principal
from modules.api_server.parts import Live, Parts
from modules.api_server.schemas import NewCall
from modules.call_queue_manager import Enqueued, Repeat, keys
from modules.calls import Call, Direction, gate, new_call_id, numbers
from modules.calls.errors import IdempotencyMismatch, InvalidField
from modules.conversation import vendors
from modules.metrics_logger import get_logger
from modules.sip_management import choose
from modules.sip_management.trunks import LOOP, looped
from modules.strict_yaml import YamlError

log = get_logger(__name__)
LATEST = timedelta(days=29)
"""No call may wait longer than this; Redis keeps an untouched record for 30 days."""
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Accepted:
    """A call in the queue; `repeated` where the same Idempotency-Key had queued it before."""

    call: Call
    repeated: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a dry run found."""

    call: Call
    would: Literal["dial", "wait", "refuse"]
    at: datetime | None
    reason: str
    refusal: str | None


async def accept(parts: Parts, wanted: NewCall, principal: Principal, repeat: Repeat | None, now: datetime) -> Accepted:
    """Queue the call; when this returns, Redis has it on disk. Raises what keeps it from being queued.

    A repetition is answered before anything else is looked at: what may have changed since must not hide the first call.
    """
    if repeat and (call_id := await _known(await parts.live.get(), repeat)):
        return Accepted(await (await parts.live.get()).records.load(call_id), repeated=True)
    call = prepared(parts, wanted, principal, now)
    live = await parts.live.get()
    verdict = gate.decide(call, parts.policy, now, do_not_call=await live.queue.barred(call.to_number))
    if isinstance(verdict, gate.Refusal):
        raise GateRefused(verdict.name, verdict.reason)
    await live.durable()
    what, call_id = await live.queue.enqueue(call, repeat)
    if what is Enqueued.KNOWN:
        return Accepted(await live.records.load(call_id), repeated=True)
    told = {"personality": call.personality, "trunk": call.trunk, "simulated": call.simulated, "key_id": principal.key_id}
    log.info("call.accepted", call_id=call_id, **told)
    return Accepted(replace(call, version=1), repeated=False)  # the version that enqueue wrote


async def _known(live: Live, repeat: Repeat) -> str | None:
    body_sha, call_id = await live.store.call("HMGET", keys.idempotency(repeat.owner, repeat.key), "body_sha", "call_id")
    if body_sha not in (None, repeat.body_sha):
        raise IdempotencyMismatch("This Idempotency-Key was used with another body.", field="Idempotency-Key")
    return str(call_id) if call_id else None


async def foretell(parts: Parts, wanted: NewCall, principal: Principal, now: datetime) -> Forecast:
    """Check everything and queue nothing."""
    call = prepared(parts, wanted, principal, now)
    queue = (await parts.live.get()).queue
    paused, barred = await queue.paused(), await queue.barred(call.to_number)
    match gate.decide(call, parts.policy, now, paused=paused, do_not_call=barred):
        case gate.Refusal(name, reason):
            return Forecast(call, "refuse", None, reason, name)
        case gate.NotBefore(at, reason):
            return Forecast(call, "wait", at, reason, None)
        case gate.Allowed():
            return Forecast(call, "dial", None, "It would be dialled as soon as a slot is free.", None)


def prepared(parts: Parts, wanted: NewCall, principal: Principal, now: datetime) -> Call:
    """Return the call that `wanted` describes. Raises BadRequest's children, each naming its field."""
    settings = parts.settings
    to_number = numbers.parse(wanted.to_number, settings.default_region)
    trunk = looped(settings) if wanted.trunk == LOOP else choose(parts.trunks, wanted.trunk)
    not_before, expires_at = _times(wanted, now, timedelta(seconds=settings.calls_expire_s))
    if wanted.max_call_s and wanted.max_call_s > settings.max_call_s:
        raise InvalidField(f"max_call_s is at most {settings.max_call_s} (MAX_CALL_S).", field="max_call_s")
    behalf = on_behalf.told(wanted)
    call = Call(
        call_id=new_call_id(Direction.OUTBOUND, now),
        to_number=to_number,
        from_number=trunk.from_number,
        trunk=trunk.name,
        simulated=trunk.simulated,
        personality=wanted.personality or (on_behalf.PERSONALITY if behalf else settings.default_personality),
        caller_name=wanted.caller_name,
        variables=wanted.variables | behalf,
        metadata=dict(wanted.metadata),
        llm_prompt=wanted.llm_prompt,
        greeting=wanted.greeting,
        priority=wanted.priority,
        max_attempts=wanted.max_attempts,
        max_call_s=wanted.max_call_s or settings.max_call_s,
        ring_timeout_s=settings.ring_timeout_s,
        api_key_id=principal.key_id,
        created_at=now,
        not_before=not_before,
        expires_at=expires_at,
    )
    return replace(call, arm=_arm_that_speaks(parts, call, behalf))


def _arm_that_speaks(parts: Parts, call: Call, behalf: dict[str, str]) -> str:
    """Put the script together once, so that a missing variable or a broken file is heard of now and not by the callee.

    For a split the script of every arm: a call that only some arms could speak is refused always, and not by chance.
    """
    try:
        for speaks in parts.composer.speakers(call):
            on_behalf.check(behalf, call.variables, speaks)
        scripts, arm = parts.composer.every(call), parts.composer.compose(call).arm
    except YamlError as error:
        raise InvalidField(f"The personality '{call.personality}' cannot be used: {error}", field="personality") from None
    for script in scripts:
        vendors.check_keys(script.personality.id, script.personality.content.components, parts.settings)
    return arm


def repeat_of(key: str | None, principal: Principal, wanted: NewCall) -> Repeat | None:
    """Return what makes a repetition of this request recognisable. Raises InvalidField for an unusable key."""
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise InvalidField(f"An Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters.", field="Idempotency-Key")
    body = json.dumps(jsonable_encoder(wanted), sort_keys=True)
    return Repeat(owner=principal.key_id, key=key, body_sha=hashlib.sha256(body.encode()).hexdigest())


def _times(wanted: NewCall, now: datetime, default: timedelta) -> tuple[datetime | None, datetime]:
    not_before = wanted.not_before if wanted.not_before and wanted.not_before > now else None
    expires_at = wanted.expires_at or min((not_before or now) + default, now + LATEST)
    if expires_at > now + LATEST:
        raise InvalidField(f"A call may wait {LATEST.days} days at most.", field="expires_at")
    if expires_at <= now:
        raise InvalidField("This moment has passed.", field="expires_at")
    if not_before and not_before >= expires_at:
        raise InvalidField("The call would expire before it may be dialled.", field="not_before")
    return not_before, expires_at
