"""What a sweep says about the search that would follow."""

import shlex

import optuna

from captcha_exp.sweep.key_importance import Importance, Share
from captcha_exp.sweep.next_search import hardly_matter
from tests.sweep.conftest import Sweep

HEADS, DROPOUT = "transformer.num_heads", "transformer.dropout"


def importance(trials: int, **shares: tuple[float, float, float]) -> Importance:
    return Importance({key: Share(*values) for key, values in shares.items()}, trials, None, None)


def test_a_key_hardly_matters_if_its_share_is_small_whatever_counts_as_good() -> None:
    shares = {"a": (0.7, 0.6, 0.8), "b": (0.2, 0.05, 0.3), "c": (0.1, 0.05, 0.16)}
    assert hardly_matter(importance(20, **shares)) == ["c"], "half an even share is 0.167"
    assert hardly_matter(importance(9, **shares)) == []
    assert hardly_matter(importance(20, a=(1.0, 1.0, 1.0))) == []


def test_the_command_that_a_sweep_gives_searches_on_without_the_keys_that_hardly_matter(sweep: Sweep) -> None:
    """The made-up accuracy hangs on the dropout alone."""
    both = ("sweep.n_trials=24", f"{HEADS}=1,2,4,8", "sweep.workers=1", "sweep.pruner.kind=asha")
    code, printed = sweep.run(*both)
    assert code == 0, printed
    [line] = [line for line in printed.splitlines() if line.startswith("search on: ")]
    assert f"{HEADS} hardly matters here: python " in line
    command = (sweep.folder / "sweeps/t/next_search.txt").read_text().strip()
    assert line.endswith(command)
    arguments = shlex.split(command)[2:]
    assert arguments[-3:-1] == ["sweep.name=t-2", "sweep.warm_start=[t]"] and arguments[-1].startswith(f"{HEADS}=")
    assert f"{HEADS}=1,2,4,8" not in arguments

    process = sweep.start(*arguments[-3:], "sweep.n_trials=3", "sweep.workers=1")
    assert process.wait(240) == 0, sweep.printed()
    assert "24 trials of t are known to the sampler" in sweep.printed()
    trials = optuna.load_study(study_name="t-2", storage=f"sqlite:///{sweep.folder}/sweeps/t-2/study.db").trials
    assert [list(trial.params) for trial in trials] == [[DROPOUT]] * 3
