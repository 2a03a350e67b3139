"""The network: how it is built, its loss, how it is run."""

import captcha_exp.model.quick_keras  # noqa: F401  # before any other module imports Keras
from captcha_exp.model.ctc import ctc_loss
from captcha_exp.model.recogniser import build_recogniser, with_probabilities
from captcha_exp.model.transfer import adopt_weights

__all__ = ["adopt_weights", "build_recogniser", "ctc_loss", "with_probabilities"]
