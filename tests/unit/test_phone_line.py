"""The phone line's sound, its measurements, and the ledger that keeps them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from modules.simulation import Dial, Ledger
from modules.simulation.g711 import FRAME, FRAME_S, RATE, MuLaw, beep, resample
from modules.simulation.ledger import Spoken
from modules.simulation.meter import Meter

pytestmark = pytest.mark.unit

QUIET, LOUD = np.zeros(FRAME, dtype=np.int16), np.full(FRAME, 9000, dtype=np.int16)


def test_mu_law_keeps_speech_and_loses_detail() -> None:
    """What arrives is close to what was sent, in no more than 255 steps."""
    sent = np.arange(-32000, 32000, 7).astype(np.int16)
    arrived = MuLaw()(sent)
    assert len(np.unique(arrived)) <= 255
    assert np.all(np.abs(arrived.astype(int) - sent) <= np.maximum(np.abs(sent.astype(int)) * 0.05, 16))
    assert MuLaw()(np.zeros(3, dtype=np.int16)).tolist() == [0, 0, 0]


def test_nothing_above_4_khz_passes() -> None:
    """A line of 8,000 samples a second carries no higher sound."""
    times = np.arange(16000) / 16000
    both = (np.sin(2 * np.pi * 1000 * times) * 8000 + np.sin(2 * np.pi * 6000 * times) * 8000).astype(np.int16)
    spectrum = np.abs(np.fft.rfft(resample(resample(both.tobytes(), 16000, RATE).tobytes(), RATE, 16000)))
    assert spectrum[5500:6500].max() < spectrum[900:1100].max() / 50


def test_a_mailbox_beeps_at_1000_hz() -> None:
    """The tone is where a detector looks for it."""
    spectrum = np.abs(np.fft.rfft(beep(1.0)))
    assert int(spectrum.argmax()) == 1000


def feed(meter: Meter, samples: np.ndarray[tuple[int], np.dtype[np.int16]], start: float, seconds: float) -> float:
    """Let the agent's sound arrive frame by frame; return when it is over."""
    for index in range(round(seconds / FRAME_S)):
        meter.hear(samples, start + (index + 1) * FRAME_S)
    return start + seconds


def test_waiting_times_are_counted_from_silence_to_sound() -> None:
    """First word 0.2 s after pick-up; answer 0.5 s after the callee stopped; the longest silence is that half second."""
    meter = Meter(answered_at=100.0)
    feed(meter, QUIET, 100.0, 0.2)
    end = feed(meter, LOUD, 100.2, 1.0)
    feed(meter, QUIET, end, 1.8)
    meter.callee_speaks(end + 0.3)
    meter.callee_stopped(end + 1.3)
    feed(meter, LOUD, end + 1.8, 1.0)
    assert meter.first_word_ms == pytest.approx(200, abs=21)
    assert meter.turns_ms == [pytest.approx(500, abs=21)]
    assert meter.longest_silence_ms(end + 2.8) == pytest.approx(500, abs=21)


def test_a_hello_into_a_silence_does_not_end_the_wait() -> None:
    """They asked, waited 2 s, said "Hello?" and waited 2 s more: 4 s; after something longer the wait begins anew."""
    meter = Meter(answered_at=0.0)
    feed(meter, LOUD, 0.0, 1.0)
    meter.callee_speaks(1.5)
    meter.callee_stopped(3.0)
    meter.callee_speaks(5.0)
    meter.callee_stopped(5.5)
    assert meter.longest_wait_ms(7.5) == 4000
    meter.callee_speaks(7.5)
    meter.callee_stopped(11.0)
    feed(meter, LOUD, 12.0, 0.5)
    assert meter.longest_wait_ms(60.0) == 4000


def test_a_click_is_no_word() -> None:
    """One loud frame alone is not speech."""
    meter = Meter(answered_at=0.0)
    meter.hear(LOUD, 0.02)
    meter.hear(QUIET, 0.04)
    assert meter.first_word_ms is None


def test_nobody_waits_for_an_agent_that_speaks_already() -> None:
    """They ended their sentence while the agent was talking; that turn has no waiting time."""
    meter = Meter(answered_at=0.0)
    meter.callee_speaks(0.0)
    feed(meter, LOUD, 0.5, 0.5)
    meter.callee_stopped(1.0)
    feed(meter, LOUD, 1.0, 0.5)
    assert meter.turns_ms == []


def a_dial(sip_call_id: str) -> Dial:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Dial(
        sip_call_id=sip_call_id, to_number="+12025550100", from_number="+12025550199", room="room", identity="callee",
        attributes={"voicefleet.call_id": "call"}, arrived_at=now, arrived_monotonic_s=1.5, call_id="call", attempt="1",
        scenario="Gym desk", result="answered", answered_at=now, ended_at=now, ended_by="callee", first_word_ms=150,
        turns_ms=[400, 500], longest_silence_ms=600, longest_wait_ms=500, digits_heard="12",
        trunk_id="ST_in", why="nobody answers this number",
        transcript=[Spoken("agent", "hello", 1, 2)],
    )  # fmt: skip


def test_a_dial_survives_being_written() -> None:
    """What is read back is what was written, in every field."""
    dial = a_dial("SCL_1")
    assert all(value not in (None, "", [], {}) for value in dial.to_json().values())
    assert Dial.from_json(dial.to_json()) == dial


def test_a_restart_keeps_the_counts(tmp_path: Path) -> None:
    """The carrier was killed, even in the middle of a line; every dial is still counted, once."""
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    unfinished = a_dial("SCL_2")
    unfinished.ended_at = None
    for dial in (a_dial("SCL_1"), unfinished, a_dial("SCL_1")):
        ledger.write(dial)
    with path.open("a") as file:
        file.write('{"sip_call_id": "SCL_3", "to_nu')
    again = Ledger(path)
    again.write(a_dial("SCL_4"))
    assert [dial.sip_call_id for dial in Ledger(path).dials("call")] == ["SCL_1", "SCL_2", "SCL_4"]
    assert [dial.ended_by for dial in again.dials() if dial.ended_at is None] == ["carrier"]
    assert list(again.dials("another")) == []
