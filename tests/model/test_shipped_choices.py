"""Every model that `conf/` can compose is built."""

from collections.abc import Callable

import pytest

from captcha_exp.config import Config, conf_dir, time_steps
from captcha_exp.model import build_recogniser

CNNS = sorted(path.stem for path in (conf_dir() / "cnn").glob("*.yaml"))
TRANSFORMERS = sorted(path.stem for path in (conf_dir() / "transformer").glob("*.yaml"))
DATASETS = sorted(path.stem for path in (conf_dir() / "dataset").glob("*.yaml"))
EXPERIMENTS = sorted(path.stem for path in (conf_dir() / "experiment").glob("*.yaml"))


def build(config: Config) -> tuple[int, int]:
    """Time steps and classes of the built model."""
    size = config.dataset.image_height, config.dataset.image_width
    return build_recogniser(config.cnn, config.transformer, *size, num_classes=11).output_shape[1:]


# That every cnn goes with every transformer is shown by tests/training/test_overfit.py.
@pytest.mark.parametrize(
    ("cnn", "transformer"), [*((cnn, "pre_norm") for cnn in CNNS), *(("compact", name) for name in TRANSFORMERS)]
)
def test_every_cnn_and_every_transformer_is_built(cnn: str, transformer: str, compose: Callable[..., Config]) -> None:
    config = compose(f"cnn={cnn}", f"transformer={transformer}")
    assert build(config) == (time_steps(config), 11)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_dataset_has_a_size_that_the_default_model_takes(dataset: str, compose: Callable[..., Config]) -> None:
    path = ["dataset.path=somewhere"] if dataset in {"folder", "manifest"} else []
    config = compose(f"dataset={dataset}", *path)
    assert build(config) == (time_steps(config), 11)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_is_built(experiment: str, compose: Callable[..., Config]) -> None:
    config = compose(f"+experiment={experiment}")
    assert build(config) == (time_steps(config), 11)
