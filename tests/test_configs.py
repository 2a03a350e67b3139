"""Every YAML composes, and what cannot work is refused with one line that names the key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.errors import ConfigCompositionException

from captcha_exp.config import (
    Config,
    conf_dir,
    flatten,
    load_config,
    load_dataset_config,
    load_stored_config,
    to_plain,
    without_passwords,
)
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


def test_a_choice_says_only_how_it_differs_from_what_its_group_shares() -> None:
    used = set()
    for path in sorted(conf_dir().rglob("*/*.yaml")):
        values: dict[str, Any] = yaml.safe_load(path.read_text())
        for shared in [
            str(one)[6:].partition("@")[0] for one in values.get("defaults", []) if str(one).startswith("/base/")
        ]:
            used.add(shared)
            repeated = flatten(yaml.safe_load((conf_dir() / "base" / f"{shared}.yaml").read_text())).items()
            assert not [key for key, value in flatten(values).items() if (key, value) in repeated], path
    assert used | {"command"} == {path.stem for path in (conf_dir() / "base").glob("*.yaml")}


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
        (["training.epochs=many"], "training.epochs must be null or a whole number, not 'many'."),
        (["training.epochs=0"], "training.epochs must be null or at least 1, not 0."),
        (["optimizer.learning_rate=-1"], "optimizer.learning_rate must be above 0, not -1."),
        (["optimizer.learning_rate=nan"], "optimizer.learning_rate must be above 0, not nan."),
        (["transformer.dropout=1"], "transformer.dropout must be at least 0 and below 1, not 1."),
        (
            ["transformer.num_heads=5"],
            "transformer.projection_dim 96 is not divisible by transformer.num_heads 5; "
            "change one of them or set `transformer.key_dim`.",
        ),
        (["cnn.kind=huge"], "cnn.kind must be one of original, compact, vgg, residual, custom, not 'huge'."),
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


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["+transformer.num_head=3"], "Key 'num_head' not in transformer; did you mean transformer.num_heads?"),
        (["+sweep.sampler.sed=3"], "Key 'sed' not in sweep.sampler; did you mean sweep.sampler.seed?"),
        (
            ["+dataset.expected.colour=3"],
            "Key 'colour' not in dataset.expected; its keys are images, images_tolerance,",
        ),
        (["+trainin.epochs=3"], "Key 'trainin' not in the configuration; did you mean training?"),
        (
            ["decoding=beam", "decoding.kind=greedy"],
            "decoding.beam_width has no meaning with decoding.kind=greedy, only with beam; "
            "choose with `decoding=...`, or leave it out with `~decoding.beam_width`.",
        ),
        (
            ["optimizer.kind=adam"],
            "optimizer.weight_decay has no meaning with optimizer.kind=adam, only with adamw; "
            "choose with `optimizer=...`, or leave it out with `~optimizer.weight_decay`.",
        ),
        (["decoding.kind=beam"], "decoding.beam_width is missing; set `decoding.beam_width=...`."),
        (["cnn.kind=seed"], "cnn.kind=seed is called cnn.kind=original now."),
        (["~cnn"], "cnn is missing; set `cnn=...`."),
        (["~cnn.kind"], "cnn.kind is missing; set `cnn.kind=...`."),
        (["cnn.filters=[8,0]"], "cnn.filters must be whole numbers, each at least 1, not 0."),
        (["cnn.filters=8"], "cnn.filters must be a list, not 8."),
        (["training.resume=perhaps"], "training.resume must be true or false, not 'perhaps'."),
        (["training.epochs=true"], "training.epochs must be null or a whole number, not True."),
        (
            ["training.minutes=5"],
            "training.minutes=5 and training.epochs=30 cannot both end the training; set one of them to null",
        ),
        (["training.patience=0"], "training.patience must be null or at least 1, not 0."),
        (["dataset.label_case=none"], "dataset.label_case must be one of keep, lower, upper, not 'none'."),
        (["sweep.objectives=[]"], "sweep.objectives must be at least one metric, not []."),
        (
            ["sweep.objectives=[{metric:x,direction:up}]"],
            "sweep.objectives.0.direction must be one of maximize, minimize, not 'up'.",
        ),
        (
            ["+training.metrics.digits=mine"],
            "training.metrics.digits must be MODULE:FUNCTION, e.g. my_module:build, not",
        ),
        (["+training.metrics.a-b=m:f"], "training.metrics: a metric has a name like a variable"),
        (["training.use_validation=true", "training.patience=2"], "training.use_validation=true leaves no images to"),
    ],
)
def test_what_a_choice_does_not_take_is_refused_in_one_line(
    overrides: list[str], message: str, compose: Compose
) -> None:
    with pytest.raises(InputError) as caught:
        compose(*overrides)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_numbers_are_texts_where_texts_are_wanted(compose: Compose) -> None:
    assert compose("sweep.name=2024", "dataset.characters=123").sweep.name == "2024"


def test_interpolations_are_resolved(compose: Compose) -> None:
    assert compose("training.epochs=7", "training.patience=${training.epochs}").training.patience == 7
    with pytest.raises(InputError, match=r"^Interpolation key 'training\.nothing' not found\.$"):
        compose("training.patience=${training.nothing}")


# What a run of an earlier version keeps, where it differs.
EARLIER = {
    "cnn": {"kind": "seed", "filters": [8, 8, 8], "width_stride": 4, "activation": "swish", "dropout": 0.0,
            "norm_momentum": 0.99},
    "decoding": {"kind": "greedy", "beam_width": 1},
    "optimizer": {"kind": "adam", "learning_rate": 0.001, "weight_decay": 0.0, "schedule": "constant",
                  "warmup_share": 0.0, "clip_norm": None},
}  # fmt: skip


def test_the_configuration_of_an_earlier_run_is_brought_up_to_date(compose: Compose) -> None:
    now = compose("cnn=original", "cnn.filters=[8,8,8]", "optimizer=adam", "decoding.knowledge=none", "sweep.first=[]")
    earlier = {**to_plain(now), **EARLIER}
    del earlier["augmentation"]["function"], earlier["augmentation"]["options"], earlier["training"]["metrics"]
    del (
        earlier["dataset"]["channels"],
        earlier["dataset"]["polarity"],
        earlier["dataset"]["rows"],
        earlier["dataset"]["test_fold"],
    )
    for new in ("invert_probability", "perspective", "bend", "recolor_probability", "strokes", "stroke_width"):
        del earlier["augmentation"][new]
    for new in ("minutes", "ema_decay", "auxiliary_ctc", "unaltered_share"):
        del earlier["training"][new]
    for new in ("members", "member_data", "combine", "distil_weight", "views"):
        del earlier["training"][new]
    for new in ("first", "warm_start", "constraints", "minutes", "target", "no_improvement_trials", "trial_minutes"):
        del earlier["sweep"][new]
    del earlier["sweep"]["sampler"]["options"], earlier["sweep"]["pruner"]["options"]
    del earlier["sweep"]["pruner"]["first_objective"]
    assert load_stored_config(earlier) == now
    decaying = {**EARLIER["optimizer"], "weight_decay": 0.1}
    assert load_stored_config({**earlier, "optimizer": decaying}).optimizer.kind == "adamw", "what was trained"


def test_where_an_earlier_kaggle_set_had_its_labels_is_known(compose: Compose) -> None:
    dataset = to_plain(compose("dataset=all").dataset)
    layouts = dataset.pop("layouts")
    assert to_plain(load_dataset_config(dataset))["layouts"] == layouts


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


@pytest.mark.parametrize(
    ("group", "change"),
    [
        ("training", {"metrics": {"digits": "subprocess:call"}}),
        ("cnn", {"kind": "custom", "builder": "mlflow.projects:run"}),
        ("augmentation", {"function": "no_such_module:f"}),
    ],
)
def test_a_stored_configuration_calls_no_function_of_a_library(
    group: str, change: dict[str, object], compose: Compose, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = to_plain(compose())
    stored = {**plain, group: {**plain[group], **change}}
    with pytest.raises(InputError, match=rf"^{group}\..* must be (null or )?a function of a module in the"):
        load_stored_config(stored)
    own = {**plain, "training": {**plain["training"], "metrics": {"digits": "my_own_metrics:digits"}}}
    (tmp_path / "my_own_metrics.py").write_text("def digits(labels, texts):\n    return 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_stored_config(own).training.metrics == {"digits": "my_own_metrics:digits"}
