"""The charts of a sweep's report."""

from captcha_exp.report.charts.best_so_far import history
from captcha_exp.report.charts.importance_chart import importance
from captcha_exp.report.charts.parallel_coordinates import has_conditions, parallel_coordinates
from captcha_exp.report.charts.race import race
from captcha_exp.report.charts.svg_style import chart_style, short, shown_metric
from captcha_exp.report.charts.tradeoff import tradeoff
from captcha_exp.report.charts.trial_curves import accuracy_curves, loss_curves

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
