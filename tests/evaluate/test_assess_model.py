"""One model judged on one split."""

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config, EvaluationConfig, SplitName
from captcha_exp.errors import InputError
from captcha_exp.evaluate.assess_model import assess_model
from captcha_exp.experiment import Outcome
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
    shown = f"sequence_accuracy             {logged['test/sequence_accuracy']:.4f}  95 % Wilson: "
    assert any(line.startswith(shown) for line in lines)
    assert logged["test/sequence_accuracy/low"] < logged["test/sequence_accuracy"]
    assert logged["test/robustness/mean"] <= 1
    model = store.client.get_logged_model(model_id_of(store, outcome.run_id))
    tied = {metric.key: metric.dataset_name for metric in model.metrics}
    assert tied["test/sequence_accuracy"] == "synthetic/test"
    pictures = {f"test_{name}.png" for name in ("sheet", "confusion", "reliability", "coverage", "parts", "robustness")}
    assert pictures | {"test.csv", "test_evaluation.json"} <= set(artifacts_of(store, outcome.run_id))
    folder = store.client.download_artifacts(outcome.run_id, "test_evaluation.json")
    told = json.loads(Path(folder).read_text())
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


def test_the_command_needs_a_model(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "captcha_exp.evaluate", f"root={tmp_path}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: model is missing; set `model=...`.\n"
