"""The charts of a sweep's report."""

from captcha_exp.reporting.charts.curves import accuracy_curves, loss_curves
from captcha_exp.reporting.charts.history import history
from captcha_exp.reporting.charts.importance import importance
from captcha_exp.reporting.charts.parallel import has_conditions, parallel_coordinates
from captcha_exp.reporting.charts.race import race
from captcha_exp.reporting.charts.style import chart_style, short, shown_metric
from captcha_exp.reporting.charts.tradeoff import tradeoff

__all__ = [
    "accuracy_curves",
    "chart_style",
    "has_conditions",
    "history",
    "importance",
    "loss_curves",
    "parallel_coordinates",
    "race",
    "short",
    "shown_metric",
    "tradeoff",
]
