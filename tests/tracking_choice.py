"""Where the runs of a test are kept."""

from captcha_exp.config import TrackingConfig


def tracked_in(experiment: str, uri: str | None = None) -> TrackingConfig:
    """The group `tracking` of an experiment in the store `uri`, or in the one below the test's root."""
    return TrackingConfig(
        uri=uri, experiment=experiment, run_name=None, log_model=True, sheet_images=0, system_metrics=False
    )
