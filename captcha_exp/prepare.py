"""The command that fetches, checks and decodes a dataset, and tells what it is."""

import sys
from collections import Counter
from collections.abc import Iterator

from omegaconf import DictConfig

from captcha_exp.commands import hydra_command
from captcha_exp.config import load_config
from captcha_exp.dataset import PreparedDataset, prepare_dataset

_SKIPPED_NAMED = 20


def main() -> int:
    """Prepare the dataset that the command line composes, e.g. `dataset=folder dataset.path=DIR`."""
    return hydra_command(_prepare, "config", sys.argv[1:])


def describe(dataset: PreparedDataset) -> Iterator[str]:
    """What a dataset is, in lines for a terminal."""
    labels = [label for split in dataset.splits for label in split.labels]
    lengths = Counter(map(len, labels))
    origins = Counter(origin for split in dataset.splits for origin in split.origins)
    yield f"source       {dataset.source_uri}"
    yield f"fingerprint  {dataset.fingerprint}"
    yield "images       " + ", ".join(f"{len(split)} {split.name}" for split in dataset.splits)
    if len(origins) > 1:
        yield "origins      " + ", ".join(f"{count} {origin}" for origin, count in sorted(origins.items()))
    yield f"labels       {len(set(labels))} different, of length " + ", ".join(
        f"{length} ({count})" for length, count in sorted(lengths.items())
    )
    yield f"vocabulary   {dataset.vocabulary.characters} ({len(dataset.vocabulary.characters)} characters)"
    yield f"cache        {dataset.cache_dir}"
    yield f"skipped      {len(dataset.skipped)}"
    for file in dataset.skipped[:_SKIPPED_NAMED]:
        yield f"  {file.name}: {file.reason}"
    if len(dataset.skipped) > _SKIPPED_NAMED:
        yield f"  and {len(dataset.skipped) - _SKIPPED_NAMED} more"


def _prepare(composed: DictConfig) -> None:
    config = load_config(composed)
    for line in describe(prepare_dataset(config.dataset, config.root_path)):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
