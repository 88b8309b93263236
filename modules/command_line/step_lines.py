"""The steps at a carrier as lines on the screen while they happen, or as one JSON document at the end."""

from modules.command_line.output import Output
from modules.sip_management.twilio import Did, Step
from modules.sip_management.twilio.steps import Tell

_STYLE = {Did.MADE: "green", Did.UNDONE: "green", Did.LOOK: "yellow", Did.LEFT: "yellow"}


def teller(output: Output) -> tuple[Tell, list[Step]]:
    """Return what prints a step, and the list in which it collects them."""
    steps: list[Step] = []

    def tell(step: Step) -> None:
        steps.append(step)
        if not output.as_json:
            output.line(f"{step.did.value:>10}  {step.name}: {step.detail}", _STYLE.get(step.did, ""))
            if step.next:
                output.line(f"{'':>10}  {step.next}", "dim")

    return tell, steps


def close(output: Output, steps: list[Step], *, dry_run: bool, then: str = "") -> None:
    """Print the end."""
    if output.as_json:
        told = [{"step": one.name, "did": one.did.value, "detail": one.detail, "next": one.next or None} for one in steps]
        output.json({"dry_run": dry_run, "steps": told})
    elif dry_run:
        output.say("nothing was changed; leave --dry-run out to do it", "")
    elif then:
        output.say(f"next:  {then}", "")
