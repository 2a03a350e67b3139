"""From finished runs to the model in use: choose, judge, move the aliases."""

from captcha_exp.promotion.choose import Chosen, choose
from captcha_exp.promotion.contest import Contest
from captcha_exp.promotion.gate import Verdict, decide
from captcha_exp.promotion.judge import Judged
from captcha_exp.promotion.record import BuildServable, Step, promotion_steps, roll_back, run_steps
from captcha_exp.promotion.refit import refit

__all__ = [
    "BuildServable",
    "Chosen",
    "Contest",
    "Judged",
    "Step",
    "Verdict",
    "choose",
    "decide",
    "promotion_steps",
    "refit",
    "roll_back",
    "run_steps",
]
