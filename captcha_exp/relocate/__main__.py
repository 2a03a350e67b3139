"""The command that sets a project right after its folder was moved, renamed or copied."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.terminal import say

if TYPE_CHECKING:
    from captcha_exp.config import RelocateConfig
    from captcha_exp.tracking.artifact_addresses import Relocation


def main() -> int:
    """Mend the store of a moved folder: `root=DIR`, and `dry_run=true` to see what would change."""
    return hydra_command(_relocate, "relocate", sys.argv[1:])


def _relocate(composed: DictConfig) -> None:
    from captcha_exp.config import RelocateConfig, load

    for line in relocated(load(RelocateConfig, composed)):
        say(line)


def relocated(config: "RelocateConfig") -> Iterator[str]:
    """Do it, and yield the lines that tell what was done.

    Raises:
        InputError: there is no store of its own under the root, it is in use, or its models' files are not there.
    """
    from captcha_exp.config import without_passwords
    from captcha_exp.errors import InputError
    from captcha_exp.tracking.artifact_addresses import relocate

    if config.tracking.uri is not None:
        raise InputError(
            f"tracking.uri={without_passwords(config.tracking.uri)} is not the store of a folder, so it does not move "
            "with one; relocate works on the store under `root`, with `tracking.uri=null`."
        )
    done = relocate(config.root_path, dry_run=config.dry_run)
    if not done.old:
        yield f"nothing to change: the store looks for its files in {done.new}"
        return
    verb = "would point" if config.dry_run else "now point"
    yield f"{_counted(done)} {verb} to {done.new}, no longer to {' and '.join(done.old)}"
    if done.missing:
        yield f"without files in the new place: {len(done.missing)} models, {', '.join(done.missing)}"
    if done.backup is not None:
        yield f"the database as it was: {done.backup}"


def _counted(done: "Relocation") -> str:
    parts = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in done.counts.items() if count]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


if __name__ == "__main__":
    sys.exit(main())
