"""What a sweep shows and writes of trials to whose study somebody else has written."""

import csv
import io
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from rich.console import Console

from captcha_exp.config import Config, load_config
from captcha_exp.foreign_text import visible
from captcha_exp.sweep import plan_sweep
from captcha_exp.sweep.introduction import description
from captcha_exp.sweep.live_view import View
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import PROCESS
from captcha_exp.sweep.sweep_tables import write_tables
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.trial_process import is_dead, this_process
from tests.hostile_text import HOSTILE_TEXT

KEY = "dataset.path"
# What moves a cursor, hides, turns or colours text.
CONTROLS = {chr(code) for code in [*range(32), *range(127, 160), 0x200B, 0x200D, 0x202E, 0x2028, 0x2066, 0xFEFF]} - {
    "\n"
}


@pytest.fixture
def plan(compose: Callable[..., Config], tmp_path: Path) -> SweepPlan:
    config = compose("sweep.name=s", "sweep.n_trials=99", "training.epochs=9")
    plan = plan_sweep(config, ["optimizer.learning_rate=interval(0,1)"], OverridesParser.create(), {}, lambda _: config)
    plan.folder.mkdir(parents=True)
    return plan


def trial(number: int, state: TrialState, text: str, **more: object) -> FrozenTrial:
    distributions: dict[str, BaseDistribution] = {
        KEY: CategoricalDistribution([text, "other"]),
        "optimizer.learning_rate": FloatDistribution(1e-5, 1e-1, log=True),
    }
    made = create_trial(
        state=state,
        value=number / 100 if state is TrialState.COMPLETE else None,
        params={KEY: text, "optimizer.learning_rate": 10 ** -(1 + number % 4)},
        distributions=distributions,
        intermediate_values={0: 0.1, 1: 0.2},
        user_attrs={"reason": text, PROCESS: {}, "run_id": text, **more},
    )
    made.number = number
    return made


