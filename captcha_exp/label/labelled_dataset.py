"""The table of labels as a dataset: for the trainings in between, and as what a user types afterwards."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from captcha_exp.config import Config, DatasetConfig, LabellingConfig, Leaks, ManifestConfig

_OWN_KEYS = {*LabellingConfig.model_fields, "dataset", "dataset.path", "dataset.recursive"}


def with_table(config: Config, table: Path, images: Path) -> Config:
    """The same configuration on the table, with the test images kept apart.

    Args:
        config: of the folder.
        table: what `LabelTable` writes.
        images: the folder of the images.
    """
    shared = {key: getattr(config.dataset, key) for key in DatasetConfig.model_fields}
    dataset = ManifestConfig(
        **shared
        | {
            "source": "manifest",
            "path": str(table),
            "image_root": str(images),
            "given_splits": True,
            "leaks": Leaks.drop,
        },
        file_column="file",
        label_column="label",
        split_column="split",
        delimiter=",",
        encoding="utf-8",
        header=True,
    )
    return config.model_copy(update={"dataset": dataset})


def next_command(arguments: Sequence[str], table: Path, images: Path, *, divided: bool) -> str:
    """The command that trains on the table.

    Args:
        arguments: what was typed for this command.
        table: the table.
        images: the folder of the images.
        divided: whether the table has test images.
    """
    own = [f"dataset.path={table}"]
    if images.resolve() != table.resolve().parent:
        own.append(f"dataset.image_root={images}")
    if divided:
        own += ["dataset.given_splits=true", "dataset.leaks=drop"]
    others = [one for one in arguments if one.lstrip("+~").partition("=")[0] not in _OWN_KEYS]
    return shlex.join(["captcha-exp", "train", "dataset=manifest", *own, *others])
