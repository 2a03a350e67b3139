"""A trial as its job sees it, and the study's own rules about lost trials."""

import warnings
from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep import open_trial
from captcha_exp.sweep.job_trial import TRIAL
from captcha_exp.sweep.storage import PROCESS
from captcha_exp.sweep.study import OpenStudy, open_study, take_worker_number
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.trial_process import this_process

# Trials are asked for outside of optimize() here.
pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage")
Compose = Callable[..., Config]
SWEEP = [
    "sweep.name=s",
    "sweep.pruner.kind=median",
    "sweep.pruner.n_startup_trials=1",
    "sweep.pruner.n_warmup_epochs=1",
]


def opened(config: Config) -> OpenStudy:
    return open_study(config, optuna.samplers.RandomSampler(seed=0), {})


def begin(study: optuna.Study, **process: str) -> optuna.Trial:
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    trial.set_user_attr(PROCESS, {**this_process(), **process})
    return trial


def test_a_trial_reports_and_is_pruned_by_the_studys_pruner(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    study = opened(compose(*SWEEP)).study
    first, second = begin(study), begin(study)
    for epoch, value in enumerate([0.5, 0.9]):
        first.report(value, epoch)
    study.tell(first, 0.9)
    monkeypatch.setenv(TRIAL, str(second.number))
    trial = open_trial(compose(*SWEEP))
    assert trial is not None
    assert (trial.name, trial.tags) == ("trial-0001", {"sweep": "s", "trial": "1"})
    assert trial.parent_run_id is None
    assert not trial.report(0, {"val/sequence_accuracy": 0.1})
    assert trial.report(1, {"val/sequence_accuracy": 0.2})


@pytest.mark.parametrize("kind", ["median", "optuna.pruners:SuccessiveHalvingPruner", "optuna.pruners:WilcoxonPruner"])
def test_the_first_of_several_objectives_prunes_if_it_may(
    compose: Compose, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    both = "sweep.objectives=[{metric: best/val/x, direction: minimize}, {metric: latency_ms, direction: maximize}]"
    given = (*SWEEP, both, f"sweep.pruner.kind={kind}", "training.epochs=27")
    steps = range(27)

    def pruned(*more: str) -> tuple[list[bool], optuna.Study]:
        study = opened(compose(*given, *more)).study
        for level in (0.1, 0.1, 0.1, 0.1, 0.9):
            monkeypatch.setenv(TRIAL, str((now := begin(study)).number))
            trial = open_trial(compose(*given, *more))
            assert trial is not None
            stops = [trial.report(epoch, {"val/x": level + epoch / 1000}) for epoch in steps]
            study.tell(now, [level, 1.0])
        return stops, study

    stops, study = pruned("sweep.pruner.first_objective=true")
    assert any(stops)
    assert len(study.directions) == 2 and len(study.best_trials) == 4
    assert not any(pruned("sweep.name=unpruned")[0])


def test_an_epoch_without_the_metric_is_an_error(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    study = opened(compose(*SWEEP)).study
    monkeypatch.setenv(TRIAL, str(begin(study).number))
    trial = open_trial(compose(*SWEEP))
    assert trial is not None
    with pytest.raises(InputError, match="names best/val/sequence_accuracy, but an epoch has only val/ctc_loss"):
        trial.report(0, {"val/ctc_loss": 1.0})


def test_a_job_of_no_sweep_is_no_trial(compose: Compose) -> None:
    assert open_trial(compose(*SWEEP)) is None


def test_a_trial_without_images_to_choose_by_is_refused(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIAL, "0")
    with pytest.raises(InputError, match=r"^training\.use_validation=true leaves no images to choose by; leave it out"):
        open_trial(compose(*SWEEP, "training.use_validation=true", "training.patience=null"))


def test_pruning_needs_a_metric_of_each_epoch(compose: Compose) -> None:
    from captcha_exp.sweep.study import check_pruning_metric

    objectives = "sweep.objectives=[{metric: latency_ms, direction: minimize}]"
    with pytest.raises(InputError, match="latency_ms is known only at the end"):
        check_pruning_metric(compose(objectives))
    check_pruning_metric(compose(objectives, "sweep.pruner.kind=none"))


def test_pruning_needs_epochs(compose: Compose) -> None:
    from captcha_exp.sweep.study import check_pruning_epochs

    minutes = ("training.epochs=null", "training.minutes=5")
    with pytest.raises(
        InputError, match=r"^sweep\.pruner compares .* training\.minutes=5 .*`sweep\.pruner\.kind=none`"
    ):
        check_pruning_epochs(compose(*minutes))
    with pytest.raises(InputError, match=r"^sweep\.pruner compares .* each trial chooses .*`training\.epochs=20`"):
        check_pruning_epochs(compose("training.epochs=null"))
    for fits in (minutes, ("training.epochs=null",)):
        check_pruning_epochs(compose(*fits, "sweep.pruner.kind=none"))
    check_pruning_epochs(compose())


def test_only_trials_whose_process_is_known_to_be_dead_are_given_up(compose: Compose) -> None:
    found = opened(compose(*SWEEP))
    alive, elsewhere = begin(found.study), begin(found.study, host="elsewhere", started="1")
    dead, unbegun = begin(found.study, started="1"), found.study.ask()
    with found.lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.storages.fail_stale_trials(found.study)
    states = [t.state for t in found.study.trials]
    assert [states[t.number] for t in (alive, elsewhere)] == [TrialState.RUNNING] * 2
    assert [states[t.number] for t in (dead, unbegun)] == [TrialState.FAIL] * 2
    assert states[4:] == [TrialState.WAITING] * 2
    assert Tally(found.study.trials).free_slots(10) == 8
    assert found.study.trials[4].params == dead.params


def test_every_worker_gets_a_number_of_its_own(compose: Compose) -> None:
    found = opened(compose(*SWEEP))
    assert [take_worker_number(found) for _ in range(3)] == [0, 1, 2]
    assert take_worker_number(opened(compose(*SWEEP))) == 3


@pytest.mark.parametrize("kind", ["tpe", "random", "nsga2"])
def test_workers_differ_in_what_they_suggest(compose: Compose, kind: str) -> None:
    from captcha_exp.sweep.samplers import build_sampler, worker_seed
    from captcha_exp.sweep.space import Space

    config = compose(f"sweep.sampler.kind={kind}").sweep.sampler

    def suggested(worker: int) -> float:
        sampler = build_sampler(config, Space((), {}), worker_seed(config.seed, worker))
        return optuna.create_study(sampler=sampler).ask().suggest_float("x", 0, 1)

    assert suggested(0) == suggested(0)
    assert len({suggested(worker) for worker in range(4)}) == 4
