"""Every YAML composes, and what cannot work is refused with one line that names the key."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.errors import ConfigCompositionException

from captcha_exp.config import Config, conf_dir, flatten, load_config, to_plain, without_passwords
from captcha_exp.errors import InputError

Compose = Callable[..., Config]
FILES = (path.relative_to(conf_dir()).with_suffix("") for path in conf_dir().glob("*/*.yaml"))
CHOICES = sorted(path for path in FILES if path.parts[0] != "base")  # no choice: what the files of a group share
NEEDS_A_PATH = {"dataset/folder", "dataset/manifest"}


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_every_shipped_choice_composes(choice: Path, compose: Compose) -> None:
    group, name = choice.parts
    override = f"+{group}={name}" if group in {"sweep", "experiment"} else f"{group}={name}"
    extra = ["dataset.path=somewhere"] if str(choice) in NEEDS_A_PATH else []
    assert load_config(to_plain(compose(override, *extra))) == compose(override, *extra)


def test_a_sweep_file_asks_a_question_and_says_what_it_found(compose: Compose) -> None:
    for path in (conf_dir() / "sweep").glob("*.yaml"):
        head = path.read_text().split("defaults:")[0]
        for word in ("# @package _global_", "# Run:", f"+sweep={path.stem}", "# Measured:"):
            assert word in head, f"{path.name} lacks {word!r}"
        question = compose(f"+sweep={path.stem}").sweep.question
        assert question is not None and question.endswith("?")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["training.epochs=many"], "training.epochs must be a whole number, not 'many'."),
        (["training.epochs=0"], "training.epochs must be at least 1, not 0."),
        (["optimizer.learning_rate=-1"], "optimizer.learning_rate must be above 0, not -1."),
        (["optimizer.learning_rate=nan"], "optimizer.learning_rate must be above 0, not nan."),
        (["transformer.dropout=1"], "transformer.dropout must be at least 0 and below 1, not 1."),
        (
            ["transformer.num_heads=5"],
            "transformer.projection_dim 96 is not divisible by transformer.num_heads 5; "
            "change one of them or set `transformer.key_dim`.",
        ),
        (["cnn.kind=huge"], "cnn.kind must be one of original, compact, residual, vgg, custom, not 'huge'."),
        (["cnn.width_stride=3"], "cnn.width_stride must be a power of two, not 3."),
        (["cnn.filters=[]"], "cnn.filters must be at least one number of filters, not []."),
        (["+training.epoch=3"], "Key 'epoch' not in training; did you mean training.epochs?"),
        (["dataset=folder"], "dataset.path is missing; set `dataset.path=...`."),
        (
            ["dataset.source=cloud"],
            "dataset.source must be one of synthetic, styled, folder, manifest, kaggle, custom, not 'cloud'.",
        ),
        (
            ["dataset.validation_fraction=0.6", "dataset.test_fraction=0.4"],
            "dataset.validation_fraction + dataset.test_fraction must be below 1, not 1.0.",
        ),
        (["dataset.vocabulary=aab"], "dataset.vocabulary must be free of repeated characters, not 'a'."),
        (
            ["dataset.image_width=12", "dataset.max_length=8"],
            "dataset.max_length is 8, but this model gives 3 time steps. "
            "Lower `cnn.width_stride` or raise `dataset.image_width`.",
        ),
        (["augmentation.scale=2"], "augmentation.scale must be from 0 to 1, not 2."),
        (["sweep.name=a/b"], "sweep.name must be null or usable as the name of a folder, not 'a/b'."),
        (
            ["transformer=lstm", "transformer.projection_dim=33"],
            "transformer.projection_dim must be even and positive, not 33.",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_key(overrides: list[str], message: str, compose: Compose) -> None:
    with pytest.raises(InputError) as caught:
        compose(*overrides)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_mistyped_key_is_refused_by_hydra(compose: Compose) -> None:
    with pytest.raises(ConfigCompositionException, match=r"transformer\.num_head"):
        compose("transformer.num_head=3")


def test_heads_cannot_be_given_to_a_model_that_has_none(compose: Compose) -> None:
    with pytest.raises(ConfigCompositionException, match=r"transformer\.num_heads"):
        compose("transformer=lstm", "transformer.num_heads=2")


def test_every_key_of_the_contract_is_there(compose: Compose) -> None:
    keys = set(flatten(to_plain(compose("dataset=folder", "dataset.path=somewhere"))))
    assert keys >= {
        *("dataset.path", "dataset.image_height", "dataset.image_width", "dataset.vocabulary"),
        *("training.epochs", "training.batch_size", "training.seed", "optimizer.learning_rate"),
        *("transformer.num_heads", "transformer.projection_dim", "transformer.dropout", "transformer.depth"),
        *("sweep.name", "sweep.n_trials", "sweep.workers", "sweep.storage", "sweep.space"),
        *("tracking.uri", "tracking.experiment", "root"),
    }


def test_what_is_logged_holds_no_password() -> None:
    given = {
        "sweep": {"storage": "postgresql+psycopg://me:secret@host:5432/db", "workers": 2},
        "uris": ["http://a:b@c/d"],
    }
    assert without_passwords(given) == {
        "sweep": {"storage": "postgresql+psycopg://me:***@host:5432/db", "workers": 2},
        "uris": ["http://a:***@c/d"],
    }
    assert without_passwords("http://127.0.0.1:5000/a@b") == "http://127.0.0.1:5000/a@b"
