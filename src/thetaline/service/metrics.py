"""What Prometheus reads under /metrics; one registry an application."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

REQUEST_SECS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
FIT_SECS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
CYCLES = (5, 10, 15, 20, 30, 50, 75, 100, 200, 500)

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the lines of a scrape
# (name, help, label): values, as they are at the moment of a scrape
Gauges = Mapping[tuple[str, str, str], Mapping[str, float]]


class ServiceMetrics:
    """Counters and histograms that requests and fits write, gauges that a scrape asks for."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "thetaline_requests", "requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.request_secs = Histogram(
            "thetaline_request_seconds",
            "time to the end of the answer",
            ["route"],
            buckets=REQUEST_SECS,
            registry=self.registry,
        )
        self.fits = Counter("thetaline_fits", "fits ended", ["kind", "outcome"], registry=self.registry)
        self.fit_secs = Histogram(
            "thetaline_fit_seconds", "time in a fit process", ["kind"], buckets=FIT_SECS, registry=self.registry
        )
        self.fit_cycles = Histogram(
            "thetaline_fit_cycles", "EM cycles of a fit", buckets=CYCLES, registry=self.registry
        )
        self.worker_deaths = Counter(
            "thetaline_worker_deaths", "fit processes that died at work", registry=self.registry
        )

        self._gauges: Gauges = {}
        self.registry.register(_Gauges(lambda: self._gauges))

    def fit_ended(self, kind: str, outcome: str, secs: float | None, *, cycles: int | None = None) -> None:
        """A fit, small or large, after `secs` in a process, None for one that came to none.

        `outcome` is ok, timeout, cancelled, died, or the status that the fit was refused with.
        """
        self.fits.labels(kind, outcome).inc()
        if secs is not None:
            self.fit_secs.labels(kind).observe(secs)
        if cycles is not None:
            self.fit_cycles.observe(cycles)

    def show(self, gauges: Gauges) -> None:
        """Values as they are now; they stand until the next call."""
        self._gauges = gauges

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _Gauges(Collector):
    def __init__(self, read: Callable[[], Gauges]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        for (name, text, label), values in self._read().items():
            gauge = GaugeMetricFamily(name, text, labels=[label] if label else None)
            for key, value in values.items():
                gauge.add_metric([key] if label else [], value)
            yield gauge
