"""What the page of a sweep tells, and that it needs nothing but itself."""

import re
from collections import Counter
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from captcha_exp.config import ChallengerConfig
from captcha_exp.errors import FullDiskError, InputError
from captcha_exp.files import telling_full_disk
from captcha_exp.promote.challenger import choose
from captcha_exp.report.report_page import write_progress
from captcha_exp.sweep.live_page import Progress, end_page
from captcha_exp.sweep.live_view import best_trials
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.space import Space
from captcha_exp.sweep.stored_sweeps import load_stored_study
from captcha_exp.sweep.study import open_study
from captcha_exp.sweep.study_facts import read_study
from captcha_exp.sweep.sweep_tables import write_tables
from captcha_exp.sweep.tally import Tally
from tests.report.conftest import Place, Trial
from tests.small_disk import SmallDisk

Written = Callable[..., str]
PRUNED, FAILED, RUNNING = TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING


def text_of(page: str) -> str:
    """What can be read in the page, drawings left out."""
    body = re.sub(r"<(style|svg).*?</\1>", " ", page.split("<body>")[1], flags=re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def whole(place: Place) -> str:
    """The name of a sweep in which everything happened."""
    trials = [
        Trial([0.25, 0.5, 0.75], dropout=0.1, heads=1, size=2000),
        Trial([0.3, 0.6, 1.0], dropout=0.02, heads=4, size=5000),
        Trial([0.1, 0.2], dropout=0.39, heads=2, state=PRUNED),
        Trial([0.2, 0.3], dropout=0.3, heads=2, state=PRUNED),
        Trial([], state=FAILED, reason="DivergedError: the loss is not a number"),
        Trial([0.2, 0.5, 0.5], dropout=0.2, heads=1, size=1000, minutes=2),
    ]
    place.sweep("whole", trials, "how <much>, & why?").end()
    (place.root / "sweeps" / "whole" / "best.yaml").write_text("root: .\n")
    (place.root / "sweeps" / "whole" / "next_search.txt").write_text("captcha-exp sweep x sweep.name=whole-2\n")
    return "whole"


def test_the_page_answers_the_question(whole: str, written: Written) -> None:
    told = text_of(written(whole))
    assert "how <much>, & why?" in told
    assert (
        "100.0% of the validation texts are read right with transformer.dropout 0.02, transformer.num_heads 4 "
        "(trial-0001), the best of 3 finished trials." in told
    )
    assert "Among 5 trials after epoch 2 no single key stands out" in told
    assert "6 3 finished, 2 pruned, 1 failed" in told
    assert "--config-dir" in told and "--config-name best" in told
    assert "learn from this one: captcha-exp sweep x sweep.name=whole-2" in told


def test_the_page_says_why_trials_did_not_finish_and_what_it_all_cost(whole: str, written: Written) -> None:
    told = text_of(written(whole))
    assert "trial-0002 pruned after epoch 2 at 20.0%; the median of those that had finished by then was 55.0%" in told
    assert "trial-0004 failed DivergedError: the loss is not a number" in told
    # Trials begin a minute apart and take one minute each, the last one two.
    assert (
        "The sweep ran for 7.0 minutes. Its trials, some of them in parallel, took 7.0 minutes together: 2.5 of" in told
    )
    assert "7.0 minutes together: 2.5 of them were training, and 2.0 went into trials that were pruned." in told
    assert "pruned. Pruning saved 14 of 27 epochs." in told


def test_a_pruning_is_compared_with_the_trials_that_had_finished_by_then(place: Place, written: Written) -> None:
    """It said "pruned at 88.5 %, where those that finished were at 86.0 %": the lower ones finished later."""
    trials = [
        Trial([0.5, 0.9]),
        Trial([0.5, 0.885], state=PRUNED),
        Trial([0.5, 0.6]),
        Trial([0.1], state=PRUNED, minutes=0.5),
    ]
    place.sweep("pruned", trials).end()
    told = text_of(written("pruned"))
    assert "trial-0001 pruned after epoch 2 at 88.5%; the median of those that had finished by then was 90.0%" in told
    place.sweep("nobody", [Trial([0.1], state=PRUNED), Trial([0.5, 0.9])]).end()
    assert "trial-0000 pruned stopped after epoch 1" in text_of(written("nobody"))


def test_a_sweep_that_learnt_nothing_is_no_success(place: Place, written: Written) -> None:
    """Its page named a best trial, had axes from -6 % to 6 %, and recommended to promote it."""
    place.sweep("unread", [Trial([0.0, 0.0]), Trial([0.0], state=PRUNED)]).end()
    page = written("unread")
    told = text_of(page)
    assert "Nothing was learnt: no trial reads a validation text right (after 2 epochs). Train longer (train" in told
    assert "+experiment=pretrained" in told
    assert "captcha_exp.promote" not in told
    assert "\u22126%" not in page and "\u22125%" not in page
    assert "100%" in re.sub("<[^>]+>", " ", page)


def test_of_equal_trials_the_sweep_its_tables_the_report_and_promote_name_one(place: Place, written: Written) -> None:
    """In a tie the sweep and its report named the older trial, and `promote` the one with the lower loss."""
    trials = [Trial([0.5, 1.0], dropout=0.1 + number / 10, loss=loss) for number, loss in enumerate((0.3, 0.1, 0.2))]
    place.sweep("tied", trials).end()
    assert "(trial-0001), the best of 3 finished trials" in text_of(written("tied"))
    tally = Tally(open_study(place.compose("sweep.name=tied"), RandomSampler()).study.get_trials())
    plan = SweepPlan(place.compose("sweep.name=tied"), Space((), {}), (), lambda _: place.config, 3, (), {})
    assert [trial.number for trial in best_trials(tally, plan.config.sweep.objectives)] == [1, 2, 0]
    _, best = write_tables(plan, tally)
    assert best.read_text().startswith("# The best of the sweep tied: trial 1.\n")
    assert choose(place.store, ChallengerConfig(sweep="tied", run=None)).reason.startswith("trial-0001, the best of 3")


def test_the_page_needs_nothing_but_itself(whole: str, written: Written) -> None:
    page = written(whole)
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert not re.search(r"url\((?!#)", page)
    assert "prefers-color-scheme: dark" in page
    # Colours of the drawings are variables of the page, so that they change with it.
    assert "#fe01" not in page
    drawn = " ".join(re.findall("<svg.*?</svg>", page, flags=re.DOTALL))
    assert not re.search(r"(fill|stroke): #", drawn)
    repeated = [name for name, count in Counter(re.findall(r' id="([^"]+)"', page)).items() if count > 1]
    assert not repeated
    assert len(page) < 1_500_000


def test_wrong_reads_are_shown_as_pictures(place: Place, written: Written) -> None:
    place.sweep("wrong", [Trial([0.5, 0.75]), Trial([0.4, 0.5])]).end()
    page = written("wrong")
    images = len(place.dataset.validation)
    wrong = images - round(0.75 * images)
    assert f"{wrong} of {images} validation texts." in text_of(page)
    assert page.count('<img src="data:image/png;base64,') == wrong
    assert page.count("<mark>9</mark>") == wrong
    assert "the 1 with the highest confidence are shown" in text_of(written("wrong", "report.images=1"))


def test_as_many_curves_are_shown_as_are_asked_for(whole: str, written: Written) -> None:
    one, two = (re.findall("<svg.*?</svg>", written(whole, f"report.curves={n}"), flags=re.DOTALL) for n in (1, 2))
    assert len(one) == len(two)
    assert sum(map(len, one)) < sum(map(len, two)) and one != two


def test_a_dataset_that_changed_since_is_not_shown_as_that_of_the_sweep(place: Place, written: Written) -> None:
    parent = place.sweep("moved", [Trial([0.5])])
    (run,) = place.store.children(parent.run_id)
    place.store.client.set_tag(run.info.run_id, "dataset.fingerprint", "another")
    page = written("moved")
    assert "The images cannot be shown: the dataset synthetic has changed since the sweep." in text_of(page)
    assert "<img" not in page


def test_a_running_sweep_gives_a_report_that_says_so(place: Place, written: Written) -> None:
    parent = place.sweep("running", [Trial([0.5, 0.6]), Trial([0.4], state=RUNNING)], n_trials=9)
    assert "This sweep has not ended: 1 of 9 trials ended so far, 1 running." in text_of(written("running"))
    parent.end(interrupted=True)
    told = text_of(written("running"))
    assert "This sweep was interrupted: 1 of 9 trials ended. The same command goes on with it." in told


def test_the_page_of_a_running_sweep_loads_itself_again_and_shows_who_is_ahead(place: Place) -> None:
    waiting = Trial([0.5, 0.7], dropout=0.3, state=RUNNING)
    place.sweep("watched", [Trial([0.5, 0.6]), Trial([0.1, 0.2], state=RUNNING), waiting], n_trials=9)
    study = load_stored_study(place.root, "watched", None)
    sweep = read_study(study, place.root / "sweeps" / "watched")
    path = write_progress(Progress(sweep, "Running: 1 of 9 trials ended.", 30, "mlflow ui"))
    page = path.read_text()
    told = text_of(page)
    assert '<meta http-equiv="refresh" content="30">' in page
    assert "Running: 1 of 9 trials ended. Written 20" in told and "and again about every 30 s." in told
    assert "2 running 2 70.0% 0.3 1 1 running 2 20.0% 0.1 1" in told
    assert ">Each trial<" in page and ">Accuracy<" in page and "captcha_exp.promote" not in page
    assert "In the MLflow UI: mlflow ui" in told
    end_page(sweep.folder)
    assert "refresh" not in path.read_text()
    assert "Not running any more, its process was killed: 1 of 9 trials ended." in text_of(path.read_text())
    write_progress(Progress(sweep, "Not running any more."))
    assert "refresh" not in path.read_text()


def test_a_sweep_without_a_finished_trial_has_a_report(place: Place, written: Written) -> None:
    place.sweep("nothing", [Trial([], state=FAILED, reason="no memory")], question=None).end()
    told = text_of(written("nothing"))
    assert "No trial has finished, so there is no answer yet." in told
    assert "no memory" in told
    assert "Best configuration" not in told


def test_several_sweeps_stand_side_by_side(whole: str, place: Place, written: Written) -> None:
    place.sweep("second", [Trial([0.5, 0.6]), Trial([0.7])], "and this?").end()
    page = written(f"[{whole},second]")
    told = text_of(page)
    assert told.startswith("sweep report whole, second")
    assert "best 100.0% (trial-0001) 70.0% (trial-0001)" in told
    assert "Best so far" in told
    assert "different data" not in told
    assert (place.root / "sweeps" / "whole-second.html").is_file()
    assert not [n for n, count in Counter(re.findall(r' id="([^"]+)"', page)).items() if count > 1]


def test_sweeps_on_other_data_are_not_to_be_compared(whole: str, place: Place, written: Written) -> None:
    parent = place.sweep("elsewhere", [Trial([0.5])])
    (run,) = place.store.children(parent.run_id)
    place.store.client.set_tag(run.info.run_id, "dataset.fingerprint", "another")
    told = text_of(written(f"[{whole},elsewhere]"))
    assert "These sweeps saw different data, so their values cannot be compared." in told


def test_the_page_is_kept_on_the_run_of_the_sweep(place: Place, written: Written, tmp_path: Path) -> None:
    parent = place.sweep("kept", [Trial([0.5])])
    written("kept", f"report.output={tmp_path / 'mine.html'}")
    assert (tmp_path / "mine.html").is_file()
    assert "mine.html" in {artifact.path for artifact in place.store.client.list_artifacts(parent.run_id)}


def test_a_full_disk_leaves_the_report_before(
    place: Place, written: Written, tmp_path: Path, small_disk: SmallDisk
) -> None:
    place.sweep("full", [Trial([0.5])])
    page = small_disk.path / "report.html"
    before = written("full", f"report.output={page}")
    for blocks in (0, 3):
        small_disk.leave(blocks)
        with pytest.raises(FullDiskError, match=f"no room on the disk of {page}"), telling_full_disk(tmp_path):
            written("full", f"report.output={page}")
        assert page.read_text() == before
        assert {path.name for path in small_disk.path.iterdir()} == {"report.html", ".filler"}
    small_disk.make_room()
    written("full", f"report.output={page}")


def test_an_unknown_sweep_is_refused_with_those_that_exist(whole: str, place: Place, written: Written) -> None:
    with pytest.raises(InputError, match=r"There is no sweep 'hole' under .*; there are .*whole") as caught:
        written("hole")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"There is no database .*; check `report\.storage`"):
        written(whole, "report.storage=sqlite:///nowhere.db")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("report.curves=7", "report.curves must be from 1 to 6, not 7."),
        ("report.images=-1", "report.images must be at least 0, not -1."),
        ("report.images=many", "report.images must be a whole number, not 'many'."),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(override: str, message: str, written: Written) -> None:
    with pytest.raises(InputError) as caught:
        written("whole", override)
    assert str(caught.value).startswith(message)
