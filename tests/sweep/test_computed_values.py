"""A name that is computed is the same in all processes of a sweep."""

from pathlib import Path

from hydra import compose, initialize_config_dir

from captcha_exp.config import conf_dir
from captcha_exp.sweep.computed_values import fix_computed_values
from tests.sweep.conftest import Sweep


def test_only_what_holds_a_time_is_fixed() -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        composed = compose("config", ["sweep.name=run-${now:%Y}", 'sweep.question="it\'s ${now:%Y}"'])
    name, question = fix_computed_values(composed)
    assert name.startswith("sweep.name='run-20") and question.startswith("sweep.question='it\\'s 20")
    assert composed.sweep.question.startswith("it's 20")
    assert fix_computed_values(composed) == []


def test_each_worker_gets_the_name_that_the_supervisor_computed(sweep: Sweep) -> None:
    """Each worker computed another one, and the sweep ended in `KeyError: 'epochs'`."""
    name = "sweep.name=run-${now:%H-%M-%S-%f}"
    code, printed = sweep.run(name, "sweep.n_trials=3", "sweep.workers=2", "sweep.question=${sweep.name}")
    assert code == 0, printed
    (folder,) = (sweep.folder / "sweeps").iterdir()
    assert folder.name.startswith("run-") and f"sweep {folder.name} ended: 3 finished" in printed
    assert {path.name for path in folder.glob("trial-*")} == {f"trial-{number:04d}" for number in range(3)}
    assert "KeyError" not in "".join(path.read_text() for path in Path(folder).glob("worker-*.log"))


def test_a_backend_that_is_not_installed_is_one_line_before_the_sweep(sweep: Sweep) -> None:
    code, printed = sweep.run(KERAS_BACKEND="theano")
    assert code == 2
    assert printed == (
        "error: KERAS_BACKEND in the environment names 'theano', and this program trains with tensorflow, jax, torch "
        "only.\n"
    )
    assert not (sweep.folder / "sweeps").exists()
