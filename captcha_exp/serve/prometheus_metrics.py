"""What a server counts, for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from captcha_exp.serve.model_holder import ModelHolder

# The text format 0.0.4, which every Prometheus can read.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
disable_created_metrics()  # they double the lines, and nobody needs them
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ServerMetrics:
    """The metrics of one server."""

    def __init__(self, models: ModelHolder) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "captcha_exp_requests", "Requests answered", ["route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "captcha_exp_request_seconds", "Time from a request's first byte to the end of its answer", ["route"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self._images = Counter(
            "captcha_exp_images", "Images received, by whether they could be read", ["outcome"], registry=self.registry
        )
        self.in_progress = Gauge(
            "captcha_exp_requests_in_progress", "Requests that hold one of limits.concurrent", registry=self.registry
        )
        self.registry.register(_ModelMetrics(models))

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def count_images(self, read: int, unreadable: int) -> None:
        """Count the images of one request."""
        self._images.labels("read").inc(read)
        self._images.labels("unreadable").inc(unreadable)

    def text(self) -> bytes:
        """All metrics, as `CONTENT_TYPE`."""
        return generate_latest(self.registry)


class _ModelMetrics(Collector):
    """Looks up which model is in use at each request for metrics."""

    def __init__(self, models: ModelHolder) -> None:
        self._models = models

    def collect(self) -> Iterable[Metric]:
        held = self._models.current
        labels = {"model": held.name, "model_id": held.predictor.model_id or "", "runtime": held.predictor.runtime}
        info = GaugeMetricFamily("captcha_exp_model_info", "The model in use", labels=list(labels))
        info.add_metric(list(labels.values()), 1)
        yield info
        failed = float(self._models.problem is not None)
        yield GaugeMetricFamily(
            "captcha_exp_model_reload_failed", "1 while a newer version cannot be used", value=failed
        )
