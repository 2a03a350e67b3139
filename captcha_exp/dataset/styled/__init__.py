"""Renders labelled images in families of style, fast and on this machine."""

from captcha_exp.dataset.styled.styled_source import open_styled

__all__ = ["open_styled"]
