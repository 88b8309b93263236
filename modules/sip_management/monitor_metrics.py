"""What the trunk monitor's /metrics says: every metric declared once with its unit and a sentence. Only listens."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from modules.sip_management.findings import Finding


class MonitorMetrics:
    """One registry per monitor; nothing global."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._ok = Gauge(
            "voicefleet_trunk_ok", "1 while everything of this kind is well; see /healthz for words.", ["what", "trunk"],
            registry=self.registry,
        )  # fmt: skip
        self._repairs = Counter(
            "voicefleet_trunk_repairs", "Stored trunks and rules put right.", ["noun", "did"], registry=self.registry
        )
        self._refusals = Gauge(
            "voicefleet_trunk_refusals", "Attempts of the last 15 minutes that the carrier did not carry.",
            ["trunk", "outcome", "sip_status"], registry=self.registry,
        )  # fmt: skip
        self._workers = Gauge("voicefleet_trunk_monitor_workers", "Workers with a heartbeat.", registry=self.registry)
        self._slots = Gauge(
            "voicefleet_trunk_monitor_slots", "Slots of all workers: all, and those in use.", ["kind"], registry=self.registry
        )
        self._took = Gauge("voicefleet_trunk_look_seconds", "How long the last look took.", registry=self.registry)
        self._at = Gauge("voicefleet_trunk_looked_at_seconds", "When the last look ended, since 1970.", registry=self.registry)

    def looked(self, findings: Iterable[Finding], *, took_s: float) -> None:
        """Set the gauges to what was found."""
        well: dict[tuple[str, str], bool] = {}
        for finding in findings:
            key = finding.what, finding.trunk
            well[key] = well.get(key, True) and finding.ok
        self._ok.clear()
        for key, ok in well.items():
            self._ok.labels(*key).set(int(ok))
        self._took.set(took_s)
        self._at.set_to_current_time()

    def repaired(self, noun: str, did: str) -> None:
        """Count one repair."""
        self._repairs.labels(noun, did).inc()

    def fleet(self, workers: tuple[int, int, int] | None, refusals: Mapping[tuple[str, str, int], int] | None) -> None:
        """Set what Redis says; (how many workers, slots, active), or None while it does not answer."""
        count, slots, active = workers or (0, 0, 0)
        self._workers.set(count)
        self._slots.labels("all").set(slots)
        self._slots.labels("in_use").set(active)
        self._refusals.clear()
        for (trunk, outcome, status), number in (refusals or {}).items():
            self._refusals.labels(trunk, outcome, str(status)).set(number)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return bytes(generate_latest(self.registry))
