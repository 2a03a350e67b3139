"""The weights that come with the package."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.experiment import Outcome, run_experiment, shipped_start
from captcha_exp.tracking import load_recogniser
from tests.trained_run import store_of

Compose = Callable[..., Config]
MOST_BYTES = 4_000_000
# As in the experiment, with few images.
QUICK = (
    *("+experiment=hard", "dataset=styled", "dataset/style=[lines]", "dataset.size=160", "dataset.image_width=160"),
    *("dataset.channels=rgb", "dataset.image_height=40", "training.epochs=1"),
    *("tracking.log_model=false", "augmentation=none", "dataset.seed=99", "dataset.validation_fraction=0.3"),
)


def test_it_is_small_and_says_what_it_has_learnt_from() -> None:
    packed = Path(shipped_start.__file__).with_name(shipped_start.PACKED)
    assert packed.stat().st_size <= MOST_BYTES
    start = shipped_start.shipped_start()
    assert start.images > 100_000
    assert len(start.characters) == 62
    assert start.config["root"] == "."


def test_a_packed_model_is_built_again_but_for_the_precision(
    trained: tuple[Config, Outcome, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, outcome, _ = trained
    recogniser = load_recogniser(f"runs:/{outcome.run_id}/model", store_of(config).uri)
    packed = tmp_path / "packed.npz"
    shipped_start.pack(recogniser.model, recogniser.characters, recogniser.config, 510, packed)
    unpacked = shipped_start.unpacked(packed)
    assert (unpacked.characters, unpacked.images) == (recogniser.characters, 510)
    for weight, kept in zip(unpacked.model.get_weights(), recogniser.model.get_weights(), strict=True):
        np.testing.assert_allclose(weight, kept, rtol=1e-3, atol=1e-6)


def test_a_run_that_starts_from_it_says_so_and_reads_sooner(compose: Compose, told: list[str]) -> None:
    run = run_experiment(compose(*QUICK))
    digest = shipped_start.shipped_start().digest
    (line,) = [line for line in told if "shipped weights" in line]
    assert digest[:12] in line and "rendered images" in line
    store = store_of(compose(*QUICK))
    assert store.client.get_run(run.run_id).data.tags["initial_model"] == f"shipped:{digest}"
    # Random weights read nothing after so few images.
    assert run.metrics["best/val/sequence_accuracy"] >= 0.5
