"""The command that fetches, checks, decodes and audits a dataset."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.terminal import say

if TYPE_CHECKING:
    from captcha_exp.config import Config, PreparationConfig
    from captcha_exp.prepare.audit_result import Audit
    from captcha_exp.prepare.contradictions import TrainedModel

_SKIPPED_NAMED = 20
_CHARACTERS_SHOWN = 200


def main() -> int:
    """Prepare the dataset that the command line composes, e.g. `dataset=folder dataset.path=DIR`."""
    return hydra_command(_prepare, "prepare", sys.argv[1:])


def _prepare(composed: DictConfig) -> None:
    from captcha_exp.config import PrepareCommandConfig, load

    config = load(PrepareCommandConfig, composed)
    for line in prepare(config, config):
        say(line)


def prepare(own: "PreparationConfig", config: "Config") -> Iterator[str]:
    """Fetch, check, decode and audit a dataset. Yield lines that describe it.

    Args:
        own: whether to audit, and the model that checks the labels.
        config: which dataset, under which root. If there is a model, it sets image size, characters and decoding.

    Raises:
        InputError: the user's data has a fault. Too many bad files are audited before this is raised.
    """
    if not own.audit:
        yield from describe(prepare_dataset(config.dataset, config.root_path))
        return
    # A user with many bad files needs the audit most, so make the audit first and refuse the dataset afterwards.
    dataset_config = config.dataset.model_copy(update={"max_bad_share": 1.0})
    lenient = config.model_copy(update={"dataset": dataset_config})
    dataset, trained = _load(lenient, own.model)
    yield from describe(dataset)
    audit, page = _audit(dataset, lenient, trained)
    yield from summarise(audit)
    yield f"audit        {page}"
    if len(dataset.skipped) > config.dataset.max_bad_share * (len(audit.samples) + len(dataset.skipped)):
        prepare_dataset(config.dataset, config.root_path)


def describe(dataset: PreparedDataset) -> Iterator[str]:
    """Describe a dataset in lines for a terminal."""
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
    characters = dataset.vocabulary.characters
    more = "..." if len(characters) > _CHARACTERS_SHOWN else ""
    yield f"vocabulary   {characters[:_CHARACTERS_SHOWN]}{more} ({len(characters)} characters)"
    yield f"cache        {dataset.cache_dir}"
    caches = dataset.cache_dir.parent
    own, every = _gigabytes(dataset.cache_dir), _gigabytes(caches)
    yield f"on disk      {own:.2f} GB of {every:.2f} GB in {caches}, all of which may be deleted"
    yield f"skipped      {len(dataset.skipped)}"
    for file in dataset.skipped[:_SKIPPED_NAMED]:
        yield f"  {file.name}: {file.reason}"
    if len(dataset.skipped) > _SKIPPED_NAMED:
        yield f"  and {len(dataset.skipped) - _SKIPPED_NAMED} more"


def _gigabytes(folder: Path) -> float:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e9


def summarise(audit: "Audit") -> Iterator[str]:
    """The findings of an audit in lines for a terminal, the worst first, without notes."""
    from captcha_exp.prepare.findings import Level, findings

    for finding in findings(audit):
        if finding.level in {Level.problem, Level.warning}:
            yield f"{finding.level.value:<12} {finding.title}: {finding.count}"
        if finding.key == "expected":
            yield from (f"  {line}" for line in audit.warnings)


def _load(config: "Config", model: str | None) -> "tuple[PreparedDataset, TrainedModel | None]":
    """The dataset. If there is a model, its images are as the model sees them."""
    if model is None:
        return prepare_dataset(config.dataset, config.root_path), None
    from captcha_exp.evaluate.held_out import dataset_as_seen
    from captcha_exp.evaluate.seen_images import image_digests
    from captcha_exp.terminal import quiet_stderr
    from captcha_exp.tracking import load_recogniser, open_store

    store = open_store(config.tracking, config.root_path)
    with quiet_stderr(config.root_path):
        recogniser = load_recogniser(model, store.uri)
        import captcha_exp.model.evaluator  # noqa: F401
    dataset = dataset_as_seen(recogniser, config.dataset, config.root_path)
    from captcha_exp.prepare.contradictions import TrainedModel

    known = recogniser.training_images
    return dataset, TrainedModel(
        model,
        recogniser.model,
        recogniser.decoder,
        config.training.batch_size,
        None if known is None else lambda images: np.isin(image_digests(images), known),
    )


def _audit(dataset: PreparedDataset, config: "Config", trained: "TrainedModel | None") -> "tuple[Audit, Path]":
    """Make an audit; return it and the path of its page."""
    from captcha_exp.dataset.sources import open_source
    from captcha_exp.prepare.audit import audit_dataset
    from captcha_exp.prepare.audit_folder import write_audit
    from captcha_exp.prepare.audit_page import render_page

    source = open_source(config.dataset, config.root_path / "cache")
    audit = audit_dataset(source, dataset, config.dataset, trained)
    return audit, write_audit(audit, render_page(audit, source.load), config.root_path)


if __name__ == "__main__":
    sys.exit(main())
