"""What a model reads in labelled images, compared with their labels."""

from captcha_exp.evaluation.assessment import Assessment, LabelledImages, assess
from captcha_exp.evaluation.comparison import Comparison, compare
from captcha_exp.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from captcha_exp.evaluation.intervals import Interval
from captcha_exp.evaluation.reading import Evaluation, Evaluator, Reader, evaluate
from captcha_exp.evaluation.robustness import Robustness, measure_robustness

__all__ = [
    "CORRUPTIONS",
    "STRENGTHS",
    "Assessment",
    "Comparison",
    "Evaluation",
    "Evaluator",
    "Interval",
    "LabelledImages",
    "Reader",
    "Robustness",
    "assess",
    "compare",
    "corrupt",
    "evaluate",
    "measure_robustness",
]
