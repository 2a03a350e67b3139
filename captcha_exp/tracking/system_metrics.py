"""MLflow's own measurements of the machine while a run trains."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from captcha_exp.config import TrackingConfig
from captcha_exp.errors import InputError
from captcha_exp.tracking.tracked_run import TrackedRun


def check_system_metrics(config: TrackingConfig) -> None:
    """Refuse `tracking.system_metrics` without the package that measures.

    Raises:
        InputError: naming the key, and what to type.
    """
    if config.system_metrics and find_spec("psutil") is None:
        raise InputError(
            "tracking.system_metrics=true needs psutil: pip install 'captcha-exp[system-metrics]', or "
            "tracking.system_metrics=false."
        )


@contextmanager
def measured(run: TrackedRun, config: TrackingConfig) -> Iterator[None]:
    """Log processor, memory, disk and network of the machine to `run` as `system/...`, if `config` says so."""
    if not config.system_metrics:
        yield
        return
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(run.run_id, resume_logging=True, tracking_uri=run.store_uri)
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()
