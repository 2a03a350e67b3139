"""The command that reads image files with a trained model."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from captcha_exp.command_line import EXIT_INTERRUPT, exit_code, hydra_command
from captcha_exp.config import conf_dir
from captcha_exp.errors import InputError
from captcha_exp.predict.arguments import split_arguments
from captcha_exp.terminal import complain, end_unread

if TYPE_CHECKING:
    from captcha_exp.config import PredictConfig
    from captcha_exp.reader.decoding import Constraint
    from captcha_exp.reader.predictor import Predictor

EXIT_UNREADABLE = 1
# Keys whose values are always plain text. Hydra's grammar could read them as lists, dictionaries or numbers.
_VERBATIM = ("model", "pattern", "alphabet", "lexicon")


def main() -> int:
    """Read the files that the command line names, e.g. `model=models:/captcha@champion *.png 'pattern=[0-9]{6}'`.

    Returns:
        0 if every file could be read, `EXIT_UNREADABLE` if not, otherwise as `hydra_command` says.
    """
    given: list[tuple[list[str], list[str]]] = []
    unreadable: list[int] = []
    code = exit_code(lambda: given.append(split_arguments(sys.argv[1:], _keys(), _VERBATIM)))
    if code:
        return code
    overrides, files = given[0]
    code = hydra_command(lambda composed: unreadable.append(_predict(composed, files)), "predict", overrides)
    return code or (EXIT_UNREADABLE if any(unreadable) else 0)


def _keys() -> list[str]:
    """The command's keys, from its YAML file. Loading the schema would be too slow for `--help`."""
    files = [OmegaConf.load(conf_dir() / name) for name in ("predict.yaml", "base/command.yaml")]
    return [*(str(key) for file in files for key in file if key != "defaults"), "tracking"]


def _predict(composed: DictConfig, files: list[str]) -> int:
    from captcha_exp.config import PredictConfig, load

    return predict(load(PredictConfig, composed), files)


def predict(config: "PredictConfig", files: list[str]) -> int:
    """Print a line for each file as soon as it is read. Returns the number of files that could not be read.

    Args:
        config: the model, what is known about the texts, and the form of a line.
        files: paths, folders, globs, `-` for a list on standard input.

    Raises:
        InputError: there are no files, no such model, or no text that the model can read fits what is known.
    """
    if not files:
        raise InputError("No files to read; name files, folders or globs, or `-` for a list on standard input.")
    predictor = _load(config)
    constraint = _constraint(config, predictor)
    if constraint:
        predictor.automaton(constraint)  # if it is refused, that happens before the first line
    where = predictor.version or predictor.model_id or config.model
    knowledge = None if constraint else predictor.decoder.knowledge
    only = "" if knowledge is None else f"; it reads only {knowledge}, as in its training (pattern=.* reads any)"
    complain(f"{where}, computed by {predictor.runtime}{only}")
    from captcha_exp.predict.input_files import file_names

    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal may lack some characters
    try:
        read, failed, empty = _print_lines(config, predictor, constraint, file_names(files))
    except BrokenPipeError:
        end_unread()
    except KeyboardInterrupt:
        complain("interrupted")
        raise SystemExit(EXIT_INTERRUPT) from None
    if failed:
        complain(f"{failed} of {read + failed} files could not be read")
    if empty:
        complain(f"{empty} of {read} texts came out empty: the model reads nothing in these images")
    return failed


def _load(config: "PredictConfig") -> "Predictor":
    # Import this after the checks: the error for a mistyped key must not wait for it.
    from captcha_exp.predict.load_predictor import load_from_project

    return load_from_project(config.model, config.tracking.uri, config.root_path, config.threads)


def _constraint(config: "PredictConfig", predictor: "Predictor") -> "Constraint":
    from captcha_exp.reader.decoding import Constraint, read_lexicon, unreadable_words

    words = None if config.lexicon is None else read_lexicon(Path(config.lexicon))
    left_out = unreadable_words(words, predictor.characters) if words else []
    if left_out:
        complain(
            f"{config.lexicon}: {len(left_out)} words have characters that the model does not know and are left out, "
            f"the first of them {left_out[0]!r}"
        )
    return Constraint(config.pattern, config.alphabet, config.min_length, config.max_length, words)


def _print_lines(
    config: "PredictConfig", predictor: "Predictor", constraint: "Constraint", names: Iterable[str]
) -> tuple[int, int, int]:
    """Read files in batches and print their lines.

    Returns:
        How many files could be read, how many could not, and how many of the texts are empty.
    """
    from captcha_exp.predict.input_files import batches, read_file
    from captcha_exp.predict.output_lines import line_of
    from captcha_exp.reader.image_formats import BadImageError
    from captcha_exp.reader.predictor import BATCH_SIZE

    header, line = line_of(config.format, config.alternatives)
    if header is not None:
        print(header)
    read = failed = empty = 0
    for batch in batches(names, BATCH_SIZE):
        files = [read_file(name) for name in batch]
        readings = iter(predictor.read([f for f in files if isinstance(f, bytes)], constraint, config.alternatives))
        for name, file in zip(batch, files, strict=True):
            reading = next(readings) if isinstance(file, bytes) else file
            print(line(name, reading))
            if isinstance(reading, BadImageError):
                failed += 1
            else:
                read, empty = read + 1, empty + (not reading.text)
        sys.stdout.flush()
    return read, failed, empty


if __name__ == "__main__":
    sys.exit(main())
