"""When a personality takes calls: days and times in its own zone. Asked when somebody calls; outbound calls do not look here."""

from datetime import datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"expected a time zone such as Europe/Berlin, found '{name[:40]}'") from None
    return name


class Opening(BaseModel):
    """A stretch of time on some days of the week."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: list[Day] = Field(min_length=1, max_length=7, description="mon, tue, wed, thu, fri, sat, sun.")
    opens: _CLOCK = Field(description='From when, "HH:MM" in quotes.')
    closes: _CLOCK = Field(description='Until when, "HH:MM" in quotes, the same day; "24:00" is its end.')

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("`opens` must lie before `closes`; a night is two entries")
        return self


class ServiceHours(BaseModel):
    """The hours in which calls are taken; outside them the caller hears `sentences.closed`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: Annotated[str, AfterValidator(_zone)] = Field(description="IANA time zone, e.g. Europe/Berlin.")
    open: list[Opening] = Field(min_length=1, max_length=50, description="When calls are taken.")

    def cover(self, moment: datetime) -> bool:
        """Whether calls are taken at this moment (aware)."""
        local = moment.astimezone(ZoneInfo(self.zone))
        now = local.time()
        return any(
            _DAYS[local.weekday()] in opening.days and _time(opening.opens) <= now and (
                opening.closes == "24:00" or now < _time(opening.closes)
            )
            for opening in self.open
        )  # fmt: skip


def _time(text: str) -> time:
    return time.fromisoformat(text) if text != "24:00" else time.max
