"""What a personality asks of its caller: named values with a type, a default or none, checked before anything is dialled.

Calls carry text only; here the text becomes what a template can compare: a Decimal, a truth value, or the text itself.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from modules.calls.errors import InvalidField
from modules.strict_yaml.mistakes import near

LONGEST = 2000
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


class Variable(BaseModel):
    """A value that the prompts and the greeting may use. The short form `name: text` is a text with that default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["string", "number", "boolean", "choice"] = Field(
        default="string", description="What a call may give: any text, a number, true or false (yes or no), or one of `choices`."
    )
    default: str | None = Field(
        default=None, max_length=LONGEST, description="The value of a call that gives none; without it the call must give one."
    )
    choices: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default=[], max_length=50, description="The allowed texts; for type choice only."
    )
    description: str = Field(default="", max_length=500, description="What it means, for the person who places the call.")

    @model_validator(mode="after")
    def _fits_itself(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("type choice and a list of choices belong together")
        if self.default is not None:
            try:
                self.value(self.default)
            except ValueError as error:
                raise ValueError(f"its own default is not allowed: {error}") from None
        return self

    def value(self, text: str) -> object:
        """Return what `text` means. Raises ValueError that says what was expected."""
        match self.type:
            case "number":
                return _number(text)
            case "boolean":
                if text.lower() not in _TRUTH:
                    raise ValueError(f"expected true or false, found '{text[:40]}'")
                return _TRUTH[text.lower()]
            case "choice" if text not in self.choices:
                raise ValueError(f"expected one of {', '.join(self.choices)}, found '{text[:40]}'{near(text, self.choices)}")
        return text


def _short_form(value: object) -> object:
    if not isinstance(value, str | dict):
        raise ValueError("expected a text that is its default (in quotes if it is a number), or {type: …, default: …}")
    return {"default": value} if isinstance(value, str) else _with_text_default(value)


def _with_text_default(value: object) -> object:
    """`default: 20` and `default: true` are meant as they are written; calls carry text."""
    if isinstance(value, dict) and value.get("type") in ("number", "boolean"):
        default = value.get("default")
        if isinstance(default, bool | int | float):
            return value | {"default": str(default).lower()}
    return value


Variables = dict[
    Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")],
    Annotated[Variable, BeforeValidator(_short_form, json_schema_input_type=str | Variable)],
]


def values_of(declared: Mapping[str, Variable], given: Mapping[str, str], free: frozenset[str]) -> dict[str, Any]:
    """Return every value a template may use. Raises InvalidField for one that is unknown or of the wrong kind.

    A personality that declares variables takes these and `free` ones; one that declares none takes whatever it is given.
    """
    for name in given:
        if declared and name not in declared and name not in free:
            known = sorted({*declared, *free})
            hint = near(name, known).removeprefix("; d")
            more = f"D{hint}" if hint else f"It takes {', '.join(known)}."
            raise InvalidField(f"This personality has no variable '{name}'. {more}", field=f"variables.{name}")
    values: dict[str, Any] = {name: item.value(item.default) for name, item in declared.items() if item.default is not None}
    for name, text in given.items():
        try:
            values[name] = declared[name].value(text) if name in declared else text
        except ValueError as error:
            raise InvalidField(f"The variable '{name}': {error}.", field=f"variables.{name}") from None
    return values


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(text) > 40:
        raise ValueError(f"expected a number, found '{text[:40]}'")
    return number
