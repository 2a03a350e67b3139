"""One model judged on one split."""

import csv
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

from captcha_exp.config import Config, EvaluateCommandConfig, EvaluationConfig, SplitName, conf_dir, load
from captcha_exp.dataset import prepare_dataset
from captcha_exp.errors import InputError
from captcha_exp.evaluate.__main__ import as_one_test_split
from captcha_exp.evaluate.assess_model import assess_model
from captcha_exp.experiment import Outcome
from captcha_exp.reader.image import encode_png
from tests.trained_run import artifacts_of, model_id_of, store_of

Compose = Callable[..., Config]


def of_run(outcome: Outcome) -> EvaluationConfig:
    """Judge a run's model on the test split."""
    return EvaluationConfig(
        model=f"runs:/{outcome.run_id}/model",
        split=SplitName.test,
        robustness=True,
        robustness_images=20,
        resamples=200,
        seed=0,
    )


def test_a_model_is_judged_on_the_test_split_and_that_is_logged(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    lines = list(assess_model(of_run(outcome), config))
    store = store_of(config)
    logged = store.client.get_run(outcome.run_id).data.metrics
    shown = f"sequence_accuracy             {logged['test/sequence_accuracy']:.4f}  share of 60 texts "
    assert any(line.startswith(shown) and line.endswith(" (Wilson)") for line in lines)
    assert lines[2].startswith(f"On 60 test images {logged['test/sequence_accuracy']:.1%} (95% interval ")
    assert lines[3].startswith("99% right was the aim; "), "before anything that the test images chose"
    assert logged["test/sequence_accuracy/low"] < logged["test/sequence_accuracy"]
    assert logged["test/robustness/mean"] <= 1
    model = store.client.get_logged_model(model_id_of(store, outcome.run_id))
    tied = {metric.key: metric.dataset_name for metric in model.metrics}
    assert tied["test/sequence_accuracy"] == "synthetic/test"
    pictures = {f"test_{name}.png" for name in ("sheet", "confusion", "reliability", "coverage", "parts", "robustness")}
    assert pictures | {"test.csv", "test_evaluation.json", "test_evaluation.txt"} <= set(
        artifacts_of(store, outcome.run_id)
    )
    folder = store.client.download_artifacts(outcome.run_id, "test_evaluation.json")
    told = json.loads(Path(folder).read_text())
    text = Path(store.client.download_artifacts(outcome.run_id, "test_evaluation.txt")).read_text()
    assert text.splitlines() == lines[:-1], "all but where it was logged"
    assert told["answer"] == lines[2 : 2 + len(told["answer"])]
    assert told["metrics"]["sequence_accuracy"] == logged["test/sequence_accuracy"]
    assert sum(part["total"] for part in told["parts"]["length"]) == told["images"] == 60
    assert told["metrics"]["length_error_rate"] == logged["test/length_error_rate"] == 0
    assert told["selective"]["curve"][-1]["accuracy"] == told["metrics"]["sequence_accuracy"]


def test_a_model_on_disk_is_judged_on_other_data_in_a_run_of_its_own(
    trained: tuple[Config, Outcome, list[str]],
) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    model = store.client.get_logged_model(model_id_of(store, outcome.run_id))
    folder = model.artifact_location.removeprefix("file://")
    other = config.model_copy(update={"dataset": config.dataset.model_copy(update={"seed": 9, "size": 100})})
    lines = list(assess_model(of_run(outcome).model_copy(update={"model": folder, "robustness": False}), other))
    assert lines[0] == "10 images of synthetic/test"
    (run,) = store.search("tags.kind = 'evaluation'")
    assert run.data.tags["model.id"] == model.model_id
    assert run.data.metrics["test/sequence_accuracy"] <= 1
    assert not any(name.startswith("test/robustness") for name in run.data.metrics)


def test_labels_that_the_model_cannot_read_for_what_it_knows_are_counted_and_are_errors_of_length(
    trained: tuple[Config, Outcome, list[str]],
) -> None:
    config, outcome, _ = trained
    longer = {"seed": 9, "size": 100, "min_length": 1, "max_length": 2, "test_fraction": 0.5}
    other = config.model_copy(update={"dataset": config.dataset.model_copy(update=longer)})
    store = store_of(config)
    lines = list(assess_model(of_run(outcome).model_copy(update={"robustness": False}), other))
    run = max(store.search("tags.kind = 'evaluation'"), key=lambda one: one.info.start_time)
    table = Path(store.client.download_artifacts(run.info.run_id, "test.csv")).read_text()
    rows = list(csv.DictReader(table.splitlines()))
    short = sum(len(row["label"]) == 1 for row in rows)
    assert short > 10
    assert lines[1].startswith(f"decoding: {short} of the {len(rows)} test labels cannot be read, {short} for their le")
    kinds = Counter(row["error"] for row in rows)
    assert kinds["length"] == short, "all texts of two characters can still be read"
    wrong = len(rows) - kinds[""]
    assert f"{wrong} texts wrong: {short} in their length, {kinds['characters']} in characters alone" in lines
    assert run.data.metrics["test/length_error_rate"] == short / len(rows)


def brought(trained: tuple[Config, Outcome, list[str]], folder: Path, labels: Mapping[int, str]) -> Config:
    """The run's configuration with a folder in place of its images: some of its own, with other labels.

    Args:
        trained: see the fixture.
        folder: is made; its images are named after their labels.
        labels: for positions among validation and test images, validation first, the label to write; "" for its own.
    """
    config, _, _ = trained
    dataset = prepare_dataset(config.dataset, config.root_path)
    held_out = dataset.validation.followed_by(dataset.test)
    folder.mkdir()
    for place, label in labels.items():
        file = folder / f"{place}_{label or held_out.labels[place]}.png"
        file.write_bytes(encode_png(held_out.images[place]))
    pattern = "dataset.label_pattern='.*_(?P<label>.+)'"
    overrides = [f"root={config.root}", "dataset=folder", f"dataset.path={folder}", pattern]
    size = [f"dataset.image_{side}={getattr(config.dataset, f'image_{side}')}" for side in ("height", "width")]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        typed = hydra_compose("evaluate", ["model=m", "split=all", *overrides, *size])
    return as_one_test_split(load(EvaluateCommandConfig, typed))


def judged(outcome: Outcome, config: Config) -> tuple[list[str], dict[str, Any], dict[str, float]]:
    """The lines of an evaluation, its `test_evaluation.json` and its metrics."""
    lines = list(assess_model(of_run(outcome).model_copy(update={"robustness": False}), config))
    store = store_of(config)
    run = max(store.search("tags.kind = 'evaluation'"), key=lambda one: one.info.start_time)
    told = json.loads(Path(store.client.download_artifacts(run.info.run_id, "test_evaluation.json")).read_text())
    return lines, told, run.data.metrics


def test_a_character_that_the_model_does_not_know_counts_as_wrong_and_is_named(
    trained: tuple[Config, Outcome, list[str]], tmp_path: Path
) -> None:
    """One label with a character outside the vocabulary ended the command."""
    config, outcome, _ = trained
    first = len(prepare_dataset(config.dataset, config.root_path).validation)
    own = dict.fromkeys(range(first + 3, first + 30), "")
    other = brought(trained, tmp_path / "own", {first: "é1", first + 1: "éß", first + 2: "1" * 30, **own})
    lines, told, metrics = judged(outcome, other)
    named = "vocabulary: 2 of the 30 test labels have characters that the model does not know, and count as wrong: "
    assert f"{named}'é' in 2, 'ß' in 1; a model that is trained on labels with them can read them" in lines
    assert any(line.startswith("length: 1 of the 30 test labels has more characters than") for line in lines)
    unwritable = {"total": 30, "unknown": 2, "characters": {"é": 2, "ß": 1}, "too_long": 1}
    assert told["unwritable"] == unwritable
    assert told["notes"] == [line for line in lines if line.startswith(("vocabulary:", "length:", "30 test images:"))]
    assert len(told["notes"]) == 3
    assert metrics["test/sequence_accuracy"] <= 27 / 30
    assert metrics["test/ctc_loss"] > 0, "of the 27 texts that the model can write"


def test_images_that_chose_the_epoch_are_told_apart_from_test(
    trained: tuple[Config, Outcome, list[str]], tmp_path: Path
) -> None:
    """A folder with validation images of the training was called test."""
    config, outcome, _ = trained
    count = len(prepare_dataset(config.dataset, config.root_path).validation)
    other = brought(trained, tmp_path / "mixed", dict.fromkeys(range(count - 10, count + 20), ""))
    lines, told, metrics = judged(outcome, other)
    assert lines[0] == "20 images of folder/test"
    assert lines[1].startswith("left out: 10 of the 30 images, because they chose the epoch of this model")
    assert told["images"] == 20 and told["notes"] == lines[1:3]
    assert lines[2].startswith("20 test images: one text is 5.0 points; differences below 30 points can't be seen")
    alone = brought(trained, tmp_path / "alone", dict.fromkeys(range(count, count + 20), ""))
    assert judged(outcome, alone)[2]["test/sequence_accuracy"] == metrics["test/sequence_accuracy"]
    chosen = brought(trained, tmp_path / "chosen", dict.fromkeys(range(5), ""))
    with pytest.raises(InputError, match="All 5 images of split=test are among those that chose the epoch of the mod"):
        judged(outcome, chosen)


def test_an_older_model_does_not_say_what_chose_it(trained: tuple[Config, Outcome, list[str]], tmp_path: Path) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    model = store.client.get_logged_model(model_id_of(store, outcome.run_id))
    folder = Path(shutil.copytree(model.artifact_location.removeprefix("file://"), tmp_path / "model"))
    (folder / "validation_images.npy").unlink()
    other = brought(trained, tmp_path / "own", dict.fromkeys(range(20), ""))
    own = of_run(outcome).model_copy(update={"robustness": False, "model": str(folder)})
    assert list(assess_model(own, other))[1].startswith("not known: whether some of these images chose the epoch of")


def test_only_the_test_split_gives_test_metrics(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    before = store.client.get_run(outcome.run_id).data.metrics
    lines = list(
        assess_model(of_run(outcome).model_copy(update={"split": SplitName.validation, "robustness": False}), config)
    )
    assert store.client.get_run(outcome.run_id).data.metrics == before
    shown = f"sequence_accuracy             {before['best/val/sequence_accuracy']:.4f}"
    assert any(line.startswith(shown) for line in lines)


def test_images_that_a_model_was_trained_on_are_no_test(trained: tuple[Config, Outcome, list[str]]) -> None:
    """More of the same rendered images are another dataset, but most of them were seen."""
    config, outcome, _ = trained
    more = config.model_copy(update={"dataset": config.dataset.model_copy(update={"size": 700, "split_seed": 1})})
    with pytest.raises(
        InputError, match=r"\d+ of the \d+ images of split=test are among those that the model was trained"
    ):
        list(assess_model(of_run(outcome), more))


def test_another_division_of_the_same_data_is_no_test(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    divided = config.model_copy(update={"dataset": config.dataset.model_copy(update={"split_seed": 5})})
    with pytest.raises(
        InputError, match=r"dataset\.split_seed is 5, but 0 when the model was trained on the same data"
    ):
        list(assess_model(of_run(outcome), divided))


def test_all_images_of_the_data_of_the_training_are_no_test(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    whole = config.model_copy(update={"dataset": config.dataset.model_copy(update={"test_fraction": 1.0})})
    with pytest.raises(
        InputError, match=r"not all of its images can judge it; take `split=test dataset\.test_fraction"
    ):
        list(assess_model(of_run(outcome), whole))


def test_the_command_needs_a_model(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "captcha_exp.evaluate", f"root={tmp_path}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: model is missing; set `model=...`.\n"
