"""Render HTML pages that open from disk and hold text from anybody."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from captcha_exp.files import replacing
from captcha_exp.foreign_text import visible


def page_environment(package: str) -> Environment:
    """An environment for the templates of `package`. It escapes and shortens every value except `Markup`."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(path: Path, text: str) -> None:
    """Write a page. It replaces an earlier page completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode())


def _shown(value: Any) -> Any:
    # Only our own drawings are Markup: charts, pictures, and results of the templates' macros.
    return visible(value, keep="\n") if isinstance(value, str) and not isinstance(value, Markup) else value
