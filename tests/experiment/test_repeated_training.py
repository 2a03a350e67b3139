"""A trial that is trained several times: its runs, and how it goes on after an interruption."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.config import Config
from captcha_exp.experiment import run_experiment
from captcha_exp.experiment.repeated_training import means
from captcha_exp.training.epoch_loop import EpochLoop
from tests.experiment.test_whole_run import StubTrial
from tests.trained_run import SMALL, artifacts_of, history_of, store_of

ACCURACY, LOSS = "best/val/sequence_accuracy", "best/val/ctc_loss"
SHORT = (*SMALL, "dataset.size=60", "dataset.validation_fraction=0.3", "training.epochs=2")


class StubRepeats:
    """Notes what is kept. It says that no more are needed after `enough`."""

    def __init__(self, count: int, done: list[dict[str, Any]] | None = None, enough: int = 99) -> None:
        self.count, self.done, self._enough = count, done or [], enough

    def keep(self, run_id: str, metrics: dict[str, float]) -> bool:
        self.done.append({"run_id": run_id, "metrics": dict(metrics)})
        return len(self.done) >= self._enough


class InterruptedTrial(StubTrial):
    """Stopped after its third epoch, which is the first of its second training."""

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        super().report(epoch, metrics)
        if len(self.reported) == 3:
            raise KeyboardInterrupt
        return False


def repeated(trial: StubTrial, repeats: StubRepeats) -> StubTrial:
    trial.repeats = repeats  # type: ignore[assignment]
    return trial


def test_an_interrupted_trial_goes_on_in_its_repeat_and_its_run_has_the_means(
    compose: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose(*SHORT, "tracking.sheet_images=0")
    store = store_of(config)
    parent = store.start_run("attention", {})
    before = StubRepeats(2)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(config, trial=repeated(InterruptedTrial(parent_run_id=parent.run_id), before))
    assert len(before.done) == 1
    trained, next_epoch = [], EpochLoop.next_epoch
    monkeypatch.setattr(EpochLoop, "next_epoch", lambda loop: (trained.append(len(loop.history)), next_epoch(loop)))
    again, repeats = StubTrial(name="trial-0009", parent_run_id=parent.run_id), StubRepeats(2, before.done)
    outcome = run_experiment(config, trial=repeated(again, repeats))
    assert trained == [1], "only the epoch that was missing"

    (run,) = store.children(parent.run_id)
    assert (run.info.run_id, run.info.run_name, run.info.status) == (outcome.run_id, "trial-0009", "FINISHED")
    assert run.data.tags["outcome"] == "finished" and outcome.state == "finished"
    (second,) = store.children(run.info.run_id)
    assert second.info.run_name == "repeat-2" and second.data.tags["kind"] == "repeat"
    assert [step for step, _ in history_of(store, second.info.run_id, "val/ctc_loss")] == [1, 2], "each epoch once"
    first, other = (repeat["metrics"] for repeat in repeats.done)
    for name in (ACCURACY, LOSS):
        assert run.data.metrics[name] == outcome.metrics[name] == pytest.approx((first[name] + other[name]) / 2)
        assert [run.data.metrics[f"repeat/{number}/{name}"] for number in (1, 2)] == [first[name], other[name]]
    assert run.data.metrics[f"std/{LOSS}"] == pytest.approx(abs(first[LOSS] - other[LOSS]) / 2**0.5)
    assert first[LOSS] != other[LOSS] and second.data.params["training.seed"] == "100"
    assert [step for step, _ in history_of(store, run.info.run_id, "val/ctc_loss")] == [1, 2]
    assert "validation.csv" in artifacts_of(store, run.info.run_id), "the first training is the trial's own"
    assert len(run.outputs.model_outputs) == len(second.outputs.model_outputs) == 1
    assert not any((config.root_path / "outputs" / "checkpoints").iterdir())


def test_a_trial_that_is_surely_worse_ends_as_pruned(compose: Callable[..., Config]) -> None:
    config = compose(*SHORT, "training.epochs=1", "tracking.log_model=false")
    outcome = run_experiment(config, trial=repeated(StubTrial(), StubRepeats(3, enough=1)))
    assert (outcome.state, outcome.reason) == ("pruned", "stopped after repeat 1: worse than the best trial")
    (run,) = store_of(config).search("")
    assert run.data.tags["outcome"] == "pruned"


def test_times_and_steps_are_sums_and_all_else_means() -> None:
    each = [
        {"a": 1.0, "seconds/fit": 2.0, "training/steps": 5.0, "b": 1.0},
        {"a": 2.0, "seconds/fit": 3.0, "training/steps": 5.0},
    ]
    assert means(each) == {"a": 1.5, "seconds/fit": 5.0, "training/steps": 10.0}


def test_each_repeat_may_have_other_validation_images(compose: Callable[..., Config]) -> None:
    config = compose(*SHORT, "training.epochs=1", "tracking.log_model=false", "sweep.repeat_over=folds")
    store = store_of(config)
    repeats = StubRepeats(2)
    run_experiment(config, trial=repeated(StubTrial(), repeats))
    read = [
        {row.split(",")[0] for row in Path(path).read_text().splitlines()[1:]}
        for path in (store.client.download_artifacts(one["run_id"], "validation.csv") for one in repeats.done)
    ]
    assert len(read[0]) > 10 and len(read[1]) > 10 and not read[0] & read[1]
    runs = [store.client.get_run(one["run_id"]).data.params for one in repeats.done]
    assert [params["dataset.validation_fold"] for params in runs] == ["0", "1"]
    assert runs[0]["training.seed"] == runs[1]["training.seed"]
