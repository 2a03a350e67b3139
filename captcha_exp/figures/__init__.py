"""Pictures of a run: data in, a Matplotlib figure out, without any global state."""

from captcha_exp.figures.confusion import character_confusion
from captcha_exp.figures.curves import learning_curves
from captcha_exp.figures.sheet import prediction_sheet

__all__ = ["character_confusion", "learning_curves", "prediction_sheet"]
