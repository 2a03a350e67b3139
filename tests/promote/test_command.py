"""Promotion of real models, trained in seconds, on real images in a folder."""

import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from PIL import Image

from captcha_exp.config import Config, PromotionConfig, conf_dir, load, load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.errors import InputError
from captcha_exp.experiment import run_experiment
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.promote.__main__ import promote, with_whole_keys
from captcha_exp.tracking import Registry, Store, load_recogniser, open_store
from captcha_exp.typed_texts import as_typed

SMALL = (
    "dataset.image_height=32", "dataset.image_width=48", "dataset.test_fraction=0.2", "augmentation=none",
    "transformer=none", "cnn.filters=[16,32,48]", "optimizer.learning_rate=0.004",
)  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A folder of images, and runs on it: one that learned, one that did not, one on another division."""

    root: Path
    images: Path
    store: Store
    good: str
    poor: str
    elsewhere: str


def compose(config_name: str, *overrides: str) -> Config | PromotionConfig:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        composed = hydra_compose(config_name, list(overrides))
    return load(PromotionConfig, composed) if config_name == "promote" else load_config(composed)


def write_images(folder: Path, root: Path) -> None:
    """Rendered texts of two digits as files of a folder, named by their labels."""
    rendered = compose("config", f"root={root}", "dataset.size=400", "dataset.min_length=2", "dataset.max_length=2",
                       "dataset.characters=01234567", "dataset.image_height=32", "dataset.image_width=48")  # fmt: skip
    dataset = prepare_dataset(rendered.dataset, root)
    folder.mkdir()
    for split in dataset.splits:
        for name, label, image in zip(split.names, split.labels, split.images, strict=True):
            Image.fromarray(image).save(folder / f"{name}_{label}.png")


@pytest.fixture(scope="module")
def trained(give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("promotion")
    give_database(root)
    images = root / "images"
    write_images(images, root)

    def train(*overrides: str) -> str:
        source = (
            f"root={root}",
            "dataset=folder",
            f"dataset.path={images}",
            "dataset.label_pattern='.*_(?P<label>.+)'",
        )
        config = compose("config", *source, *SMALL, *overrides)
        return run_experiment(config).run_id

    poor = train("training.epochs=1")  # reads one text in all images, or none
    good = train("training.epochs=14")
    elsewhere = train("training.epochs=1", "dataset.split_seed=1")
    config = compose("config", f"root={root}")
    return Trained(root, images, open_store(config.tracking, root), good, poor, elsewhere)


@pytest.fixture
def run_promote(trained: Trained, request: pytest.FixtureRequest, told: list[str]) -> Callable[..., list[str]]:
    """Promote under a registered model of the test's own, and return what was said."""

    def run(*overrides: str) -> list[str]:
        told.clear()
        # Seconds that most of these tests have no use for.
        own = (f"root={trained.root}", f"model_name={request.node.name}", "servable=false")
        promote(compose("promote", *own, *as_typed(with_whole_keys(overrides))))
        return [*told]

    return run


def aliases(trained: Trained, request: pytest.FixtureRequest) -> dict[str, str]:
    return Registry(trained.store, request.node.name).aliases()


