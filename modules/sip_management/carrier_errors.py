"""How often carriers have refused or failed us lately, from the stream of what happened. Simulated calls do not count."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from modules.call_queue_manager import Store, StreamEvent, read_after
from modules.calls import Event, Outcome

WINDOW = timedelta(minutes=15)
_THEIRS = frozenset({Outcome.CARRIER_REJECTED, Outcome.CARRIER_ERROR, Outcome.TRUNK_MISCONFIGURED})
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """One attempt that the carrier did not carry. `sip_status_code` is 0 where it sent none."""

    at: datetime
    trunk: str
    outcome: str
    sip_status_code: int


class CarrierErrors:
    """The refusals of the last fifteen minutes; reads on where it stopped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._after = ""
        self._lately: deque[Refusal] = deque()

    async def lately(self) -> Counter[tuple[str, str, int]]:
        """Return how many there were, by (trunk, outcome, SIP status). Raises Unavailable."""
        now = datetime.fromtimestamp(self._store.clock.now_ms() / 1000).astimezone()
        self._after = self._after or str(int((now - WINDOW).timestamp() * 1000))
        while events := await read_after(self._store, self._after, count=_PAGE):
            self._after = events[-1].id
            self._lately += [refusal for event in events if (refusal := _refusal(event))]
        while self._lately and self._lately[0].at < now - WINDOW:
            self._lately.popleft()
        return Counter((one.trunk, one.outcome, one.sip_status_code) for one in self._lately)


def _refusal(event: StreamEvent) -> Refusal | None:
    """An attempt that failed so, whether the call ended by it or will be tried again."""
    if event.data.get("event") != Event.ATTEMPT_FAILED or event.data.get("simulated"):
        return None
    told = event.data.get("outcome") or event.data.get("last_outcome")
    if told not in _THEIRS:
        return None
    return Refusal(event.at, str(event.data.get("trunk", "")), str(told), int(event.data.get("sip_status_code") or 0))
