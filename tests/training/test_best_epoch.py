"""Which epoch is kept, and for how long a better one is waited for."""

from captcha_exp.training.best_epoch import best_epoch, out_of_patience


def history(*epochs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"val/sequence_accuracy": accuracy, "val/ctc_loss": loss} for accuracy, loss in epochs]


def test_the_most_accurate_epoch_is_best_even_at_a_higher_loss() -> None:
    assert best_epoch(history((0.5, 1.0), (0.9, 2.0), (0.8, 0.5))) == 1


def test_the_lower_loss_then_the_earlier_epoch_breaks_a_tie() -> None:
    assert best_epoch(history((0.9, 1.0), (0.9, 0.5), (0.9, 0.7))) == 1
    assert best_epoch(history((0.9, 0.5), (0.9, 0.5))) == 0


def test_patience_counts_epochs_after_the_best() -> None:
    epochs = history((0.9, 1.0), (0.8, 1.0), (0.7, 1.0))
    assert not out_of_patience(epochs[:2], 2)
    assert out_of_patience(epochs, 2)
    assert not out_of_patience([], 1)


def test_without_patience_nothing_ends_early() -> None:
    assert not out_of_patience(history(*[(0.0, 1.0)] * 50), None)


def test_without_validation_the_last_epoch_is_kept() -> None:
    assert best_epoch([{"train/ctc_loss": 1.0}, {"train/ctc_loss": 3.0}]) == 1
