"""Pictures of a run. Each function takes data and returns a Matplotlib figure, without global state."""

from captcha_exp.figures.accuracy_bars import accuracy_by_part
from captcha_exp.figures.confusion import character_confusion
from captcha_exp.figures.corruption_grid import corruption_sheet
from captcha_exp.figures.coverage import coverage_curve
from captcha_exp.figures.epoch_curves import learning_curves
from captcha_exp.figures.image_sheet import prediction_sheet
from captcha_exp.figures.reliability import reliability_diagram

__all__ = [
    "accuracy_by_part",
    "character_confusion",
    "corruption_sheet",
    "coverage_curve",
    "learning_curves",
    "prediction_sheet",
    "reliability_diagram",
]
