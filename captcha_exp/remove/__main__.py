"""The command that removes a sweep with its runs and models."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.errors import InputError
from captcha_exp.files import bytes_in
from captcha_exp.terminal import say

if TYPE_CHECKING:
    from captcha_exp.config import RemoveConfig
    from captcha_exp.tracking.run_removal import SweepTraces


def main() -> int:
    """Remove the sweep that the command line names: `sweep=NAME`, after a question or with `yes=true`."""
    return hydra_command(_remove, "remove", with_remove_key(sys.argv[1:]))


def with_remove_key(arguments: Sequence[str]) -> list[str]:
    """Write `sweep=NAME` as `remove.sweep=NAME`. Hydra would take `sweep` for the config group `sweep`."""
    return [f"remove.{argument}" if argument.startswith("sweep=") else argument for argument in arguments]


def _remove(composed: DictConfig) -> None:
    from captcha_exp.config import RemoveConfig, load

    for line in removed(load(RemoveConfig, composed)):
        say(line)


def removed(config: "RemoveConfig") -> Iterator[str]:
    """Remove a sweep, and yield the lines that tell what goes and what is left.

    Raises:
        InputError: there is no such sweep, it still runs, or a registered version is made of one of its models.
    """
    from captcha_exp.sweep.study_removal import ended_sweep_run, remove_study
    from captcha_exp.tracking import open_store
    from captcha_exp.tracking.run_removal import find_traces, registered_versions, remove_traces

    name, storage, root = config.remove.sweep, config.remove.storage, config.root_path
    parent = ended_sweep_run(root, name, storage)
    store = open_store(config.tracking, root)
    traces = find_traces(store, name, parent, by_name=config.tracking.uri is None)
    versions = registered_versions(store, traces)
    if versions:
        raise InputError(
            f"{', '.join(versions)} {'is' if len(versions) == 1 else 'are'} made of this sweep, so it is kept; delete "
            "what nobody uses from the registry in MLflow's UI first."
        )
    folder = root / "sweeps" / name
    verb = "would remove" if config.dry_run else "to remove"
    yield f"{verb}: {_told(traces)}, {folder} ({_megabytes(bytes_in(folder))})"
    if config.dry_run or not (config.yes or _agreed(name)):
        return
    for_good = remove_traces(store, name, traces)
    remove_study(root, name, storage, config.checkpoints_path)
    yield f"removed the sweep {name}"
    if not for_good:
        yield "the server keeps deleted runs and their files until `mlflow gc` is run where its database is"


def _agreed(name: str) -> bool:
    """Ask the person at the terminal."""
    if not sys.stdin.isatty():
        raise InputError(f"Nobody can be asked whether to remove the sweep {name}; set `yes=true`.")
    return input(f"remove the sweep {name}? [y/N] ").strip().lower() in {"y", "yes"}


def _told(traces: "SweepTraces") -> str:
    runs, models = len(traces.runs), len(traces.models)
    runs_and_models = f"{runs} run{'' if runs == 1 else 's'} and {models} model{'' if models == 1 else 's'}"
    return f"{runs_and_models} ({_megabytes(traces.bytes)})"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
