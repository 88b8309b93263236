"""A call on someone's behalf: five fields of a request become variables of the personality that speaks, `concierge` if none is
named. What does not fit together is refused by field.
"""

from collections.abc import Mapping

from modules.api_server.schemas import NewCall, OnBehalf
from modules.calls.errors import InvalidField
from modules.conversation.assembly import Loaded

PERSONALITY = "concierge"
FIELDS = tuple(OnBehalf.model_fields)


def told(wanted: NewCall) -> dict[str, str]:
    """Return those of the five fields that say something. Raises InvalidField where they contradict the rest of the request."""
    given = {name: str(value) for name in FIELDS if (value := getattr(wanted, name))}
    for name in given:
        if name in wanted.variables:
            raise InvalidField(f"{name} is given twice, as a field and under variables.", field=name)
    if given and "action" not in given | wanted.variables:
        raise InvalidField(f"{', '.join(given)} without action: say what the agent shall get done.", field="action")
    return given


def check(given: Mapping[str, str], variables: Mapping[str, str], speaks: Loaded) -> None:
    """Raise InvalidField unless the personality uses each field that was given, and has each that it asks for."""
    declared = speaks.content.variables
    for name in given:
        if name not in declared and name not in speaks.free_variables():
            reason = f"The personality '{speaks.id}' makes no use of {name}; leave it out and '{PERSONALITY}' speaks."
            raise InvalidField(reason, field=name)
    for name in FIELDS:
        if given and name in declared and declared[name].default is None and name not in variables:
            raise InvalidField(f"A call on someone's behalf needs {name}: {declared[name].description}", field=name)
