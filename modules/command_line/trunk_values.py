"""The four values of Twilio's trunk in .env: written where nothing of the user's is in the way, and taken back again."""

from pathlib import Path

from config import Settings
from modules.command_line import env_values
from modules.sip_management.twilio import Connected, Did, Ledger, Step
from modules.sip_management.twilio.steps import Tell

ENV, ENV_LOCAL = Path(".env"), Path(".env.local")


def into_env(made: Connected, ledger: Ledger, told: Tell, settings: Settings, *, dry_run: bool) -> bool:
    """Write them, or say why not; return whether .env names this trunk."""
    values = {"SIP_TRUNK_HOSTNAME": made.hostname, "SIP_AUTH_USERNAME": made.username, "SIP_FROM_NUMBER": made.from_number}
    values |= {"SIP_AUTH_PASSWORD": made.password} if made.password else {}
    if blocked := env_values.in_the_way(values, [ENV, ENV_LOCAL], ledger.is_ours):
        fix = "remove these values and run the same command again; or leave them, and this trunk is not used"
        told(Step(".env", Did.LOOK, f"not written, it holds values of yours: {', '.join(blocked)}", fix))
        return False
    if settings.sip_outbound_trunk_id:
        told(Step(".env", Did.LOOK, "SIP_OUTBOUND_TRUNK_ID wins over the trunk's four values", "remove it to use this trunk"))
    changed = {name: value for name, value in values.items() if env_values.value_of(name, ENV) != value}
    if not changed:
        told(Step(".env", Did.KEPT, "the trunk's four values"))
    elif dry_run:
        told(Step(".env", Did.WOULD_MAKE, ", ".join(changed)))
    else:
        for name, value in changed.items():
            ledger.wrote(name, value)
        env_values.write(ENV, changed)
        told(Step(".env", Did.MADE, ", ".join(changed), "start the fleet again, so that it reads them"))
    return not settings.sip_outbound_trunk_id


def out_of_env(ledger: Ledger, told: Tell, *, dry_run: bool) -> None:
    """Take back those that are still ours."""
    ours = [name for name in ledger.env if ledger.is_ours(name, env_values.value_of(name, ENV))]
    if ours:
        told(Step(".env", Did.WOULD_UNDO if dry_run else Did.UNDONE, ", ".join(ours)))
    if not dry_run:
        env_values.take_back(ENV, ours)
        for name in list(ledger.env):
            ledger.unwrote(name)
