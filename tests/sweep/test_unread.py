"""A search in which nothing was learnt."""

from optuna.trial import FrozenTrial, TrialState, create_trial

from captcha_exp.config import Direction, ObjectiveConfig
from captcha_exp.sweep.storage import STEPS
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.unread import told_unread

ACCURACY = [ObjectiveConfig(metric="best/val/sequence_accuracy", direction=Direction.maximize)]


def trials(*values: float) -> list[FrozenTrial]:
    made = [
        create_trial(value=value, intermediate_values={0: 0.0, 4: value}, user_attrs={STEPS: 10 * number})
        for number, value in enumerate(values, start=1)
    ]
    for number, trial in enumerate(made):
        trial.number = number
    return made


def test_it_is_told_with_the_epochs_and_steps_of_the_longest_training() -> None:
    line = told_unread(Tally(trials(0.0, 0.0)), ACCURACY)
    assert line is not None
    assert line.startswith(
        "nothing was learnt: no trial reads a validation text right (after 5 epochs, 20 steps). Train"
    )


def test_one_right_text_is_something() -> None:
    assert told_unread(Tally(trials(0.0, 0.01)), ACCURACY) is None
    assert told_unread(Tally([create_trial(state=TrialState.FAIL)]), ACCURACY) is None
    loss = [ObjectiveConfig(metric="best/val/ctc_loss", direction=Direction.minimize)]
    assert told_unread(Tally(trials(0.0)), loss) is None
