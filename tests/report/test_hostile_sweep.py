"""The report of a sweep whose database and store somebody else has written to, in a real browser."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial
from playwright.sync_api import Browser

from captcha_exp.errors import InputError
from captcha_exp.foreign_text import MOST_SHOWN, visible
from tests.hostile_text import HOSTILE_TEXT
from tests.report.conftest import START, Place, Trial
from tests.watched_browser import Watched

SWEEP = 'hostile <b>& "sweep" it\'s $x'
CHOICES = [text for name, text in HOSTILE_TEXT.items() if name not in ("empty", "long")]
LONG = HOSTILE_TEXT["long"]


def study_of(place: Place, name: str) -> optuna.Study:
    """What whoever shares the database opens."""
    return optuna.load_study(study_name=name, storage=f"sqlite:///{place.root}/sweeps/{name}/study.db")


def write_hostile(place: Place) -> None:
    """A sweep with a trial for each hostile text, which is its choice, its reason, its tag and its run's name."""
    place.sweep(SWEEP, [Trial([0.5, 0.6]), Trial([0.4, 0.5])], question="".join(HOSTILE_TEXT.values()))
    study = study_of(place, SWEEP)
    parent = study.user_attrs["parent_run_id"]
    choices = CategoricalDistribution(CHOICES)
    for index, text in enumerate([*CHOICES[:3], LONG, *CHOICES[3:]]):
        run = place.store.start_run(text, {"trial": text, "outcome": text}, parent)
        run.log_metrics({"best/val/sequence_accuracy": 0.9, "model/parameters": 1000 + index, "seconds/fit": 30.0})
        if index == 0:
            run.log_text(hostile_table(place), "validation.csv")
        state = [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED][index % 3]
        trial = create_trial(
            state=state,
            value=0.9 if index == 0 else 0.3 if state is not TrialState.FAIL else None,
            params={"cnn": text if text != LONG else CHOICES[0]} | ({"transformer": LONG} if index == 0 else {}),
            distributions={"cnn": choices} | ({"transformer": CategoricalDistribution([LONG])} if index == 0 else {}),
            intermediate_values={0: 0.2, 1: 0.3} if state is not TrialState.FAIL else {},
            user_attrs={"run_id": run.run_id, "process": {}, "reason": text, "label": text},
        )
        trial.datetime_start = START
        trial.datetime_complete = START + timedelta(minutes=1)
        study.add_trial(trial)
    place.store.client.set_tag(parent, "mlflow.note.content", HOSTILE_TEXT["markdown"])


def hostile_table(place: Place) -> str:
    """Predictions with hostile names, labels and readings, all wrong and sure, none of them beyond what is taken."""
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(["name", "origin", "label", "prediction", "confidence", "correct"])
    for text in CHOICES:
        if len(text) < 1_000 and "\r" not in text:
            table.writerow([text, text, text, text[::-1], "0.99", "0"])
    return rows.getvalue().encode("utf-8", "backslashreplace").decode()


@pytest.fixture(scope="module")
def page(place: Place) -> Path:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from captcha_exp.config import ReportCommandConfig, conf_dir, load
    from captcha_exp.report.report_page import write_report

    write_hostile(place)
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        composed = hydra_compose("report", [f"root={place.root}", "report.sweep=x"])
    composed.report.sweep = SWEEP
    return write_report(load(ReportCommandConfig, composed))


def test_nothing_of_a_hostile_sweep_runs_or_is_fetched(browser: Browser, page: Path) -> None:
    watched = Watched(browser, page.as_uri())
    try:
        watched.page.goto(page.as_uri())
        watched.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        watched.nothing_happened()
        assert watched.page.locator("h1").inner_text().startswith("<script>alert('hostile')</script><img src=http")
        assert watched.page.locator("svg").count() >= 5
        assert watched.page.title() == f"{SWEEP}: sweep report"
    finally:
        watched.close()


def test_a_hostile_sweep_keeps_every_text_readable(browser: Browser, page: Path) -> None:
    watched = Watched(browser, page.as_uri())
    try:
        watched.page.goto(page.as_uri())
        watched.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        cells = watched.page.evaluate("[...document.querySelectorAll('td')].map(one => one.textContent)")
        for text in CHOICES:
            assert visible(text, keep="\n").replace("\r", "") in cells
        tips = watched.page.evaluate("[...document.querySelectorAll('svg title')].map(one => one.textContent)")
        assert any("#fe0101 #fe01ff 'DejaVu Sans', tip:0" in tip for tip in tips)
    finally:
        watched.close()


def test_a_megabyte_in_every_attribute_makes_no_large_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text) < 3_000_000
    assert "x" * (MOST_SHOWN + 1) not in text
    assert "more characters)" in text


