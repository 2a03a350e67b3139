"""Turns class probabilities into text that satisfies a constraint, with NumPy alone."""

from captcha_exp.reader.decoding.automaton import Automaton
from captcha_exp.reader.decoding.automaton_cache import AutomatonCache
from captcha_exp.reader.decoding.constraint import Constraint, build_automaton, read_lexicon, unreadable_words
from captcha_exp.reader.decoding.decode import Prediction, decode, decode_alternatives
from captcha_exp.reader.decoding.decoder import Decoder
from captcha_exp.reader.decoding.knowledge import Knowledge
from captcha_exp.reader.decoding.likelihood import log_language_probability, log_text_probability

__all__ = [
    "Automaton",
    "AutomatonCache",
    "Constraint",
    "Decoder",
    "Knowledge",
    "Prediction",
    "build_automaton",
    "decode",
    "decode_alternatives",
    "log_language_probability",
    "log_text_probability",
    "read_lexicon",
    "unreadable_words",
]
