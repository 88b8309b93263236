"""`extract`: what a call is to bring home, as typed answers. The short form, and the part of JSON Schema that says the same.

    extract:
      drop_in_price: {type: number, unit: USD, description: price of one visit}
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_KINDS = ("string", "number", "integer", "boolean")
_KNOWN = {"type", "title", "description", "enum"}
_AROUND = {"type", "title", "description", "properties", "required", "additionalProperties", "$schema"}

WAITING = {"status": "waiting"}
"""What the record of a call says while its answers have not been looked for."""


class Wanted(BaseModel):
    """One answer: a text, a number, a whole number, yes or no, or one of some texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["string", "number", "integer", "boolean", "choice"] = Field(description="What kind of value it is.")
    description: str = Field(min_length=1, max_length=500, description="What is asked, for the model that looks for it.")
    unit: str = Field(default="", max_length=40, description="In what it is counted, e.g. USD; given back with the value.")
    choices: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default=[], max_length=50, description="The possible values; for type choice only."
    )

    @model_validator(mode="after")
    def _fits_itself(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("type choice and a list of choices belong together")
        return self

    def json_schema(self) -> dict[str, Any]:
        """Return the value's JSON Schema, as a model is told it."""
        kind: dict[str, Any] = {"type": "string", "enum": self.choices} if self.type == "choice" else {"type": self.type}
        return kind | {"description": f"{self.description} ({self.unit})" if self.unit else self.description}

    def value(self, said: object) -> object:
        """Return what a model reported as this kind of value. Raises ValueError that says what it is not."""
        match self.type:
            case "number" | "integer":
                return _number(said, whole=self.type == "integer")
            case "boolean" if not isinstance(said, bool):
                raise ValueError("is neither true nor false")
            case "choice" if said not in self.choices:
                raise ValueError("is none of the choices")
            case "string" if not isinstance(said, str) or not said.strip():
                raise ValueError("is not a text")
        return said


def _number(said: object, *, whole: bool) -> int | float:
    try:
        number = float(said) if isinstance(said, str | int | float) and not isinstance(said, bool) else float("nan")
    except (ValueError, OverflowError):
        number = float("nan")
    if number - number != 0:  # neither NaN nor an infinity
        raise ValueError("is not a number")
    if number.is_integer():
        return int(number)
    if whole:
        raise ValueError("is not a whole number")
    return number


def _short_form(value: object) -> object:
    """Return a JSON Schema of an object as the short form; anything else as it is."""
    if not isinstance(value, dict) or value.get("type") != "object" or not isinstance(value.get("properties"), dict):
        return value
    if unknown := sorted(set(value) - _AROUND):
        raise ValueError(f"of JSON Schema, `{unknown[0]}` is not understood here; an object with properties is")
    return {name: _one(str(name), schema) for name, schema in value["properties"].items()}


def _one(name: str, schema: object) -> dict[str, Any]:
    if not isinstance(schema, dict):
        raise ValueError(f"the property '{name}' is not a schema")
    if unknown := sorted(set(schema) - _KNOWN):
        raise ValueError(f"of JSON Schema, `{unknown[0]}` of '{name}' is not understood here; type, description and enum are")
    kind = schema.get("type", "string" if "enum" in schema else None)
    if kind not in _KINDS:
        raise ValueError(f"the property '{name}' needs a type: {', '.join(_KINDS)}")
    described = {"description": schema.get("description") or schema.get("title") or name}
    return described | ({"type": "choice", "choices": schema["enum"]} if "enum" in schema else {"type": kind})


Extract = Annotated[
    dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], Wanted],
    BeforeValidator(_short_form, json_schema_input_type=dict[str, Wanted] | dict[str, Any]),
]
