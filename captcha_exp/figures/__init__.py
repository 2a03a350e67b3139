"""Pictures of a run: data in, a Matplotlib figure out, without any global state."""

from captcha_exp.figures.calibration import reliability_diagram
from captcha_exp.figures.confusion import character_confusion
from captcha_exp.figures.corruption import corruption_sheet
from captcha_exp.figures.coverage import coverage_curve
from captcha_exp.figures.curves import learning_curves
from captcha_exp.figures.parts import accuracy_by_part
from captcha_exp.figures.sheet import prediction_sheet

__all__ = [
    "accuracy_by_part",
    "character_confusion",
    "corruption_sheet",
    "coverage_curve",
    "learning_curves",
    "prediction_sheet",
    "reliability_diagram",
]
