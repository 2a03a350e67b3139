"""Metrics that the user programmed."""

from pathlib import Path

import pytest

from captcha_exp.errors import InputError
from captcha_exp.model.evaluator import Evaluation
from captcha_exp.training.own_metrics import own_metrics

OWN = """
def right_length(labels, texts):
    return sum(len(label) == len(text) for label, text in zip(labels, texts)) / len(labels)


def words(labels, texts):
    return "many"


def nothing(labels, texts):
    return float("nan")
"""
READ = Evaluation({"ctc_loss": 1.0}, ["ab", "abc"], ["xy", "ab"], [0.5, 0.5])


@pytest.fixture(autouse=True)
def _own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_metrics_here.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_metric_stands_beside_those_of_every_training() -> None:
    extended = own_metrics({"lengths": "own_metrics_here:right_length"})(READ)
    assert extended.metrics == {"ctc_loss": 1.0, "lengths": 0.5}
    assert own_metrics({})(READ) == READ


@pytest.mark.parametrize(("function", "returned"), [("words", "'many'"), ("nothing", "nan")])
def test_what_is_no_number_is_refused(function: str, returned: str) -> None:
    message = rf"^training\.metrics\.m=own_metrics_here:{function} must return a finite number, not {returned}\.$"
    with pytest.raises(InputError, match=message):
        own_metrics({"m": f"own_metrics_here:{function}"})(READ)


def test_a_function_that_is_not_there_is_told_before_the_first_epoch() -> None:
    with pytest.raises(
        InputError, match=r"^training\.metrics\.m=own_metrics_here:gone: the module own_metrics_here has no"
    ):
        own_metrics({"m": "own_metrics_here:gone"})
