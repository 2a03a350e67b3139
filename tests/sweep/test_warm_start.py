"""What a search knows from earlier sweeps."""

import csv
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.trial import TrialState

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep import plan_sweep
from captcha_exp.sweep.known_trials import KnownTrial, informed, known_trials
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.samplers import build_sampler
from captcha_exp.sweep.study import CHOICES, OpenStudy, definition, open_study
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.warm_start import check_sources, take_over
from tests.sweep.conftest import Sweep

# Trials are asked for outside of optimize() here.
pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage")
Compose = Callable[..., Config]
DROPOUT, HEADS = "transformer.dropout", "transformer.num_heads"


def planned(compose: Compose, name: str, *arguments: str, choices: Mapping[str, str] | None = None) -> SweepPlan:
    searched = [argument for argument in arguments if "sweep." not in argument]
    config = compose(f"sweep.name={name}", *(a for a in arguments if a not in searched))
    return plan_sweep(config, searched, OverridesParser.create(), choices or {}, lambda _: config)


def opened(plan: SweepPlan) -> OpenStudy:
    wanted = definition(plan.config, plan.space, {})
    found = open_study(plan.config, optuna.samplers.RandomSampler(seed=0), wanted, plan.first)
    found.study.set_user_attr(CHOICES, dict(plan.choices))
    return found


def searched(plan: SweepPlan, *trials: tuple[dict[str, Any], float | None]) -> None:
    """A sweep whose trials had these values. None prunes one after two epochs with 0.25."""
    study = opened(plan).study
    for params, value in trials:
        study.enqueue_trial(params)
        trial = study.ask()
        plan.space.suggest(trial)
        if value is None:
            trial.report(0.2, 0)
            trial.report(0.25, 1)
        study.tell(trial, value, state=TrialState.PRUNED if value is None else TrialState.COMPLETE)


def no_runs(source: str) -> list[Any]:
    raise AssertionError(source)


def known(plan: SweepPlan) -> tuple[list[str], list[KnownTrial], optuna.Study]:
    found = opened(plan)
    lines = take_over(plan, found, no_runs)
    return lines, known_trials(found.study, plan.config.sweep.warm_start), found.study


@pytest.fixture
def earlier(compose: Compose) -> None:
    plan = planned(compose, "earlier", f"{DROPOUT}=interval(0,0.4)", f"{HEADS}=1,2,4", "sweep.first=[]")
    trials = [({DROPOUT: 0.1, HEADS: 1}, 0.5), ({DROPOUT: 0.3, HEADS: 2}, 0.7), ({DROPOUT: 0.35, HEADS: 4}, None)]
    searched(plan, *trials)


@pytest.mark.usefixtures("earlier")
def test_finished_and_pruned_trials_are_known_where_the_spaces_overlap(compose: Compose) -> None:
    plan = planned(compose, "new", f"{DROPOUT}=interval(0,0.32)", "sweep.warm_start=[earlier]")
    lines, trials, study = known(plan)
    assert [(t.name, t.values, t.params) for t in trials] == [
        ("earlier/trial-0000", [0.5], {DROPOUT: 0.1}),
        ("earlier/trial-0001", [0.7], {DROPOUT: 0.3}),
    ]
    assert lines == [
        "warm start: 2 trials of earlier are known to the sampler; 1 others are not in this space (most often: "
        "transformer.dropout=0.35)"
    ]
    assert Tally(study.get_trials()).ended == [], "none of them is a trial of this sweep"
    wide = planned(compose, "wide", f"{HEADS}=1,2,4,8", "sweep.warm_start=earlier")
    pruned = known(wide)[1][2]
    assert (pruned.values, pruned.epoch, pruned.at_epoch, pruned.params) == ([], 1, 0.25, {HEADS: 4})


@pytest.mark.usefixtures("earlier")
def test_values_that_were_fixed_or_chosen_before_count(compose: Compose) -> None:
    space = ("transformer.depth=1,2,3", "cnn=compact,residual", f"{HEADS}=range(1,9)")
    plan = planned(compose, "new", *space, "sweep.warm_start=[earlier]")
    lines, trials, _ = known(plan)
    assert not trials, "an earlier version did not note its choices"
    assert lines[0].endswith("(most often: cnn=unknown)")
    noting = planned(compose, "noting", f"{HEADS}=1,2,4", "sweep.first=[]", choices={"cnn": "compact"})
    searched(noting, ({HEADS: 4}, 0.5))
    _, trials, _ = known(planned(compose, "newer", *space, "sweep.warm_start=[noting]"))
    depth = compose().transformer.depth
    assert [t.params for t in trials] == [{"transformer.depth": depth, "cnn": "compact", HEADS: 4}]


@pytest.mark.usefixtures("earlier")
def test_what_is_known_stays_when_the_sweep_is_started_again_without_its_source(compose: Compose) -> None:
    plan = planned(compose, "new", f"{DROPOUT}=interval(0,0.4)", "sweep.warm_start=[earlier]")
    first = known(plan)[1]
    shutil.rmtree(plan.folder.parent / "earlier")
    check_sources(plan, no_runs)
    lines, again, _ = known(plan)
    assert not lines and again == first
    assert known(planned(compose, "new", f"{DROPOUT}=interval(0,0.4)"))[1] == [], "it can be left out again"


