"""The pages of docs/ that promise steps, followed word for word."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytestmark = pytest.mark.usefixtures("database_made_before")

DOCS = Path(__file__).resolve().parents[2] / "docs"
FILE = re.compile(r"^`(?P<name>[\w./]+)`:\n\n```\w+\n(?P<text>.*?)^```", re.M | re.S)
COMMANDS = re.compile(r"^```sh\n(?P<lines>.*?)^```", re.M | re.S)


def commands_of(page: str) -> list[list[str]]:
    lines = [line for block in COMMANDS.finditer(page) for line in block["lines"].splitlines()]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.fixture
def followed(folder):
    """A folder with every file that the page on extending shows."""
    page = (DOCS / "extending.md").read_text()
    for file in FILE.finditer(page):
        path = folder.path / file["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["text"])
    return folder


def test_the_page_on_extending_can_be_followed(followed) -> None:
    commands = commands_of((DOCS / "extending.md").read_text())
    assert len(commands) == 4
    for python, flag, module, *arguments in commands:
        assert (python, flag) == ("python", "-m")
        done = followed.run(*arguments, *(["sweep.workers=1"] if "+sweep=filters" in arguments else []), module=module)
        assert done.returncode == 0, (arguments, done.stderr)
    assert sorted(path.name for path in (followed.path / "sweeps" / "filters").glob("*.*")) >= ["best.yaml", "study.db"]
    together, *trials, stamps = [run for run in followed.runs() if run.data.tags.get("kind") != "sweep"]
    assert {key: value for key, value in together.data.params.items() if ":" in value} == {
        "cnn.builder": "my_cnns:separable",
        "transformer.builder": "my_sequences:convolutions",
        "optimizer.builder": "my_optimizers:lion",
        "augmentation.function": "my_augmentations:salt",
        "training.metrics.right_length": "my_metrics:right_length",
    }
    assert len(trials) == 2
    for run in (together, *trials):
        assert run.data.metrics["val/right_length"] == run.data.metrics["best/val/right_length"]
    assert stamps.data.params["dataset.opener"] == "my_data:open_stamps"
    assert "best/val/right_length" in (followed.path / "sweeps" / "filters" / "trials.csv").read_text()


# What makes the training of a page a matter of seconds.
SMALL_MODEL = [
    *("dataset.image_height=32", "dataset.image_width=64", "cnn.filters=[8,16,16]", "transformer.projection_dim=16"),
    *("transformer.feed_forward_dim=16", "transformer.depth=1", "training.epochs=2", "training.threads=1"),
]


def smaller(module: str, arguments: list[str]) -> list[str]:
    if module == "captcha_exp" and "+sweep=attention" in arguments:
        space = "sweep.space={transformer.num_heads:'choice(1,2)'}"
        return [*SMALL_MODEL, space, "sweep.n_trials=2", "sweep.workers=1"]
    if module == "captcha_exp":
        return SMALL_MODEL
    if module == "captcha_exp.promote":
        return ["force=two epochs teach nothing"]
    return ["robustness_images=10"] if module == "captcha_exp.evaluate" else []


def test_the_way_from_a_folder_to_a_served_model_can_be_followed(folder) -> None:
    own = folder.path / "my_images"
    own.mkdir()
    draw = np.random.default_rng(0)
    for label in dict.fromkeys("".join(draw.choice(list("0123"), 3)) for _ in range(300)):
        image = Image.new("L", (64, 32), 200)
        ImageDraw.Draw(image).text((12, 10), label, fill=20)
        image.save(own / f"{label}.png")
    lines = {}
    for _, _, module, *arguments in commands_of((DOCS / "getting_started.md").read_text()):
        done = folder.run(*arguments, *smaller(module, arguments), module=module)
        assert done.returncode == 0, (arguments, done.stderr)
        lines[module] = done.stdout.splitlines()
    assert Path(lines["captcha_exp.prepare"][-1].split(maxsplit=1)[1]).is_file()
    assert lines["captcha_exp.promote"][-1] == "promoted by force: version 1 of captcha is champion"
    assert len(lines["captcha_exp.predict"]) == len(list(own.iterdir()))

    champion = folder.client().get_model_version_by_alias("captcha", "champion")
    run = folder.client().get_run(champion.run_id)
    assert run.data.tags["sweep"] == champion.tags["sweep"] == "mine"
    told = json.loads(Path(folder.client().download_artifacts(champion.run_id, "test_evaluation.json")).read_text())
    assert told["metrics"]["sequence_accuracy"] == run.data.metrics["test/sequence_accuracy"]
    assert set(told["robustness"]) >= {"images", "clean", "blur", "noise", "jpeg", "rotation"}
    refused = folder.run("sweep=attention", module="captcha_exp.promote")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: sweep=attention is not in the experiment captcha_exp of sqlite:///")
    assert refused.stderr.endswith("; there are mine.\n")


def test_a_builder_of_layers_that_are_not_read_back_is_named_before_the_training(followed) -> None:
    with (followed.path / "my_cnns.py").open("a") as module:
        module.write("\n\ndef noisy(images, cnn):\n    return separable(layers.GaussianNoise(0.1)(images), cnn)\n")
    done = followed.run("--config-dir", "my_conf", "cnn=separable", "cnn.builder=my_cnns:noisy", "dataset.size=60")
    message = (
        "error: cnn.builder=my_cnns:noisy holds 'GaussianNoise' of 'keras.layers', which is none of the stock Keras"
    )
    assert (done.returncode, done.stderr.splitlines()[-1][: len(message)]) == (2, message)
    assert "epoch" not in done.stdout
