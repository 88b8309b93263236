"""What the phone network says becomes an outcome with a sentence a person can act on; nothing falls through."""

import aiohttp
import pytest
from livekit import api

from modules.calls.outcomes import BY_SIP_CODE, BY_TWIRP_CODE, RETRY, Outcome, Retry, by_sip, by_twirp
from modules.sip_management import meaning_of

pytestmark = pytest.mark.unit


def test_every_outcome_says_whether_it_may_be_tried_again() -> None:
    """A new outcome cannot be forgotten in the retry table."""
    assert set(RETRY) == set(Outcome)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_explained(outcome: Outcome) -> None:
    """Each word has its sentence beside it in the source."""
    assert outcome.value == outcome.name.lower()


def test_every_sip_answer_means_something() -> None:
    """Whatever final answer a carrier invents, my call ends with an outcome and a sentence."""
    meanings = [by_sip(code, "") for code in range(300, 700)]
    assert all(meaning.outcome in Outcome for meaning in meanings)
    assert all(len(meaning.sentence) > 10 and meaning.sentence.endswith(".") for meaning in meanings)


def test_an_answer_nobody_named_is_dialled_again_only_where_the_carrier_itself_failed() -> None:
    """Unknown refusals are final; a 5xx that is not named is the carrier's own trouble and may pass."""
    unnamed = {code: by_sip(code, "").outcome for code in range(300, 700) if code not in BY_SIP_CODE}
    assert {code for code, outcome in unnamed.items() if RETRY[outcome] is not Retry.NEVER} == {
        code for code in range(500, 600) if code not in BY_SIP_CODE
    }


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (486, Outcome.BUSY), (600, Outcome.BUSY), (480, Outcome.UNREACHABLE), (408, Outcome.NO_ANSWER),
        (504, Outcome.NO_ANSWER), (603, Outcome.DECLINED), (607, Outcome.DECLINED), (608, Outcome.DECLINED),
        (403, Outcome.CARRIER_REJECTED), (402, Outcome.CARRIER_REJECTED), (404, Outcome.INVALID_NUMBER),
        (410, Outcome.INVALID_NUMBER), (604, Outcome.INVALID_NUMBER), (484, Outcome.INVALID_NUMBER),
        (407, Outcome.TRUNK_MISCONFIGURED), (401, Outcome.TRUNK_MISCONFIGURED), (488, Outcome.TRUNK_MISCONFIGURED),
        (487, Outcome.CANCELED), (491, Outcome.CANCELED), (503, Outcome.CARRIER_ERROR), (500, Outcome.CARRIER_ERROR),
    ],
)  # fmt: skip
def test_the_answers_people_meet(code: int, outcome: Outcome) -> None:
    """Busy is busy, declined is declined, an unknown number is an invalid one."""
    assert by_sip(code, "").outcome is outcome


def test_a_fraud_block_is_the_carriers_and_not_the_callees_no() -> None:
    """Twilio answers 603 with error 32203 when it suspects fraud; the callee never saw that call."""
    assert by_sip(603, "Decline").outcome is Outcome.DECLINED
    blocked = by_sip(603, "Decline (X-Twilio-Error: 32203 blocked)")
    assert blocked.outcome is Outcome.CARRIER_REJECTED
    assert "32203" in blocked.sentence


@pytest.mark.parametrize(("code", "outcome"), [
    ("canceled", Outcome.NO_ANSWER), ("unavailable", Outcome.INFRASTRUCTURE), ("aborted", Outcome.CANCELED),
    ("invalid_argument", Outcome.TRUNK_MISCONFIGURED), ("not_found", Outcome.TRUNK_MISCONFIGURED),
    ("failed_precondition", Outcome.TRUNK_MISCONFIGURED), ("unauthenticated", Outcome.TRUNK_MISCONFIGURED),
])  # fmt: skip
def test_errors_of_the_sip_service_without_a_sip_answer(code: str, outcome: Outcome) -> None:
    """Where no phone network spoke, LiveKit's own code decides."""
    assert by_twirp(code, "").outcome is outcome


@pytest.mark.parametrize("code", ["deadline_exceeded", "internal", "unknown", "data_loss", "bad_route", "", "new_in_2027"])
def test_an_unclear_answer_is_indeterminate(code: str) -> None:
    """When nobody can say whether a phone rang, nobody says so, and it is not dialled again."""
    assert by_twirp(code, "").outcome is Outcome.INDETERMINATE
    assert RETRY[Outcome.INDETERMINATE] is Retry.NEVER


def test_a_ringing_time_out_told_the_odd_way_is_still_no_answer() -> None:
    """livekit/sip#857 reports it as a failed precondition."""
    assert by_twirp("failed_precondition", "twirp error: context deadline exceeded").outcome is Outcome.NO_ANSWER


def test_a_carrier_that_wants_a_password_we_do_not_have_is_told_as_such() -> None:
    """livekit-sip tells it without the SIP code, in words (pkg/sip/protocol.go)."""
    none = by_twirp("failed_precondition", "sip server required auth, but no username or password was provided")
    assert none.outcome is Outcome.TRUNK_MISCONFIGURED
    assert "the trunk has none" in none.sentence


def test_a_password_that_the_carrier_refuses_is_told_as_such() -> None:
    """livekit-sip gives up after five tries, and says so without the SIP code: not that the trunk is not ready."""
    for said in ("max auth retry attempts reached for SIP invite", "no auth header in sip invite response"):
        assert by_twirp("failed_precondition", said) == BY_SIP_CODE[401]


def test_nothing_sent_is_the_only_outcome_that_is_safe_to_repeat() -> None:
    """Only where no dial request left may a call be redone without asking for more attempts."""
    assert [outcome for outcome, retry in RETRY.items() if retry is Retry.SAFE] == [Outcome.INFRASTRUCTURE]
    assert BY_TWIRP_CODE["unavailable"].outcome is Outcome.INFRASTRUCTURE


def test_exceptions_of_the_client_are_taken_apart() -> None:
    """The error my code catches and the outcome I read belong together."""
    busy = api.SipCallError("resource_exhausted", "x", status=429, metadata={"sip_status_code": "486", "sip_status": "Busy"})
    assert meaning_of(busy)[0].outcome is Outcome.BUSY
    assert meaning_of(busy)[1] == 486
    assert meaning_of(api.ServerError("unavailable", "x", status=503))[0].outcome is Outcome.INFRASTRUCTURE
    for unclear in (TimeoutError(), aiohttp.ServerDisconnectedError(), aiohttp.ClientOSError(), ConnectionResetError()):
        assert meaning_of(unclear) == (by_twirp("?", ""), None)


def test_a_connection_that_was_never_made_sent_nothing() -> None:
    """A refused connection is the fleet's trouble, not the callee's."""
    key = aiohttp.client_reqrep.ConnectionKey("localhost", 1, False, True, None, None, None)
    refused = aiohttp.ClientConnectorError(key, OSError(111, "refused"))
    assert meaning_of(refused)[0].outcome is Outcome.INFRASTRUCTURE