def test_names_that_no_sweep_has_are_told_before_a_study_is_made(compose: Compose, earlier: None) -> None:
    plan = planned(compose, "new", f"{DROPOUT}=interval(0,0.4)", "sweep.warm_start=[earlyer]")
    with pytest.raises(
        InputError, match=r"^There is no sweep 'earlyer' under .*sweeps; there are earlier\. Set `sweep"
    ):
        check_sources(plan, no_runs)
    assert not plan.folder.exists()
    with pytest.raises(InputError, match="names new, which is this sweep"):
        check_sources(planned(compose, "new", f"{DROPOUT}=interval(0,0.4)", "sweep.warm_start=[new]"), no_runs)
    objectives = "sweep.objectives=[{metric: best/val/ctc_loss, direction: minimize}]"
    other = planned(compose, "other", f"{DROPOUT}=interval(0,0.4)", "sweep.warm_start=[earlier]", objectives)
    with pytest.raises(InputError, match=r"whose objectives are best/val/seq.*; it knows nothing of best/val/ctc_loss"):
        known(other)


@pytest.mark.parametrize("kind", ["random", "nsga2", "grid"])
def test_samplers_that_learn_nothing_are_refused(compose: Compose, kind: str) -> None:
    with pytest.raises(InputError, match=rf"^sweep\.warm_start has no effect with sweep\.sampler\.kind={kind}"):
        planned(compose, "new", f"{HEADS}=1,2", "sweep.warm_start=[earlier]", f"sweep.sampler.kind={kind}")


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_the_sampler_learns_from_them_whatever_their_level(compose: Compose, direction: str, sign: int) -> None:
    """The known trials near 0.05 were bad and those near 0.35 good, at a level that this sweep does not reach."""
    plan = planned(compose, "new", f"{DROPOUT}=interval(0,0.4)")
    near = [0.05 + i / 1000 for i in range(18)] + [0.35 + i / 1000 for i in range(6)]
    values = [sign * (100 + 10 * (dropout > 0.3)) for dropout in near]
    pairs = enumerate(zip(values, near, strict=True))
    trials = [KnownTrial("a", n, [value], {DROPOUT: dropout}, None, None, None) for n, (value, dropout) in pairs]

    def suggested(found: list[KnownTrial]) -> list[float]:
        sampler = informed(
            build_sampler(plan.config.sweep.sampler, plan.space, seed=1), found, plan.space, plan.config.sweep
        )
        study = optuna.create_study(direction=direction, sampler=sampler)
        study.optimize(lambda trial: _tried(plan, trial) * sign, n_trials=8)
        return [trial.params[DROPOUT] for trial in study.trials]

    learnt = suggested(trials)
    assert learnt == suggested(trials), "the same sweep gives the same trials"
    assert min(learnt) > 0.2
    assert min(suggested([])) < 0.1


def test_known_trials_are_seen_under_hyperband_too(compose: Compose) -> None:
    plan = planned(compose, "new", f"{DROPOUT}=interval(0,0.4)")
    trials = [KnownTrial("a", n, [n / 50], {DROPOUT: n / 50}, None, None, None) for n in range(20)]

    def suggested(found: list[KnownTrial]) -> list[float]:
        sampler = informed(
            build_sampler(plan.config.sweep.sampler, plan.space, 1), found, plan.space, plan.config.sweep
        )
        study = optuna.create_study(sampler=sampler, pruner=optuna.pruners.HyperbandPruner())
        study.optimize(lambda trial: _tried(plan, trial), n_trials=3)
        return [trial.params[DROPOUT] for trial in study.trials]

    assert suggested(trials) != suggested([])


def _tried(plan: SweepPlan, trial: optuna.Trial) -> float:
    plan.space.suggest(trial)
    return float(trial.params[DROPOUT] > 0.3)


def test_a_sweep_with_a_warm_start_shows_it_and_counts_its_own_trials_alone(sweep: Sweep) -> None:
    one = ("sweep.workers=1", "sweep.sampler.n_startup_trials=2")
    assert sweep.run("sweep.n_trials=3", *one)[0] == 0
    warm = ("sweep.name=u", "sweep.warm_start=[t]", "sweep.first=[]", "sweep.n_trials=2", *one)
    code, printed = sweep.run(*warm)
    assert code == 0, printed
    assert "warm start: 3 trials of t are known to the sampler" in printed
    assert "2 finished" in printed
    with (sweep.folder / "sweeps/u/trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["number"], row["state"], row["source"]) for row in rows] == [
        *[("0", "finished", ""), ("1", "finished", "")],
        *[("", "known", f"t/trial-{number:04d}") for number in range(3)],
    ]
    assert rows[2]["run_id"] == "run-trial-0000"
    code, printed = sweep.run(*warm, "sweep.n_trials=3")
    assert code == 0 and "warm start" not in printed and "3 trials, 2 of them ended before" in printed