def hostile_trials() -> list[FrozenTrial]:
    states = (TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING)
    texts = [text for text in HOSTILE_TEXT.values() if text]
    return [
        trial(3 * row + column, state, text) for row, text in enumerate(texts) for column, state in enumerate(states)
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_no_trial_speaks_to_the_terminal(plan: SweepPlan, terminal: bool) -> None:
    """An unknown tag of rich's, as in `[/nothing]`, ended the sweep; an escape reached the terminal as it was."""
    out = io.StringIO()
    console = Console(file=out, width=300, force_terminal=terminal, color_system=None, highlight=False)
    view = View(plan, console)
    with view:
        view.update(Tally([]))
        view.update(Tally(hostile_trials()))
    table = io.StringIO()
    Console(file=table, width=300).print(view._table(Tally(hostile_trials())))
    assert not CONTROLS & set(table.getvalue())
    if not terminal:
        assert not CONTROLS & set(out.getvalue())
        lines = out.getvalue().splitlines()
        assert all(line.startswith("trial ") for line in lines)
        assert len(max(lines, key=len)) < 30_000
    for text in (
        r"\x1b[2J\x1b[31mred",
        r"\x1b]52;c;",
        "[red]x[/red] [link=",
        r"\u202egpj.exe",
        r"a\x00b",
        r"\ud800 and",
    ):
        assert text in out.getvalue() + table.getvalue()


def test_trials_csv_is_read_back_exactly(plan: SweepPlan) -> None:
    trials = hostile_trials()
    (table, *_) = write_tables(plan, Tally(trials))
    text = table.read_bytes().decode()
    csv.field_size_limit(2**24)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(trials)
    for row, made in zip(rows, trials, strict=True):
        # Half of a surrogate pair has no bytes; its escape stands for it.
        wanted = str(made.user_attrs["run_id"]).encode("utf-8", "backslashreplace").decode()
        assert row["run_id"] == wanted
        assert row["reason"] == (wanted if made.state is TrialState.FAIL else "")


def test_best_yaml_gives_every_value_back(compose: Callable[..., Config]) -> None:
    """A folder called like `${oc.env:HOME}` came back as another; a text like `null` must not come back as none."""
    config = compose("dataset=folder", "dataset.path=x", "sweep.name=s")
    plan = plan_sweep(config, ["training.seed=1,2"], OverridesParser.create(), {}, lambda _: config)
    plan.folder.mkdir(parents=True)
    unusable = {"surrogate", "long", "nul"}  # no path is called so
    texts = [text for name, text in HOSTILE_TEXT.items() if name not in unusable]
    for text in [*texts, "null", "true", "1e3", "0o17", "2026-01-01", "~", "a: b", "- a", "!!int 3", "\ufeffa"]:
        sweep = config.sweep.model_copy(update={"question": text})
        named = config.model_copy(update={"dataset": config.dataset.model_copy(update={"path": text}), "sweep": sweep})
        plan = replace(plan, config=named, compose=lambda _, named=named: named)
        _, best = write_tables(plan, Tally([trial(0, TrialState.COMPLETE, "plain")]))
        read = OmegaConf.load(best)
        del read["hydra"]
        again = load_config(read)
        assert again.dataset.path == again.sweep.question == text  # type: ignore[attr-defined]
        assert again.training == config.training


def asking(plan: SweepPlan, question: str) -> SweepPlan:
    sweep = plan.config.sweep.model_copy(update={"question": question})
    return replace(plan, config=plan.config.model_copy(update={"sweep": sweep}))


def test_the_description_has_no_markup_but_ours(plan: SweepPlan) -> None:
    for text in HOSTILE_TEXT.values():
        plan = asking(plan, text)
        told = description(plan, Tally([trial(0, TrialState.COMPLETE, text or "-")]), "/#/x")
        assert len(told.splitlines()) == 2 * len(told.split("\n\n")) - 1
        assert len(told) < 60_000
        assert not CONTROLS & set(told)
    plan = asking(plan, HOSTILE_TEXT["markdown"])
    told = description(plan, Tally([]), "/#/x")
    assert told.startswith(
        r"**\[a\]\(javascript\:alert\('hostile'\)\) \!\[b\]\(http\://127\.0\.0\.1\:9/hostile\) \*\*c\*\*"
    )


@pytest.mark.parametrize("lie", ["x", None, [], {}, {"host": None, "pid": "../self"}, {"host": "", "pid": True}])
def test_a_process_that_nobody_noted_is_not_taken_for_dead(lie: object) -> None:
    assert not is_dead(lie)
    assert not is_dead(this_process())


def test_lies_about_trials_stop_no_tally(plan: SweepPlan) -> None:
    lies = [
        trial(0, TrialState.FAIL, "x", deaths="many", progress="last"),
        trial(1, TrialState.RUNNING, "x", process=7),
    ]
    for one in lies:
        one.user_attrs.pop("reason")
        one.system_attrs = {"retry_history": {"a": 1}}
    tally = Tally(lies)
    assert tally.reason(lies[0]) == "its worker died 1 times, perhaps out of memory"
    out = io.StringIO()
    View(plan, Console(file=out, width=200)).update(tally)
    assert "trial 1 started" in out.getvalue()


def test_a_log_is_not_forged() -> None:
    from captcha_exp.terminal import guard_logs

    before = logging.getLogRecordFactory()
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    log = logging.getLogger("hostile")
    log.addHandler(handler)
    log.propagate = False
    guard_logs()
    try:
        for text in HOSTILE_TEXT.values():
            log.error("failed: %s", f"{text}\n[ERROR] forged")
        try:
            raise ValueError(f"{HOSTILE_TEXT['csi']}\n[ERROR] forged")
        except ValueError:
            log.exception("raised")
    finally:
        logging.setLogRecordFactory(before)
        log.removeHandler(handler)
    lines = out.getvalue().split("\n")
    assert sum(line.startswith("[ERROR]") for line in lines) == len(HOSTILE_TEXT) + 1
    assert all(line.startswith(("[ERROR] failed: ", "[ERROR] raised", "    ")) for line in lines if line)
    assert not CONTROLS - {"\t"} & set(out.getvalue())
    assert "    ValueError: \\x1b[2J" in out.getvalue()
    assert visible(HOSTILE_TEXT["osc"]) in out.getvalue()
