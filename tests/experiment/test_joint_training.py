"""Runs of several members, from their processes to a promoted model."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from mlflow.entities import Run

from captcha_exp.config import Config, EvaluationConfig, PromotionConfig, SplitName, conf_dir, load, load_config
from captcha_exp.errors import InputError
from captcha_exp.evaluate.assess_model import assess_model
from captcha_exp.experiment import run_experiment
from captcha_exp.promote.__main__ import promote
from captcha_exp.tracking import Store, load_recogniser
from tests.told import hearing
from tests.trained_run import SMALL, artifacts_of, history_of, store_of

Compose = Callable[..., Config]
TINY = (*SMALL, "dataset.size=160", "dataset.characters=01", "training.epochs=2", "training.batch_size=16",
        "dataset.test_fraction=0.2", "tracking.sheet_images=0")  # fmt: skip
# A metric of the user's own that writes down which process judges, and holds the second of them at its second epoch.
JUDGED = """
import os, time
from pathlib import Path

def judged(labels, texts):
    path, own = Path(os.environ["JUDGED"]), str(os.getpid())
    with path.open("a") as file:
        file.write(f"{own}\\n")
    judges = path.read_text().split()
    held = own != judges[0] and judges.count(own) == 2
    while held and not path.with_suffix(".go_on").exists():
        time.sleep(0.05)
    return 0.0
