"""What /metrics says: every metric of the API process, declared once with its unit and a sentence. Only listens."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_STAGE_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """One registry per application; nothing global."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "voicefleet_http_requests", "Answers given.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "voicefleet_http_request_seconds", "Time to a complete answer, without event streams.",
            ["method", "route"], buckets=_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._pipeline = Histogram(
            "voicefleet_voice_pipeline_seconds", "Stages of answered uploads: wait, decode, stt, llm, tts, total.",
            ["stage"], buckets=_STAGE_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._calls = Gauge(
            "voicefleet_calls", "Calls of the fleet that are ready, scheduled, or held by a worker.", ["place"],
            registry=self.registry,
        )  # fmt: skip
        self._slots = Gauge(
            "voicefleet_worker_slots", "Slots of all workers: all, and those in use.", ["kind"], registry=self.registry
        )
        self._workers = Gauge("voicefleet_workers", "Workers with a heartbeat.", registry=self.registry)
        self._listeners = Gauge("voicefleet_event_listeners", "Open event streams of this process.", registry=self.registry)
        self._webhooks = Counter(
            "voicefleet_webhooks", "Signed webhooks, by what became of them; no_call: that number was in no call.",
            ["sender", "kind", "result"], registry=self.registry,
        )  # fmt: skip
        self._up = Gauge("voicefleet_redis_up", "1 while Redis answers this process.", registry=self.registry)

    def pipeline(self, times: dict[str, float]) -> None:
        """Count one answered upload; `times` are seconds by stage, as `decode_s`."""
        for stage, seconds in times.items():
            self._pipeline.labels(stage.removesuffix("_s")).observe(seconds)

    def answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answer."""
        self._requests.labels(method, route, str(status)).inc()
        if not route.endswith("/events"):
            self._seconds.labels(method, route).observe(duration_s)

    def webhook(self, sender: str, kind: str, result: str) -> None:
        """Count one webhook whose signature was right."""
        self._webhooks.labels(sender, kind, result).inc()

    def fleet(self, waiting: dict[str, int] | None, workers: tuple[int, int, int], listeners: int) -> None:
        """Set the gauges. `waiting` is None while Redis does not answer; `workers` are (how many, slots, active)."""
        self._up.set(0 if waiting is None else 1)
        for place, count in (waiting or {}).items():
            self._calls.labels(place).set(count)
        if waiting is None:
            self._calls.clear()
        count, slots, active = workers
        self._workers.set(count)
        self._slots.labels("all").set(slots)
        self._slots.labels("in_use").set(active)
        self._listeners.set(listeners)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return bytes(generate_latest(self.registry))
