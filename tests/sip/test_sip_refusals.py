"""Every refusal of a telephone network, sent by SIPp through a real livekit-sip: what it is taken for, and one INVITE each."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from modules.calls import Outcome, advice, outcomes
from modules.sip_management import dial, meaning_of
from modules.sip_management.trunks import configured
from tests.phone_calls import a_call
from tests.sip.conftest import Wire
from tests.sip.sipp import refusals, sipp

pytestmark = [pytest.mark.fleet, pytest.mark.sip, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="session")]

CODES = sorted(outcomes.BY_SIP_CODE.keys() | advice.BY_SIP_CODE.keys())
NUMBERS = {f"+120255501{place:02}": code for place, code in enumerate(CODES)}
BUSY = "+12025550199"
AT_ONCE = 4
WANT_PASSWORD = (401, 407)
"""Without a password, livekit-sip tells these in words only."""
NO_PASSWORD = outcomes.by_twirp("failed_precondition", "sip server required auth")


async def test_every_refusal_is_known_for_what_it_is(wire: Wire) -> None:
    """One number for each code, dialled as a worker dials: outcome, code and sentence of our table, and nobody is rung twice."""
    trunk, turns = configured(wire.fleet.settings)["refuse"], asyncio.Semaphore(AT_ONCE)

    async def refused(number: str) -> tuple[Outcome, int | None, str]:
        call = replace(a_call(to_number=number, trunk="refuse"), room=f"refused-{number[-3:]}", attempt=1)
        async with turns:
            try:
                await dial(wire.lkapi, trunk, call)
            except Exception as error:
                meaning, code = meaning_of(error)
                return meaning.outcome, code, meaning.sentence
            raise AssertionError("it was answered")

    async with sipp(refusals(wire.folder, NUMBERS), wire.folder, wire.ports["refuse"], calls=len(NUMBERS)) as network:
        found = dict(zip(NUMBERS, await asyncio.gather(*map(refused, NUMBERS)), strict=True))
        assert Counter(network.seen()) == {f"INVITE {number}": 1 for number in NUMBERS}
        assert await network.done() == 0
    table = {number: NO_PASSWORD if code in WANT_PASSWORD else outcomes.by_sip(code, "") for number, code in NUMBERS.items()}
    wrong = {
        NUMBERS[number]: found[number]
        for number, meaning in table.items()
        if found[number] != (meaning.outcome, None if NUMBERS[number] in WANT_PASSWORD else NUMBERS[number], meaning.sentence)
    }
    assert wrong == {}
    told = {code for number, code in NUMBERS.items() if advice.advice(table[number].outcome, code, number)}
    assert told == set(CODES) - {487, 491, 600}  # taken back by ourselves, and busy: nothing is to be done


async def test_a_refused_call_is_told_to_who_placed_it(wire: Wire) -> None:
    """The line was busy: I read that, the network's code and what to do, and one INVITE has left."""
    async with sipp(refusals(wire.folder, {BUSY: 486}), wire.folder, wire.ports["refuse"]) as network:
        call = await wire.caller.end_of(await wire.place("refuse", BUSY), 150)
        assert await network.done() == 0
        assert network.seen() == [f"INVITE {BUSY}"]
    meaning, step = outcomes.BY_SIP_CODE[486], advice.BY_SIP_CODE[486]
    assert (call["outcome"], call["sip_status_code"], call["reason"]) == ("busy", 486, meaning.sentence)
    assert (call["next_step"], call["simulated"]) == (step.next_step, False)