"""


def members_of(store: Store, run_id: str) -> dict[str, Run]:
    return {run.info.run_name: run for run in store.children(run_id)}


def judge(config: Config, run_id: str) -> dict[str, float]:
    """Evaluate the model of a run on the test split, and promote it."""
    store = store_of(config)
    wanted = EvaluationConfig(
        model=f"runs:/{run_id}/model", split=SplitName.test, robustness=False, robustness_images=5, resamples=50, seed=0
    )
    list(assess_model(wanted, config))
    promote(composed("promote", f"root={config.root}", f"run={run_id}", "force='two epochs teach nothing'"))
    metrics: dict[str, float] = store.client.get_run(run_id).data.metrics
    return metrics


def composed(name: str, *overrides: str) -> Any:
    overrides = tuple(o.replace("run=", "challenger.run=", 1) if o.startswith("run=") else o for o in overrides)
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        values = hydra_compose(name, list(overrides))
    return load(PromotionConfig, values) if name == "promote" else load_config(values)


@pytest.fixture(scope="module")
def voted(
    give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Config, str, list[str]]]:
    """A run of two members, its id and its lines."""
    root = tmp_path_factory.mktemp("voted")
    give_database(root)
    config = composed("config", f"root={root}", *TINY, "training.members=2")
    lines: list[str] = []
    with hearing(lines.append):
        outcome = run_experiment(config)
    yield config, outcome.run_id, lines


def test_the_model_of_a_run_is_the_vote_of_its_members(voted: tuple[Config, str, list[str]]) -> None:
    config, run_id, lines = voted
    store = store_of(config)
    run = store.client.get_run(run_id)
    one = run.data.metrics["model/parameters"] / 2
    model = load_recogniser(f"runs:/{run_id}/model", store.uri).model
    assert model.count_params() == 2 * one
    first, second = (model.get_layer(f"member_{number}_logits").get_weights()[0] for number in (1, 2))
    assert not np.array_equal(first, second)
    assert lines[-1].startswith("finished: ")
    assert "members: 2 trainings, " in "\n".join(lines)
    for number in (1, 2):
        assert sum(line.startswith(f"member {number}: epoch ") for line in lines) == 2
        assert sum(line.startswith(f"member {number}: best epoch ") for line in lines) == 1
    (vote,) = [line for line in lines if line.startswith("vote: ")]
    best = run.data.metrics["best_member/val/sequence_accuracy"]
    assert vote.endswith(f": {100 * best:.2f}%")
    assert vote.startswith(f"vote: {100 * run.data.metrics['best/val/sequence_accuracy']:.2f}% of the validation")


def test_each_member_is_a_run_below_it_with_its_seed_and_epochs(voted: tuple[Config, str, list[str]]) -> None:
    config, run_id, _ = voted
    store = store_of(config)
    members = members_of(store, run_id)
    assert sorted(members) == ["member-1", "member-2"]
    for number, run in enumerate((members["member-1"], members["member-2"])):
        assert run.data.params["training.seed"] == str(number)
        assert (run.info.status, run.data.tags["outcome"]) == ("FINISHED", "finished")
        history = dict(history_of(store, run.info.run_id, "val/sequence_accuracy"))
        assert sorted(history) == [1, 2]
        assert history[int(run.data.metrics["best/epoch"])] == run.data.metrics["best/val/sequence_accuracy"]
        assert "learning_curves.png" in artifacts_of(store, run.info.run_id)


def test_it_is_evaluated_and_promoted_like_any_model(voted: tuple[Config, str, list[str]], told: list[str]) -> None:
    config, run_id, _ = voted
    metrics = judge(config, run_id)
    assert 0 <= metrics["test/sequence_accuracy"] <= 1
    champion = load_recogniser("models:/captcha@champion", store_of(config).uri)
    assert champion.run_id == run_id
    assert any("champion" in line for line in told)


def test_a_training_cannot_start_from_a_vote(voted: tuple[Config, str, list[str]]) -> None:
    config, run_id, _ = voted
    start = config.training.model_copy(update={"members": 1, "initial_model": f"runs:/{run_id}/model"})
    with pytest.raises(InputError, match="is 2 networks that vote, and a training starts from one"):
        run_experiment(config.model_copy(update={"training": start}))


def test_members_without_a_common_start_are_not_averaged(compose: Compose) -> None:
    with pytest.raises(InputError, match=r"^training\.combine=average means nothing if each member starts"):
        compose("training.members=2", "training.combine=average")
    assert compose("training.combine=average").training.members == 1


def test_averaged_members_are_one_network(tmp_path: Path, told: list[str]) -> None:
    first = run_experiment(composed("config", f"root={tmp_path}", *TINY))
    choices = ["training.members=2", "training.combine=average", f"training.initial_model=runs:/{first.run_id}/model"]
    config = composed("config", f"root={tmp_path}", *TINY, *choices)
    outcome = run_experiment(config)
    assert outcome.metrics["model/parameters"] == first.metrics["model/parameters"]
    start, average = (
        load_recogniser(f"runs:/{run_id}/model", store_of(config).uri).model.get_weights()
        for run_id in (first.run_id, outcome.run_id)
    )
    assert not np.array_equal(start[0], average[0])
    accuracy = outcome.metrics["best/val/sequence_accuracy"]
    assert any(line.startswith(f"average: {100 * accuracy:.2f}% of the validation texts right") for line in told)


def test_a_distilled_network_has_the_configured_size_and_its_voters_are_kept_beside_it(
    tmp_path: Path, told: list[str]
) -> None:
    config = composed("config", f"root={tmp_path}", *TINY, "training.members=2", "training.combine=distil")
    outcome = run_experiment(config)
    store = store_of(config)
    children = members_of(store, outcome.run_id)
    assert sorted(children) == ["member-1", "member-2", "voters"]
    student = load_recogniser(f"runs:/{outcome.run_id}/model", store.uri).model
    voters = load_recogniser(f"runs:/{children['voters'].info.run_id}/model", store.uri)
    assert voters.model.count_params() == 2 * student.count_params()
    assert voters.config["training"]["combine"] == "vote"
    assert [step for step, _ in history_of(store, outcome.run_id, "val/ctc_loss")] == [1, 2]
    for number in (1, 2):
        member = voters.model.get_layer(f"member_{number}_logits").get_weights()[0]
        assert not np.array_equal(member, student.get_layer("logits").get_weights()[0])
    assert any(line.startswith("distil: one network goes on from member ") for line in told)
    assert (
        children["voters"].data.metrics["best/val/sequence_accuracy"]
        == (store.client.get_run(outcome.run_id).data.metrics["voters/val/sequence_accuracy"])
    )
    for run_id in (outcome.run_id, children["voters"].info.run_id):
        assert 0 <= judge(config, run_id)["test/sequence_accuracy"] <= 1


def test_a_killed_run_goes_on_and_trains_no_finished_member_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    (tmp_path / "own_judged.py").write_text(JUDGED)
    judged = tmp_path / "judged"
    monkeypatch.setenv("JUDGED", str(judged))
    monkeypatch.syspath_prepend(str(tmp_path))
    choices = [f"root={tmp_path}", *TINY, "training.members=2", "+training.metrics.judged=own_judged:judged"]
    process = subprocess.Popen(
        [sys.executable, "-m", "captcha_exp", *choices], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "best epoch" in line:
            break
    while len(set(judged.read_text().split())) < 2:
        time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    before = judged.read_text().split()
    first, second = dict.fromkeys(before)
    wait_for_end(int(second))
    judged.with_suffix(".go_on").touch()
    outcome = run_experiment(composed("config", *choices))
    assert f"continuing the interrupted run {outcome.run_id}" in told
    after = judged.read_text().split()[len(before) :]
    assert first not in after
    # One more process trained the other member to its end. This one judged the vote.
    assert len(set(after) - {str(os.getpid())}) == 1
    store = store_of(composed("config", *choices))
    for run in members_of(store, outcome.run_id).values():
        assert [step for step, _ in history_of(store, run.info.run_id, "train/ctc_loss")] == [1, 2]
        assert run.data.tags["outcome"] == "finished"
    assert not any((tmp_path / "outputs" / "checkpoints").iterdir())


def wait_for_end(pid: int) -> None:
    """A member's process ends with the run's, also if that is killed."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} goes on")


def test_a_member_that_fails_ends_the_run_with_one_line(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_failing.py").write_text(
        "import os, signal\n\ndef fail(labels, texts):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "\ndef mean(labels, texts):\n    return 'much'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for function, message in (
        ("fail", "^The process that trained member . of training.members was ended from outside .SIGKILL."),
        ("mean", "^Member .: training.metrics.own=own_failing:mean must return a finite number, not 'much'"),
    ):
        config = compose(*TINY, "training.members=2", f"+training.metrics.own=own_failing:{function}")
        with pytest.raises(InputError, match=message):
            run_experiment(config)
        store = store_of(config)
        run = [run for run in store.search("") if run.info.run_name == "compact-none"][-1]
        assert run.data.tags["outcome"] == "failed"
        assert {child.info.status for child in store.children(run.info.run_id)} == {"FAILED"}
