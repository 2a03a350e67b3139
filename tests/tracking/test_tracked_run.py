"""What a run holds, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import mlflow.data
import pytest
import yaml

from captcha_exp.config import Config, flatten, to_plain
from captcha_exp.errors import DivergedError, InputError
from captcha_exp.tracking import LoggedSplit, Store, TrackedRun
from captcha_exp.tracking.environment import git_state

Compose = Callable[..., Config]
SPLITS = {"train": LoggedSplit(8, "aa"), "validation": LoggedSplit(1, "bb"), "test": LoggedSplit(1, "cc")}


def artifact(store: Store, run: TrackedRun, name: str, folder: Path) -> str:
    return Path(store.client.download_artifacts(run.run_id, name, str(folder))).read_text(encoding="utf-8")


def test_params_are_the_resolved_configuration(store: Store, compose: Compose, tmp_path: Path) -> None:
    config = compose(
        "dataset.characters='aé$'", "training.patience=null", "training.epochs=40", "cnn.filters=[24,48,96]"
    )
    with store.start_run("x", {}) as run:
        run.log_config(config)
    params = store.client.get_run(run.run_id).data.params
    assert set(params) == {key for key in flatten(to_plain(config)) if not key.startswith("sweep.")}
    assert params["training.epochs"] == "40"
    assert params["training.patience"] == "null"
    assert params["tracking.log_model"] == "true"
    assert params["cnn.filters"] == "[24, 48, 96]"
    assert params["dataset.characters"] == "aé$"
    assert yaml.safe_load(artifact(store, run, "config.yaml", tmp_path)) == to_plain(config)


def test_more_params_than_a_batch_takes_and_longer_values_than_a_param_takes(store: Store) -> None:
    with store.start_run("x", {}) as run:
        run.log_params({f"a@b.k{i}": "x" * 7000 for i in range(120)})
    params = store.client.get_run(run.run_id).data.params
    assert params["a_b.k119"] == "x" * 6000
    assert len(params) == 120


def test_what_was_searched_stays_as_it_was_chosen(store: Store, compose: Compose) -> None:
    with store.start_run("x", {}) as run:
        run.log_params({"augmentation": "light", "transformer.dropout": 0.25})
        run.log_config(compose("transformer.dropout=0.5"))
    params = store.client.get_run(run.run_id).data.params
    assert (params["augmentation"], params["transformer.dropout"]) == ("light", "0.25")


def test_epochs_are_steps(store: Store) -> None:
    with store.start_run("x", {}) as run:
        assert run.last_epoch("val/sequence_accuracy") == 0
        for epoch in (1, 2):
            run.log_epoch(epoch, {"val/sequence_accuracy": epoch / 4, "train/ctc_loss": float("nan")})
        assert run.last_epoch("val/sequence_accuracy") == 2
    history = store.client.get_metric_history(run.run_id, "val/sequence_accuracy")
    assert [(point.step, point.value) for point in history] == [(1, 0.25), (2, 0.5)]


def test_splits_are_dataset_inputs_to_which_metrics_can_be_tied(store: Store, small_model: object) -> None:
    with store.start_run("x", {}) as run:
        run.log_dataset("folder", "/somewhere/images", "f00d", SPLITS)
        metadata = {"characters": "ab", "image": {}, "decoding": {}, "dataset": {}, "config": {}}
        uri = run.log_model(small_model, metadata, (4, 6, 1))  # type: ignore[arg-type]
        run.log_metrics({"best/val/sequence_accuracy": 0.75}, split="validation")
    kept = store.client.get_run(run.run_id)
    seen = {(i.dataset.name, i.dataset.digest, i.tags[0].value) for i in kept.inputs.dataset_inputs}
    assert seen == {
        ("folder/train", "aa", "training"),
        ("folder/validation", "bb", "validation"),
        ("folder/test", "cc", "test"),
    }
    profile = json.loads(next(i.dataset for i in kept.inputs.dataset_inputs if i.dataset.digest == "aa").profile)
    assert profile == {"num_rows": 8, "fingerprint": "f00d"}
    assert mlflow.data.get_source(kept.inputs.dataset_inputs[0]).uri == "/somewhere/images"
    assert kept.data.tags["dataset.fingerprint"] == "f00d"
    best_first = [
        {
            "field_name": "metrics.best/val/sequence_accuracy",
            "dataset_name": "folder/validation",
            "dataset_digest": "bb",
            "ascending": False,
        }
    ]
    found = store.client.search_logged_models([store.experiment_id], order_by=best_first)
    assert [f"models:/{model.model_id}" for model in found] == [uri]
    assert found[0].metrics[0].value == 0.75


@pytest.mark.parametrize("uri", ["https://example.org/images.zip", "synthetic:0123?size=5", "kaggle:owner/name"])
def test_any_source_can_be_read_back(store: Store, uri: str) -> None:
    with store.start_run("x", {}) as run:
        run.log_dataset("some", uri, "f00d", SPLITS)
    source = mlflow.data.get_source(store.client.get_run(run.run_id).inputs.dataset_inputs[0])
    assert uri in json.dumps(source.to_dict())


def ending(store: Store, run: TrackedRun) -> tuple[str, str | None, str | None]:
    kept = store.client.get_run(run.run_id)
    return kept.info.status, kept.data.tags.get("outcome"), kept.data.tags.get("reason")


def test_a_run_that_returns_is_finished(store: Store) -> None:
    with store.start_run("x", {}) as run:
        pass
    assert ending(store, run) == ("FINISHED", "finished", None)


def test_a_pruned_run_says_so(store: Store) -> None:
    with store.start_run("x", {}) as run:
        run.set_outcome("pruned", "pruned after epoch 3")
    assert ending(store, run) == ("KILLED", "pruned", "pruned after epoch 3")


def test_a_run_that_raises_is_failed_with_its_reason_and_traceback(store: Store, tmp_path: Path) -> None:
    run = store.start_run("x", {})
    with pytest.raises(DivergedError, match="loss is nan"), run:
        raise DivergedError("The training's loss is nan at epoch 1, step 2\nand more")
    assert ending(store, run) == ("FAILED", "failed", "DivergedError: The training's loss is nan at epoch 1, step 2")
    assert "Traceback" in artifact(store, run, "traceback.txt", tmp_path)


def test_what_the_user_can_mend_is_a_reason_without_traceback(store: Store) -> None:
    run = store.start_run("x", {})
    with pytest.raises(InputError), run:
        raise InputError("Label 'aa' needs 3 time steps.")
    assert ending(store, run) == ("FAILED", "failed", "Label 'aa' needs 3 time steps.")
    assert store.client.list_artifacts(run.run_id) == []


def test_an_interrupted_run_is_killed_and_can_go_on(store: Store, compose: Compose) -> None:
    run = store.start_run("x", {"sweep": "s"})
    with pytest.raises(KeyboardInterrupt), run:
        run.log_config(compose("training.threads=1"))
        raise KeyboardInterrupt
    assert ending(store, run) == ("KILLED", None, "interrupted")
    with store.start_run("ignored", {}, run_id=run.run_id) as again:
        assert ending(store, again) == ("RUNNING", None, None)
        # MLflow refuses to change a param; the value of the start stays.
        again.log_config(compose("training.threads=2"))
    assert ending(store, again) == ("FINISHED", "finished", None)
    kept = store.client.get_run(again.run_id)
    assert (kept.info.run_name, kept.data.tags["sweep"]) == ("x", "s")
    assert kept.data.params["training.threads"] == "1"


def test_only_living_runs_of_the_experiment_are_found(store: Store) -> None:
    with store.start_run("x", {}) as run:
        pass
    assert store.find_run(run.run_id) is not None
    assert store.find_run("0" * 32) is None
    store.client.delete_run(run.run_id)
    assert store.find_run(run.run_id) is None


def test_the_environment_tells_versions_and_the_state_of_the_source(store: Store, tmp_path: Path) -> None:
    with store.start_run("x", {}) as run:
        run.log_environment()
    told = json.loads(artifact(store, run, "environment.json", tmp_path))
    assert set(told) == {"python", "platform", "cpu_count", "command", "packages", "git"}
    assert {"tensorflow", "keras", "numpy", "mlflow", "optuna", "hydra-core"} <= set(told["packages"])
    tags = store.client.get_run(run.run_id).data.tags
    assert tags.get("git.commit") == told["git"]["commit"]


def test_outside_of_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    state = git_state.__wrapped__()
    assert (state.commit, state.dirty, state.tags()) == (None, None, {})
    monkeypatch.setenv("PATH", "")
    assert git_state.__wrapped__().commit is None


def test_names_that_utf8_cannot_hold_do_not_end_a_run(store: Store, tmp_path: Path) -> None:
    """File names are bytes: Python hands over what is no UTF-8 as lone surrogates."""
    with store.start_run("x", {}) as run:
        run.log_text("caf\udce9.png,abc", "validation.csv")
    assert artifact(store, run, "validation.csv", tmp_path) == "caf\\udce9.png,abc"
