"""The command that serves a model: a demo page and an HTTP endpoint."""

import ipaddress
import logging
import os
import random
import signal
import string
import sys
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from captcha_exp.command_line import EXIT_INTERRUPT, hydra_command
from captcha_exp.errors import InputError, MissingPathError

if TYPE_CHECKING:
    from captcha_exp.config import ServingConfig

_log = logging.getLogger(__package__)  # the name is `__main__`
# The page's examples: how many, and the default text length and width in pixels of dataset=synthetic.
_EXAMPLES = 8
_EXAMPLE_LENGTH = 4
_EXAMPLE_WIDTH = 160
_SHOWN = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"}


def main() -> int:
    """Serve the model that the command line names, e.g. `model=models:/captcha@champion port=7860`."""
    ended_by: list[int | None] = []
    code = hydra_command(lambda composed: ended_by.append(_serve(composed)), "serve", sys.argv[1:])
    if ended_by == [signal.SIGINT]:
        code = EXIT_INTERRUPT
    if ended_by:
        _end_what_hangs(code)
    return code


def _end_what_hangs(code: int) -> None:
    """End at once if reading hangs: otherwise the libraries in which it hangs would abort the process at its end."""
    from captcha_exp.serve.work_thread import one_hangs

    if one_hangs():
        _log.warning("reading hangs and is left undone")
        sys.stdout.flush()
        os._exit(code)


def _serve(composed: DictConfig) -> int | None:
    from captcha_exp.config import ServingConfig, load

    config = load(ServingConfig, composed)
    if not _is_loopback(config.host):
        _log.warning(
            "host=%s lets every machine that reaches this one use the server, which asks no password", config.host
        )
    if "*" in config.allowed_hosts:
        _log.warning(
            "allowed_hosts=* answers to any name: a web page elsewhere can reach the server through its users' browsers"
        )
    given = None if config.examples is None else read_examples(Path(config.examples).expanduser())
    _check_installed()
    # Import these after the checks: the error for a mistyped key must not wait for them.
    from captcha_exp.serve.server import log_to_stderr, serve

    log_to_stderr()
    return serve(config, _tracking_uri(config), lambda characters: given or render_examples(characters))


def _tracking_uri(config: "ServingConfig") -> str:
    """The store that knows the model. Empty if the model is a file, which does not need MLflow."""
    if os.path.exists(config.model):
        return ""
    from captcha_exp.tracking import store_uri

    return store_uri(config.tracking.uri, config.root_path)


def read_examples(folder: Path) -> dict[str, bytes]:
    """The first images of a folder, by name, in formats that browsers can show.

    Raises:
        InputError: there is no such folder, or it has no such image.
    """
    if not folder.is_dir():
        raise MissingPathError(f"examples={folder} is no folder.")
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SHOWN and path.is_file()]
    if not paths:
        raise InputError(f"examples={folder} has no image; files named {', '.join(sorted(_SHOWN))} are taken.")
    return {path.name: path.read_bytes() for path in paths[:_EXAMPLES]}


def render_examples(characters: str) -> dict[str, bytes]:
    """Images that `dataset=synthetic` renders, of a few of the given characters that its fonts have."""
    known = "".join(sorted(set(characters) & set(string.ascii_letters + string.digits)))
    if not known:
        return {}
    from PIL import Image

    from captcha_exp.dataset.synthetic import Renderer

    drawn = {}
    for index in range(_EXAMPLES):
        text = "".join(random.Random(index).choices(known, k=_EXAMPLE_LENGTH))
        image = BytesIO()
        Image.open(BytesIO(Renderer(_EXAMPLE_WIDTH)(f"0:{index}:{text}"))).save(image, "PNG")
        drawn[f"rendered-{index}.png"] = image.getvalue()
    return drawn


def _check_installed() -> None:
    for package in ("gradio", "prometheus_client"):
        if find_spec(package) is None:
            raise InputError(f"{package} is not installed; serving needs `pip install 'captcha-exp[serve]'`.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