def test_a_hostile_page_is_no_wider_than_its_window(browser: Browser, page: Path) -> None:
    watched = Watched(browser, page.as_uri(), width=390)
    try:
        watched.page.goto(page.as_uri())
        assert watched.page.evaluate("document.documentElement.scrollWidth") == 390
    finally:
        watched.close()


LIES: dict[str, tuple[str, object]] = {
    "question is no text": ("question", {"a": ["<b>"]}),
    "trials are no number": ("n_trials", "many"),
    "the parent is no run": ("parent_run_id", ["x' or tags.kind = 'sweep"]),
    "the parent is another run": ("parent_run_id", "x' or tags.kind = 'sweep"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_attribute_of_another_type_is_taken_for_none(place: Place, written: Callable[..., str], lie: str) -> None:
    name = f"lie-{list(LIES).index(lie)}"
    place.sweep(name, [Trial([0.5, 0.6]), Trial([0.4, 0.5])])
    key, value = LIES[lie]
    study_of(place, name).set_user_attr(key, value)
    assert "best" in written(name)


TRIAL_LIES: dict[str, dict[str, object]] = {
    "types": {"run_id": {"a": 1}, "reason": ["<b>", None], "process": "x", "deaths": "many", "progress": "last"},
    "nothing": {"run_id": None, "reason": None, "process": None, "deaths": None, "progress": None},
    "addresses": {"run_id": "../../etc/passwd", "process": {"host": 1, "pid": "../self", "started": {}}},
}


@pytest.mark.parametrize("lie", TRIAL_LIES)
def test_a_trials_attributes_of_other_types_stop_no_report(place: Place, written: Callable[..., str], lie: str) -> None:
    name = f"trial-lie-{lie}"
    place.sweep(name, [Trial([0.5, 0.6])])
    study = study_of(place, name)
    for state in (TrialState.FAIL, TrialState.RUNNING):
        system = {"retry_history": {"a": 1}} if lie == "types" else {"retry_history": []}
        study.add_trial(create_trial(state=state, user_attrs=TRIAL_LIES[lie], system_attrs=system))
    assert "trial-0001" in written(name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("definition", {"sweep.objectives": "sideways best/x"}),
        ("definition", ["a"]),
        ("definition", {"sweep.objectives": 7}),
        ("epochs", "nine"),
        ("epochs", None),
    ],
)
def test_a_study_that_no_sweep_wrote_is_refused_in_one_line(
    place: Place, written: Callable[..., str], key: str, value: object, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id.replace("/", "-")
    place.sweep(name, [Trial([0.5])])
    study_of(place, name).set_user_attr(key, value)
    with pytest.raises(InputError, match="study") as refused:
        written(name)
    assert "\n" not in str(refused.value)


TABLES = {
    "no table": "\0\xff<html>",
    "other columns": "a,b\n1,2\n",
    "no number": "name,origin,label,prediction,confidence,correct\na,b,c,d,high,0\n",
    "short rows": "name,origin,label,prediction,confidence,correct\na,b\n",
    "endless cells": f"name,origin,label,prediction,confidence,correct\na,b,{'x' * 5_000},{'y' * 5_000},0.5,0\n",
    "beyond what csv takes": f"name,origin,label,prediction,confidence,correct\n{'x' * 200_000},b,c,d,0.5,0\n",
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_predictions_that_is_none_is_left_out(place: Place, written: Callable[..., str], table: str) -> None:
    name = f"table-{table.replace(' ', '-')}"
    place.sweep(name, [Trial([0.5])])
    run = place.store.find_run(study_of(place, name).trials[0].user_attrs["run_id"])
    assert run is not None
    run.log_text(TABLES[table], "validation.csv")
    assert "What the best got wrong" not in written(name)


CONFIGS = {
    "no yaml": "{a: [",
    "a program": "!!python/object/apply:os.system ['touch /tmp/hostile']",
    "no dataset": "a: 1",
    "no mapping": "[1, 2]",
    "no values": "dataset: '<b>'",
    "a size below zero": "dataset: {source: folder, path: /, image_height: -5}",
    "the environment": "dataset: {source: '${oc.env:HOME}'}",
}


@pytest.mark.parametrize("config", CONFIGS)
def test_a_stored_configuration_is_neither_run_nor_resolved(
    place: Place, written: Callable[..., str], config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/secret-home")
    name = f"config-{config.replace(' ', '-')}"
    place.sweep(name, [Trial([0.5])])
    run = place.store.find_run(study_of(place, name).trials[0].user_attrs["run_id"])
    assert run is not None
    run.log_text(CONFIGS[config], "config.yaml")
    text = written(name)
    assert "The images cannot be shown: " in text
    assert "secret-home" not in text


def test_a_study_called_like_a_path_writes_nothing_elsewhere(place: Place, written: Callable[..., str]) -> None:
    with pytest.raises(InputError, match=r"sweep='\.\./outside' cannot be the name of a sweep\."):
        written("../outside")
