"""The network: building it, its loss and the decoding of its output."""

from captcha_exp.decoding import Prediction, decode
from captcha_exp.model.ctc import ctc_loss
from captcha_exp.model.recogniser import build_recogniser, with_probabilities
from captcha_exp.model.transfer import adopt_weights

__all__ = ["Prediction", "adopt_weights", "build_recogniser", "ctc_loss", "decode", "with_probabilities"]
