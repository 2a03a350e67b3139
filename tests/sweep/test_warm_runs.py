"""What a search knows from runs of MLflow, in a real store."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep.informed_sampler import InformedSampler
from captcha_exp.sweep.known_trials import KnownTrial, informed, known_trials
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.samplers import build_sampler
from captcha_exp.sweep.sweep_tables import write_tables
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.warm_start import check_sources, take_over
from captcha_exp.tracking import Store
from captcha_exp.tracking.found_runs import find_runs
from tests.sweep.test_warm_start import DROPOUT, HEADS, opened, planned
from tests.trained_run import store_of

pytestmark = pytest.mark.usefixtures("database_made_before")
Compose = Callable[..., Config]
ACCURACY, RATE = "best/val/sequence_accuracy", "optimizer.learning_rate"
SPACE = (f"{DROPOUT}=interval(0,0.4)", f"{HEADS}=1,2,4", f"{RATE}=tag(log,interval(1e-5,0.1))")
INSIDE = {DROPOUT: "0.25", HEADS: "4", RATE: "1e-05"}


def ran(store: Store, name: str, params: Mapping[str, str], tags: Mapping[str, str] = {}, **metrics: float) -> str:
    with store.start_run(name, tags) as run:
        run.log_params(params)
        run.log_metrics({ACCURACY: 0.5, **{key.replace("__", "/"): value for key, value in metrics.items()}})
    return run.run_id


def known(plan: SweepPlan, store: Store) -> tuple[list[str], list[KnownTrial]]:
    look, found = partial(find_runs, store), opened(plan)
    lines = take_over(plan, found, look)
    assert take_over(plan, found, look) == [], "each source once"
    assert Tally(found.study.get_trials()).ended == [], "none of them is a trial of this sweep"
    return lines, known_trials(found.study, plan.config.sweep.warm_start)


def test_finished_trainings_of_an_experiment_are_known_where_the_spaces_overlap(compose: Compose) -> None:
    store = store_of(compose("tracking.experiment=earlier"))
    first = ran(store, "by-hand", INSIDE, {"dataset.fingerprint": "aa"})
    ran(store, "outside", INSIDE | {DROPOUT: "0.9"})
    ran(store, "untold", {HEADS: "2"})
    ran(store, "attention", INSIDE, {"kind": "sweep"})
    ran(store, "repeat-2", INSIDE, {"kind": "repeat"})
    ran(store, "trial-0000", INSIDE, {"sweep": "new", "trial": "0"})
    with store.start_run("stopped", {}) as pruned:
        pruned.log_params(INSIDE)
        pruned.set_outcome("pruned")
    plan = planned(compose, "new", *SPACE, "sweep.warm_start=[experiment:earlier]")
    lines, trials = known(plan, store_of(compose()))
    assert trials == [
        KnownTrial(
            "experiment:earlier", 0, [0.5], {DROPOUT: 0.25, HEADS: 4, RATE: 1e-05}, None, None, first, "by-hand", "aa"
        )
    ]
    assert lines == [
        "warm start: 1 runs of experiment:earlier are known to the sampler; 2 others are not in this space "
        "(most often: transformer.dropout=0.9)"
    ]
    table = write_tables(plan, Tally([]), trials)[0].read_text().splitlines()
    assert table[1].startswith(",known,,0.5,0.25,4,1e-05,") and table[1].endswith(",experiment:earlier/by-hand")


def test_a_filter_and_single_runs_choose_and_no_run_counts_twice(compose: Compose) -> None:
    store = store_of(compose("tracking.experiment=earlier"))
    good = ran(store, "good", INSIDE, best__val__sequence_accuracy=0.9)
    bad = ran(store, "bad", INSIDE, best__val__sequence_accuracy=0.1)
    chosen = f"{{experiment: earlier, filter: 'metrics.`{ACCURACY}` > 0.5'}}"
    plan = planned(compose, "new", *SPACE, f"sweep.warm_start=[{chosen}, {{runs: [{good}, {bad}]}}]")
    assert [source.partition(":")[0] for source in plan.config.sweep.warm_start] == ["experiment", "run", "run"]
    lines, trials = known(plan, store_of(compose()))
    assert [(trial.run_id, trial.values) for trial in trials] == [(good, [0.9]), (bad, [0.1])]
    assert [line.split(" are ")[0] for line in lines][1:] == [
        f"warm start: {n} runs of run:{r}" for n, r in ((0, good), (1, bad))
    ]


def test_runs_on_equal_data_are_compared_with_one_another(compose: Compose) -> None:
    plan = planned(compose, "new", *SPACE)
    levels = ["aa", "bb", "aa", None]
    trials = [
        KnownTrial("experiment:e", n, [0.5], {DROPOUT: 0.1}, None, None, "r", "l", at) for n, at in enumerate(levels)
    ]
    sampler = informed(build_sampler(plan.config.sweep.sampler, plan.space, 1), trials, plan.space, plan.config.sweep)
    assert isinstance(sampler, InformedSampler)
    assert [len(source) for source in sampler._sources] == [2, 1, 1]


TOLD = {
    "experiment:erlier": r"^sweep\.warm_start names the experiment 'erlier', which is not in .*; there is earlier",
    "run:nowhere": r"^sweep\.warm_start names the run nowhere, which is not in sqlite:",
    "experiment:empty": r"names experiment:empty, which has no finished training; leave it out\.$",
    "experiment:foreign": r"none of its 1 runs has the param transformer\.dropout, which is searched",
    "experiment:unjudged": r"none of its 1 runs has the metric best/val/sequence_accuracy, .* leave it out\.$",
    "{experiment: earlier, filter: 'accuracy above 0.5'}": r"filters the runs of earlier by 'accuracy above 0\.5', ",
}


def test_what_knows_nothing_is_one_line_before_a_study_is_made(compose: Compose) -> None:
    names = ("earlier", "empty", "foreign", "unjudged")
    stores = {name: store_of(compose(f"tracking.experiment={name}")) for name in names}
    ran(stores["earlier"], "one", INSIDE)
    ran(stores["foreign"], "one", {"lr": "0.1"})
    with stores["unjudged"].start_run("one", {}) as run:
        run.log_params(INSIDE)
    for source, told in TOLD.items():
        plan = planned(compose, "new", *SPACE, f"sweep.warm_start=[{source}]")
        with pytest.raises(InputError, match=told) as caught:
            check_sources(plan, partial(find_runs, stores["earlier"]))
        assert len(str(caught.value).splitlines()) == 1 and not plan.folder.exists()


@pytest.mark.parametrize("entry", ["{experiments: a}", "{runs: a}", "experiment:", "{experiment: a, runs: [b]}"])
def test_what_is_no_source_is_refused(compose: Compose, entry: Any) -> None:
    with pytest.raises(
        InputError, match=r"^sweep\.warm_start.* must be the name of a sweep, experiment:NAME, run:ID or"
    ):
        compose(f"sweep.warm_start=[{entry}]")
