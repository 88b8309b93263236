"""What the carrier wants of the caller's number and of the address, by its dated preset."""

from modules.doctor.subject import Subject
from modules.doctor.verdict import Finding, amber, green, not_proven, red


async def from_rule(subject: Subject) -> Finding:
    """Each trunk calls from a number in the form its carrier takes, to an address that is the carrier's."""
    for trunk in subject.trunks:
        preset = trunk.preset
        if preset is None or not trunk.hostname:
            continue
        if problem := preset.hostname_problem(trunk.hostname):
            return red(f"Trunk '{trunk.name}': {problem}", f"Use an address of the form {preset.hostname_form}.")
        if not trunk.from_number:
            return red(f"Trunk '{trunk.name}' has no number to call from.", "Set SIP_FROM_NUMBER, or from_number in trunks.yaml.")
        if problem := preset.from_problem(trunk.from_number):
            return red(f"Trunk '{trunk.name}': {problem}", "Correct SIP_FROM_NUMBER, or from_number in trunks.yaml.")
        if preset.from_host and not (trunk.inline and trunk.inline.from_host):
            fix = "Set from_host in trunks.yaml to the carrier's host name."
            return amber(f"Trunk '{trunk.name}': {preset.name} wants its own host behind the @ of From.", fix)
    if not subject.trunks:
        return not_proven("No real trunk is configured.")
    return green("Every trunk calls from a number in its carrier's form.")
