"""From finished runs to the model in use: choose, judge, move the aliases."""

from captcha_exp.promote.challenger import Chosen, choose
from captcha_exp.promote.contest import Contest
from captcha_exp.promote.evidence import load_challenger, load_version
from captcha_exp.promote.gate import Verdict, decide
from captcha_exp.promote.judgement import Judged
from captcha_exp.promote.refit import refit
from captcha_exp.promote.registry_steps import (
    BuildServable,
    Step,
    promotion_steps,
    roll_back,
    rollback_steps,
    run_steps,
)

__all__ = [
    "BuildServable",
    "Chosen",
    "Contest",
    "Judged",
    "Step",
    "Verdict",
    "choose",
    "decide",
    "load_challenger",
    "load_version",
    "promotion_steps",
    "refit",
    "roll_back",
    "rollback_steps",
    "run_steps",
]
