"""docs/doctor.md: the checks and what refusals mean, from their tables."""

from modules.calls import Outcome
from modules.calls.advice import BY_OUTCOME, BY_SIP_CODE
from modules.calls.outcomes import by_sip
from modules.doctor.checks import CHECKS
from modules.doctor.loop_verdict import LOOP_LINES

_PAGE = """# Why calls fail: the doctor

Written from `modules/doctor` and `modules/calls/advice.py` by `python -m docs.generate`; a test compares.

    ./voicefleet doctor                       # everything
    ./voicefleet doctor --callee +4930123456  # also: may this number be called?
    ./voicefleet doctor --call ID             # why this call failed, and the checks that tell more
    ./voicefleet doctor --fix                 # first make our trunks and rules as configured
    ./voicefleet doctor --only keys --json
    ./voicefleet doctor --loop                # the fleet calls itself over real SIP, see below

Each check is one line: `ok`, `warn` (it works, and will hurt), `bad` (calls fail because of it) or `?`, with why and what to do.
`?` means *not proven*: it cannot be seen from here. Exit code 1 when something is bad. Without --fix it changes nothing, and it
rings nobody: the one dial request it sends goes to the discard port of livekit-sip's own machine.

{checks}

Checks 10 to 14 and 16 ask Twilio, when TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are set. They only read.

## A call to yourself: --loop

`./voicefleet doctor --loop` asks a fleet that is up, with a livekit-sip, to call itself. Two personalities that need no account,
`loop_caller` and `loop_answerer`, say a few sentences to each other; the call leaves livekit-sip as SIP and comes back in as SIP,
with the API, the queue, the orchestrator, two agents and livekit-server in between. It takes about half a minute.

{loop}

- No phone rings and no carrier is asked: the call goes to 127.0.0.1 as livekit-sip sees it, which is livekit-sip. The number
  (+1 202 555 0190, or one of a country in ALLOWED_COUNTRIES) leads nowhere else.
- While it runs there is an inbound trunk and a dispatch rule `<LIVEKIT_AGENT_NAME>-doctor-loop`, for that number, that caller and
  127.0.0.1 only. They are removed at the end, on Ctrl-C and when something fails; what a killed run left, the next one removes.
- The call is an ordinary one: it takes two slots, must pass the gate, and is in the history (metadata: `{{"doctor": "loop"}}`).
- `loop_answerer` waits two seconds before it answers, so that the two do not talk over each other; the silences show it.
- Words of the greetings are not counted: both sides greet at once. The way there and back is the time between a question and its
  answer at one end, less the time between the same two at the other end; no clocks are compared. What the listeners need to
  notice speech is in it: it tells tenths of a second, not hundredths.
- Without a livekit-sip the phone network is simulated, and `--loop` is *not proven*. So it is where the gate would not dial now,
  and where SIP_USE_EXTERNAL_IP is set and nothing arrives: many routers do not lead a machine back to its own public address.
- Not shown: your carrier, your firewall, your voices' vendors.

`./voicefleet doctor --loop --trunk NAME --number +4930123456` is the same call over a carrier of yours to one of your own
`inbound_numbers`, and back in as your carrier brings it: `loop_caller` meets the personality that answers there. Any other number
is refused. The carrier charges it as it charges any call. `loop_caller` understands simple English only, so speech counts, not
words.

## What a refusal means

The same advice is `next_step` of every call that went wrong: in `GET /v1/calls/ID`, in `./voicefleet show ID` and on the page.

{refusals}

## Limits

- Whether the carrier's sound arrives (check 9) shows a call only; `--loop --trunk` is one.
- Checks 3, 7, 8 and part of 19 read `docker-compose.yaml` of the folder they are started in.
- `--loop` was seen with the livekit-sip that `up` starts (`tests/sip`), and with no carrier; not in Docker, not behind NAT.
"""


def page() -> str:
    """Return the page."""
    checks = [f"| {check.number} | `{check.name}` | {check.title} |" for check in CHECKS]
    codes = sorted(BY_SIP_CODE.items())
    refusals = [f"| {code} | {by_sip(code, '').sentence} | {_step(told.next_step)} |" for code, told in codes]
    outcomes = [f"| `{outcome}` | {_step(BY_OUTCOME[outcome].next_step)} |" for outcome in Outcome if outcome in BY_OUTCOME]
    loop = [f"| `{name}` | {title} | {told} |" for name, (title, told) in LOOP_LINES.items()]
    return _PAGE.format(
        loop="\n".join(["| line | what is looked at | what it tells |", "| --- | --- | --- |", *loop]),
        checks="\n".join(["| # | name for `--only` | what is looked at |", "| --- | --- | --- |", *checks]),
        refusals="\n".join(
            ["| SIP | what happened | next step |", "| --- | --- | --- |", *refusals]
            + ["", "Without a SIP answer, by the call's outcome:", "", "| outcome | next step |", "| --- | --- |", *outcomes]
        ),
    )


def _step(text: str) -> str:
    return text.format(country="+…")
