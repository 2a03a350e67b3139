"""Pages of HTML that open from disk and take in text that anybody may have written."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from captcha_exp.files import replacing
from captcha_exp.foreign_text import visible


def page_environment(package: str) -> Environment:
    """What renders the templates of `package`: all that they are given is text, of bounded length, but for `Markup`."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_page(path: Path, text: str) -> None:
    """Put a page in place of an earlier one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode())


def _shown(value: Any) -> Any:
    # Markup is what we drew ourselves: charts, pictures, and what the templates' own macros give back.
    return visible(value, keep="\n") if isinstance(value, str) and not isinstance(value, Markup) else value
