"""Labelled images in families of style, rendered fast on this machine."""

from captcha_exp.dataset.styled.styled_source import open_styled

__all__ = ["open_styled"]
