"""`connect twilio` with somebody at the terminal: it asks before it buys, before it releases, and before it calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.carriers.conftest import FIRST, SECOND, Typist
from tests.terminal import Terminal

pytestmark = pytest.mark.unit

BUY, CALL = f"Buy {FIRST} (Washington, DC, US) for 1.15 USD a month?", "Your own phone's number"


@pytest.fixture
def buyer(typist: Typist) -> Iterator[Typist]:
    """Somebody whose account has no number, and whose fleet is not up."""
    typist.server.numbers.clear()
    typist.server.shop.sells(FIRST, SECOND)
    with Path(".env").open("a") as file:
        file.write("API_PORT=9\n")
    yield typist


def test_a_yes_buys_and_the_way_back_asks_again(buyer: Typist) -> None:
    """I buy, skip the call, come back and am not asked to buy again; disconnecting asks whether the number goes."""
    with Terminal(Path.cwd(), "connect", "twilio") as terminal:
        terminal.sees(f"also for sale, with --buy NUMBER: {SECOND}")
        terminal.sees(BUY)
        assert not buyer.server.changes
        terminal.types("y")
        terminal.sees(CALL)
        assert buyer.env["SIP_FROM_NUMBER"] == FIRST
        terminal.types("")
        assert terminal.ends() == 0 and "./voicefleet call NUMBER --watch" in terminal.screen
    with Terminal(Path.cwd(), "connect", "twilio") as terminal:
        terminal.sees(CALL)
        assert "Buy " not in terminal.screen
        terminal.types("this is no number")
        assert terminal.ends() == 0 and "Nothing was dialled" in terminal.screen
    assert buyer.server.shop.bought == [FIRST]
    with Terminal(Path.cwd(), "disconnect", "twilio") as terminal:
        terminal.sees(f"Give {FIRST} back to Twilio, for good?")
        terminal.types("y")
        assert terminal.ends() == 0 and not buyer.server.numbers


def test_enter_and_ctrl_c_buy_nothing(buyer: Typist) -> None:
    """The question's own answer is no, and Ctrl-C ends it at once."""
    with Terminal(Path.cwd(), "connect", "twilio", "--buy", "US") as terminal:
        terminal.sees(BUY)
        terminal.types("")
        assert terminal.ends() == 1 and "No number was bought" in terminal.screen and CALL not in terminal.screen
    with Terminal(Path.cwd(), "connect", "twilio") as terminal:
        terminal.sees(BUY)
        assert terminal.interrupts() == 1 and "Traceback" not in terminal.screen
    assert not buyer.server.changes and not (Path("data") / "twilio.json").exists()


def test_without_a_fleet_the_first_call_is_a_line_to_type(buyer: Typist) -> None:
    """Nothing is up yet: I read how to start it and how to call myself. A dry run and --json ask nothing."""
    with Terminal(Path.cwd(), "connect", "twilio", "--buy", FIRST) as terminal:
        terminal.sees(CALL)
        terminal.types("(202) 555-0100")
        assert terminal.ends() == 0
    assert "./voicefleet up" in terminal.screen and "./voicefleet call +12025550100 --watch" in terminal.screen
    for quiet in ("--dry-run", "--json"):
        with Terminal(Path.cwd(), "connect", "twilio", quiet) as terminal:
            assert terminal.ends() == 0 and CALL not in terminal.screen
