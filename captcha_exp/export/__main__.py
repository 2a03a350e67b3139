"""The command that writes a model as a file for other programs."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.terminal import say

if TYPE_CHECKING:
    from captcha_exp.config import ExportConfig

_RUN = "run="


def main() -> int:
    """Write the model that the command line names, e.g. `run=RUN_ID format=tflite output=model.tflite`."""
    return hydra_command(_export, "export", with_addresses(sys.argv[1:]))


def with_addresses(arguments: Sequence[str]) -> list[str]:
    """Arguments in which `run=RUN_ID` is replaced by the address of the run's model."""
    return [
        f"model=runs:/{argument.removeprefix(_RUN)}/model" if argument.startswith(_RUN) else argument
        for argument in arguments
    ]


def _export(composed: DictConfig) -> None:
    from captcha_exp.config import ExportConfig, load

    say(export(load(ExportConfig, composed)))


def export(config: "ExportConfig") -> str:
    """Write the file, and return the line that tells what was written.

    Raises:
        InputError: there is no such model, or it cannot be written in this format and compute the same.
    """
    # Imported after the checks: the message about a mistyped key must not wait for MLflow and TensorFlow.
    from captcha_exp.files import replacing
    from captcha_exp.terminal import quiet_stderr
    from captcha_exp.tracking import load_recogniser, store_uri

    output = _output(config)
    with quiet_stderr(config.root_path, output.parent):
        recogniser = load_recogniser(config.model, store_uri(config.tracking.uri, config.root_path))
        from captcha_exp.export.checked_file import checked_file

        data, difference = checked_file(recogniser, config.format)
        with replacing(output) as file:
            file.write(data)
    return (
        f"{output}: {recogniser.model_id} as {config.format.value}, {len(data):,} bytes; its probabilities differ from "
        f"the model's by {difference:.1e} at most"
    )


def _output(config: "ExportConfig") -> Path:
    from captcha_exp.errors import InputError, MissingPathError

    output = Path(config.output or f"model.{config.format.value}").expanduser().absolute()
    if output.suffix.lower() != f".{config.format.value}":
        raise InputError(f"output={config.output} must end in .{config.format.value}, as format={config.format.value}.")
    if not output.parent.is_dir():
        raise MissingPathError(f"output={config.output}: the folder {output.parent} does not exist.")
    if output.is_dir():
        raise InputError(f"output={config.output} is a folder; name a file.")
    return output


if __name__ == "__main__":
    sys.exit(main())