def test_the_better_model_becomes_champion_and_the_worse_does_not(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    said = run_promote(f"run={trained.poor}", "force=to be beaten")
    assert said[-1] == f"promoted by force: version 1 of {request.node.name} is champion"
    said = run_promote(f"run={trained.good}")
    assert said[-1] == f"promoted: version 2 of {request.node.name} is champion; version 1 is `previous`"
    assert any(line.startswith("these test images have judged 1 other version before") for line in said)
    assert run_promote(f"run={trained.good}")[-1] == f"nothing to do: it is champion of {request.node.name} already"
    said = run_promote("rollback=true")
    assert said == [
        f"rolled back: version 1 of {request.node.name} is champion again; there is no `previous` before it"
    ]
    run_promote(f"run={trained.good}")
    said = run_promote(f"run={trained.poor}")
    assert said[-1] == f"not promoted: version 1 of {request.node.name} is `challenger`, version 2 stays champion"
    assert "  the challenger is not ahead" in said
    assert aliases(trained, request) == {"champion": "2", "previous": "1", "challenger": "1"}


def test_a_model_that_reads_nothing_is_champion_by_force_alone(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    said = run_promote(f"run={trained.poor}")
    assert said[-1] == f"not promoted: version 1 of {request.node.name} is `challenger`, there is still no champion"
    assert any("not above " in line and line.endswith("or give a reason to force=") for line in said)
    why = "it's for the fair, {nobody} depends on it"
    assert run_promote(f"run={trained.poor}", f"force={why}", "dry_run=true")[-1] == (
        "dry run: it would become champion by force; nothing was changed"
    )
    said = run_promote(f"run={trained.poor}", f"force={why}")
    assert f"  forced by {getpass.getuser()}: {why}" in said
    assert said[-1] == f"promoted by force: version 1 of {request.node.name} is champion"
    (version,) = Registry(trained.store, request.node.name).versions()
    record = json.loads(
        Path(trained.store.client.download_artifacts(trained.poor, "promotion.json")).read_text(encoding="utf-8")
    )
    for told in (version.tags, record):
        assert (told["verdict"], told["forced.by"], told["forced.why"]) == ("promoted by force", getpass.getuser(), why)
    run_promote(f"run={trained.good}", "force=not needed")
    assert Registry(trained.store, request.node.name).version("2").tags["verdict"] == "promoted"
    run_promote(f"run={trained.poor}")
    assert Registry(trained.store, request.node.name).version("1").tags["forced.by"] == ""


def test_a_version_tells_what_led_to_it(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    run_promote(
        f"run={trained.good}", "limits.latency_ms=1000", "limits.robustness_drop=1", "limits.robustness_images=5"
    )
    (version,) = Registry(trained.store, request.node.name).versions()
    logged = trained.store.client.get_run(trained.good).data
    assert version.run_id == version.tags["run"] == trained.good
    assert version.tags["dataset.fingerprint"] == logged.tags["dataset.fingerprint"]
    assert float(version.tags["test/sequence_accuracy"]) == pytest.approx(
        logged.metrics["test/sequence_accuracy"], 1e-5
    )
    assert {
        "config.digest",
        "test.digest",
        "git.commit",
        "judged.at",
        "test/latency_ms",
        "test/robustness/drop",
    } <= set(version.tags)
    assert version.tags["verdict"] == "promoted"
    described = trained.store.client.get_model_version(request.node.name, version.version).description
    assert described.startswith("**") and " test images are read right**: " in described and "Promoted: " in described
    assert f"](#/experiments/{trained.store.experiment_id}/runs/{trained.good})" in described
    assert f"`captcha-exp predict model=models:/{version.model_id} FILES`" in described
    assert "@champion FILES`" in trained.store.client.get_registered_model(request.node.name).description
    assert "promotion.json" in {file.path for file in trained.store.client.list_artifacts(trained.good)}


def test_a_dry_run_changes_nothing(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    before = trained.store.client.get_run(trained.good).data.metrics
    said = run_promote(f"run={trained.good}", "dry_run=true")
    assert said[-1] == "dry run: it would become champion; nothing was changed"
    assert aliases(trained, request) == {}
    assert trained.store.client.get_run(trained.good).data.metrics == before
    said = run_promote(f"run={trained.good}", "dry_run=true", "limits.parameters=1")
    assert said[-1] == "dry run: it would not become champion; nothing was changed"


def test_a_champion_that_saw_the_test_images_is_no_opponent(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    run_promote(f"run={trained.elsewhere}", "force=test")
    with pytest.raises(
        InputError, match=r"^The champion cannot be judged: \d+ of the \d+ images of split=test are among"
    ):
        run_promote(f"run={trained.good}")
    assert aliases(trained, request) == {"champion": "1"}


def test_a_list_of_training_images_that_lacks_some_is_noticed(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    """Shortened, it would let a model be judged on images that it was trained on."""

    def cut(run_id: str) -> Iterator[None]:
        model_id = trained.store.client.get_run(run_id).outputs.model_outputs[0].model_id
        (digests,) = (trained.root / "mlruns" / "artifacts").rglob(f"{model_id}/**/training_images.npy")
        kept = digests.read_bytes()
        np.save(digests, np.load(digests)[:-9])
        yield
        digests.write_bytes(kept)

    run_promote(f"run={trained.poor}", "force=test")
    for run_id, role in ((trained.poor, "champion"), (trained.good, "challenger")):
        with (
            contextmanager(cut)(run_id),
            pytest.raises(
                InputError, match=rf"^The {role} cannot be judged: its list of training images lacks 9 of the \d+ that"
            ),
        ):
            run_promote(f"run={trained.good}")
    assert aliases(trained, request) == {"champion": "1"}


def test_changed_data_is_no_test_and_moved_data_is(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in trained.images.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    said = run_promote(f"run={trained.good}", f"dataset.path={moved}", "dry_run=true")
    assert said[-1] == "dry run: it would become champion; nothing was changed"
    first = sorted(moved.iterdir())[0]
    first.rename(first.with_name(f"{first.stem}7.png"))
    with pytest.raises(InputError, match=r"images or labels changed, so its test split is another\. Restore the data"):
        run_promote(f"run={trained.good}", f"dataset.path={moved}")
    with pytest.raises(InputError, match=r"dataset\.image_root has no meaning for the challenger's folder dataset"):
        run_promote(f"run={trained.good}", "dataset.image_root=x")
    assert aliases(trained, request) == {}


def test_a_refit_trains_each_seed_once_and_takes_the_first_where_nothing_may_choose(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    refit = (f"run={trained.poor}", "refit.seeds=[3,4]", "refit.epochs=1", "refit.on=train+validation")
    said = run_promote(*refit)
    assert any(
        "seed 3, the first of refit.seeds: with validation trained on, nothing else may choose" in s for s in said
    )
    runs = trained.store.search(f"tags.`refit.of` = '{trained.poor}'")
    assert [run.data.params["training.seed"] for run in runs] == ["3", "4"]
    assert not any(name.startswith(("val/", "best/val/")) for run in runs for name in run.data.metrics)
    (version,) = Registry(trained.store, request.node.name).versions()
    assert version.run_id == runs[0].info.run_id
    again = run_promote(*refit)
    assert f"refit with seed 4: trained before as run {runs[1].info.run_id}" in again
    assert len(trained.store.search(f"tags.`refit.of` = '{trained.poor}'")) == 2


def test_the_rule_can_ignore_case_and_limits_can_stop_the_first(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    said = run_promote(f"run={trained.good}", "rule.ignore_case=true", "limits.min_accuracy=1")
    assert said[-1] == f"not promoted: version 1 of {request.node.name} is `challenger`, there is still no champion"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "One challenger is needed: set either `sweep=NAME` or `run=RUN_ID`."),
        (["sweep=a", "run=b"], "One challenger is needed"),
        (["sweep=a", "rollback=true"], "rollback=true goes back to the previous champion; it takes neither"),
        (["rollback=true", "dry_run=true"], "rollback=true changes two aliases and needs no judgement"),
        (["rollback=true", "force=why"], "rollback=true goes back without a judgement; force has no meaning for it."),
        (["sweep=a", "force= "], "force must be null or a reason in words, not ''."),
        (["sweep=a", "rule.alpha=1"], "rule.alpha must be above 0 and below 1, not 1."),
        (["sweep=a", "refit.seeds=[1,1]"], "refit.seeds must be free of repetitions, not [1, 1]."),
        (["sweep=a", "refit.on=test"], "refit.on must be one of train, train+validation, not 'test'."),
        (["sweep=a", "limits.robustness_drop=2"], "limits.robustness_drop must be null or from 0 to 1, not 2."),
        (["sweep=a", "model_name=a/b"], "model_name must be a name without /, : and ', not 'a/b'."),
    ],
)
def test_what_cannot_be_meant_is_refused_by_key(overrides: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        compose("promote", *with_whole_keys(overrides))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_validation_images_cannot_be_trained_on_and_choose() -> None:
    with pytest.raises(InputError, match=r"training\.use_validation=true leaves no images to choose by"):
        compose("config", "training.use_validation=true", "training.patience=3")


def test_a_champion_is_served_as_it_was_judged(
    trained: Trained, run_promote: Callable[..., list[str]], request: pytest.FixtureRequest
) -> None:
    run_promote(f"run={trained.good}", "servable=true")
    address = f"models:/{request.node.name}@champion"
    predictor = load_predictor(address, trained.store.uri)
    assert (predictor.runtime, predictor.version) == ("ONNX Runtime", f"{request.node.name}/1")
    (version,) = Registry(trained.store, request.node.name).versions()
    assert predictor.figures["sequence_accuracy"] == pytest.approx(float(version.tags["test/sequence_accuracy"]), 1e-5)
    assert int(version.tags["servable.checked_images"]) > 0
    assert load_recogniser(address, trained.store.uri).model_id == predictor.model_id, "it can be judged again"
