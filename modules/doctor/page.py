"""docs/doctor.md: the checks and what refusals mean, from their tables."""

from modules.calls import Outcome
from modules.calls.advice import BY_OUTCOME, BY_SIP_CODE
from modules.calls.outcomes import by_sip
from modules.doctor.checks import CHECKS

_PAGE = """# Why calls fail: the doctor

Written from `modules/doctor` and `modules/calls/advice.py` by `python -m docs.generate`; a test compares.

    ./voicefleet doctor                       # everything
    ./voicefleet doctor --callee +4930123456  # also: may this number be called?
    ./voicefleet doctor --call ID             # why this call failed, and the checks that tell more
    ./voicefleet doctor --fix                 # first make our trunks and rules as configured
    ./voicefleet doctor --only keys --json

Each check is one line: `ok`, `warn` (it works, and will hurt), `bad` (calls fail because of it) or `?`, with why and what to do.
`?` means *not proven*: it cannot be seen from here. Exit code 1 when something is bad. Without --fix it changes nothing, and it
rings nobody: the one dial request it sends goes to the discard port of livekit-sip's own machine.

{checks}

Checks 10 to 14 and 16 ask Twilio, when TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are set. They only read.

## What a refusal means

The same advice is `next_step` of every call that went wrong: in `GET /v1/calls/ID`, in `./voicefleet show ID` and on the page.

{refusals}

## Limits

- Whether the carrier's sound arrives (check 9) shows a call only.
- Checks 3, 7, 8 and part of 19 read `docker-compose.yaml` of the folder they are started in.
- livekit-sip itself has not been run by our tests; check 4 was seen with a livekit-server that has none.
"""


def page() -> str:
    """Return the page."""
    checks = [f"| {check.number} | `{check.name}` | {check.title} |" for check in CHECKS]
    codes = sorted(BY_SIP_CODE.items())
    refusals = [f"| {code} | {by_sip(code, '').sentence} | {_step(told.next_step)} |" for code, told in codes]
    outcomes = [f"| `{outcome}` | {_step(BY_OUTCOME[outcome].next_step)} |" for outcome in Outcome if outcome in BY_OUTCOME]
    return _PAGE.format(
        checks="\n".join(["| # | name for `--only` | what is looked at |", "| --- | --- | --- |", *checks]),
        refusals="\n".join(
            ["| SIP | what happened | next step |", "| --- | --- | --- |", *refusals]
            + ["", "Without a SIP answer, by the call's outcome:", "", "| outcome | next step |", "| --- | --- |", *outcomes]
        ),
    )


def _step(text: str) -> str:
    return text.format(country="+…")
