"""`import captcha_exp as cx`, as a program or a notebook uses it."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from PIL import Image

import captcha_exp as cx
from captcha_exp.config import Config, conf_dir
from captcha_exp.errors import InputError
from captcha_exp.experiment import Outcome
from captcha_exp.hydra_values import as_override, compose_values
from tests.trained_run import trained, trained_and_left

__all__ = ["trained", "trained_and_left"]

TINY = {
    **{"dataset.size": 160, "dataset.image_height": 32, "dataset.image_width": 64, "dataset.characters": "0123"},
    **{"dataset.min_length": 2, "dataset.max_length": 3, "cnn.filters": [8, 16, 16], "transformer.projection_dim": 16},
    **{"transformer.feed_forward_dim": 16, "transformer.depth": 1, "training.epochs": 1, "augmentation": "none"},
}


def test_importing_the_package_loads_nothing_but_itself() -> None:
    script = (
        "import sys; before = set(sys.modules); import captcha_exp as cx\n"
        "import json; print(json.dumps([name for name in set(sys.modules) - before if name.count('.') == 0]))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    foreign = set(json.loads(done.stdout)) - set(sys.stdlib_module_names)
    assert foreign <= {"captcha_exp"}


def test_the_sweep_stays_a_call_beside_the_folder_of_that_name() -> None:
    room = importlib.import_module("captcha_exp.sweep")
    assert cx.sweep is room is sys.modules["captcha_exp.sweep"]
    with pytest.raises(InputError, match="nowhere"):
        cx.sweep("nowhere")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["training.epochs=many"], "training.epochs must be null or a whole number, not 'many'."),
        ({"training.epochs": 0}, "training.epochs must be null or at least 1, not 0."),
        (["transformer.num_head=3"], "Did you mean transformer.num_heads?"),
        ({"dataset": "nowhere"}, "dataset/nowhere"),
        ({"dataset": "folder"}, "dataset.path is missing; set `dataset.path=...`."),
        ("training.epochs=3", "overrides must be a list or a mapping, not the text 'training.epochs=3'"),
        (["--cfg"], "overrides must be texts like 'training.epochs=5', not '--cfg'."),
        ([3], "overrides must be texts like 'training.epochs=5', not 3."),
        (["hydra.sweeper.n_trials=5"], "hydra.sweeper.n_trials is called sweep.n_trials here."),
    ],
)
def test_bad_input_is_an_input_error_of_one_line(overrides: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        cx.train(overrides)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not GlobalHydra.instance().is_initialized()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[
            ("dataset.characters", text)
            for text in ("it's", "a=b", "set (1)", "é#", "null", "007", "true", " a ", "${x}")
        ],
        *[("tracking.run_name", value) for value in (None, "one", "a,b", "1e3")],
        *[("training.epochs", 3), ("optimizer.learning_rate", 1e-05), ("training.use_validation", True)],
        *[("cnn.filters", [8, 16]), ("++sweep.space", {"transformer.num_heads": "choice(1, 2)"})],
        ("sweep.constraints", {"model/parameters": "<= 500000"}),
        ("sweep.first", [{"training.seed": 3}, {}]),
    ],
)
def test_a_mapping_gives_its_values_as_they_are(key: str, value: Any) -> None:
    composed = compose_values("config", [as_override(key, value)])
    group, _, name = key.lstrip("+").partition(".")
    assert OmegaConf.to_container(composed[group], resolve=True)[name] == value  # type: ignore[index,call-overload]


def test_training_twice_in_one_process_gives_equal_runs_and_leaves_hydra_as_it_was(
    give_database: Callable[[Path], None], tmp_path: Path
) -> None:
    give_database(tmp_path)
    overrides = {**TINY, "root": str(tmp_path)}
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        mine = GlobalHydra.instance().hydra
        first, second = cx.train(overrides), cx.train(overrides)
        assert GlobalHydra.instance().hydra is mine
        assert compose("config").training.epochs == 30
    assert isinstance(first, cx.Run)
    assert first.run_id != second.run_id
    figure = "best/val/ctc_loss"
    assert first.metrics[figure] == second.metrics[figure]
    assert (first.state, first.model) == ("finished", f"runs:/{first.run_id}/model")
    model = first.load_model()
    assert model.characters == "0123"
    (reading,) = model.read(np.zeros((30, 60), np.uint8))
    assert 0 <= reading.confidence <= 1


def test_a_sweep_of_which_some_trials_failed_is_a_sweep(give_database: Callable[[Path], None], tmp_path: Path) -> None:
    """The command ends with another exit code than 0."""
    give_database(tmp_path)
    tiny = {key: value for key, value in TINY.items() if key != "dataset.max_length"}
    half = {"++sweep.space": {"dataset.max_length": "choice(3, 60)"}, "sweep.sampler.kind": "grid"}
    fixed = {"sweep.workers": 1, "sweep.n_trials": 2, "transformer.num_heads": 1, "transformer.dropout": 0}
    found = cx.sweep("smoke", {**tiny, **half, **fixed, "root": str(tmp_path)})
    assert sorted(trial.outcome.name for trial in found.trials) == ["failed", "finished"]


@pytest.fixture(scope="module")
def model(trained: tuple[Config, Outcome, list[str]]) -> cx.ReadingModel:
    config, outcome, _ = trained
    return cx.load_model(f"runs:/{outcome.run_id}/model", root=str(config.root_path))


@pytest.fixture(scope="module")
def images(trained: tuple[Config, Outcome, list[str]]) -> np.ndarray:
    from captcha_exp.dataset import prepare_dataset

    return np.asarray(prepare_dataset(trained[0].dataset, trained[0].root_path).validation.images[:40])


def test_files_pictures_and_arrays_of_an_image_read_alike(
    model: cx.ReadingModel, images: np.ndarray, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    as_files = model.read(paths)
    assert len(as_files) == 40 and len({reading.text for reading in as_files}) > 10
    assert model.read(map(str, paths)) == model.read(images) == model.read([Image.open(path) for path in paths])
    assert model.read(images) == as_files
    in_colour = np.repeat(images[..., None], 3, axis=-1)
    assert [reading.text for reading in model.read(in_colour)] == [reading.text for reading in as_files]
    for one in (paths[0], str(paths[0]), images[0], Image.fromarray(images[0]), in_colour[0]):
        assert [reading.text for reading in model.read(one)] == [as_files[0].text]
    modes = [Image.fromarray(images[0]).convert(mode) for mode in ("RGBA", "CMYK", "F", "P")]
    assert {reading.text for reading in model.read(modes)} == {as_files[0].text}
    assert model.read([]) == []


def test_what_is_known_of_the_texts_limits_what_is_read(model: cx.ReadingModel, images: np.ndarray) -> None:
    assert {reading.text for reading in model.read(images, words=["12", "34"])} <= {"12", "34"}
    assert {reading.text[0] for reading in model.read(images, pattern="[12][0-9]")} <= {"1", "2"}
    assert all(len(reading.alternatives) == 2 for reading in model.read(images[:3], alternatives=2))
    with pytest.raises(InputError, match="z"):
        model.read(images, alphabet="z")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["missing.png"], "image 0, missing.png, cannot be read: No such file or directory."),
        ([np.zeros((4, 4), np.float32)], "image 0 must be uint8 of shape (H, W) or (H, W, 3), not float32"),
        ([np.zeros((9, 9), np.uint8), np.zeros((4, 4, 2), np.uint8)], "image 1 must be uint8 of shape (H, W)"),
        ([np.zeros((0, 4), np.uint8)], "image 0 must be uint8"),
        ([3], "image 0 must be a path, a picture of Pillow or an array of uint8, not int."),
        ([__file__], "image 0 cannot be read: not an image"),
    ],
)
def test_what_cannot_be_read_is_named(model: cx.ReadingModel, bad: list[Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        model.read(bad)
    assert str(caught.value).startswith(message)


def test_a_model_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        cx.load_model("models:/captcha@champion", root=str(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        cx.load_model(tmp_path / "model.onnx")
