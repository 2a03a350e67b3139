"""Where an interrupted run is found again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.experiment import run_experiment
from captcha_exp.experiment.checkpoint_folder import hold_checkpoint
from tests.told import hearing
from tests.trained_run import SMALL, history_of, store_of

Compose = Callable[..., Config]


def test_an_interrupted_run_goes_on_as_the_same_run_with_the_same_numbers(compose: Compose, told: list[str]) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("epoch 2/3"):
            raise KeyboardInterrupt

    config = compose(*SMALL)
    with pytest.raises(KeyboardInterrupt), hearing(interrupt):
        run_experiment(config)
    store = store_of(config)
    interrupted = store.search("")[0]
    assert interrupted.info.status == "KILLED"
    resumed = run_experiment(config)
    assert resumed.run_id == interrupted.info.run_id
    assert f"continuing the interrupted run {resumed.run_id}" in told
    again = run_experiment(config)
    assert again.run_id != resumed.run_id
    for metric in ("train/ctc_loss", "val/ctc_loss", "val/sequence_accuracy", "learning_rate"):
        history = history_of(store, resumed.run_id, metric)
        assert [step for step, _ in history] == [1, 2, 3]
        assert history == history_of(store, again.run_id, metric)
    best = {name for name in again.metrics if name.startswith("best/")}
    assert {name: resumed.metrics[name] for name in best} == {name: again.metrics[name] for name in best}


def test_two_equal_runs_at_once_do_not_share_their_state(compose: Compose) -> None:
    config = compose(*SMALL)
    with hold_checkpoint(config, "f00d") as first, hold_checkpoint(config, "f00d") as second:
        assert first.path is not None
        assert second.path is None
        second.keep_run_id("x")
        assert second.run_id is None
    with hold_checkpoint(config, "f00d") as third:
        assert third.path == first.path


def test_a_run_is_resumed_by_what_it_computes_not_by_where(compose: Compose) -> None:
    config = compose(*SMALL)
    elsewhere = config.model_copy(
        update={
            "tracking": config.tracking.model_copy(update={"run_name": "another"}),
            "training": config.training.model_copy(update={"threads": 2}),
        }
    )
    different = config.model_copy(update={"training": config.training.model_copy(update={"seed": 1})})
    folders = []
    for other, fingerprint in ((config, "a"), (elsewhere, "a"), (different, "a"), (config, "b")):
        with hold_checkpoint(other, fingerprint) as held:
            folders.append(held.path)
    assert folders[0] == folders[1]
    assert len(set(folders)) == 3


def test_resume_false_begins_anew(compose: Compose) -> None:
    config = compose(*SMALL)
    with hold_checkpoint(config, "a") as held:
        held.keep_run_id("earlier")
    with hold_checkpoint(config, "a") as held:
        assert held.run_id == "earlier"
    with hold_checkpoint(compose(*SMALL, "training.resume=false"), "a") as held:
        assert held.run_id is None


def test_a_checkpoint_folder_that_cannot_be_written_is_named(compose: Compose, tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("in the way")
    message = f"^Cannot write {tmp_path / 'outputs'}.*choose another `root=DIR`"
    with pytest.raises(InputError, match=message), hold_checkpoint(compose(*SMALL), "a"):
        pass
