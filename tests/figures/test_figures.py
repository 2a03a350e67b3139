"""Pictures of a run are whole in every case that a run can bring."""

import io
import string
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from captcha_exp.figures import character_confusion, learning_curves, prediction_sheet


def drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def assert_nothing_overlaps(figure: Figure) -> None:
    drawn(figure)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    width, height = figure.get_size_inches() * figure.dpi
    for name, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, f"{name!r} leaves the picture"
    for (left, a), (right, b) in combinations(boxes, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width < 1 or height < 1, f"{left!r} and {right!r} overlap"


def history(epochs: int) -> list[dict[str, float]]:
    return [
        {
            "train/ctc_loss": 20 * 0.8**epoch,
            "val/ctc_loss": 21 * 0.82**epoch,
            "val/sequence_accuracy": epoch / epochs,
            "val/sequence_accuracy_ignore_case": epoch / epochs,
            "val/character_error_rate": 1 - epoch / epochs,
            "learning_rate": 0.002 * (1 - epoch / epochs),
            "images_per_second": 300.0,
        }
        for epoch in range(epochs)
    ]


def sheet(labels: list[str], predictions: list[str], limit: int = 48, size: tuple[int, int] = (40, 128)) -> Figure:
    images = np.random.default_rng(0).integers(0, 255, (len(labels), *size), np.uint8)
    confidences = [(index + 1) / (len(labels) + 1) for index in range(len(labels))]
    return prediction_sheet(images, labels, predictions, confidences, limit)


@pytest.mark.parametrize("epochs", [1, 2, 40, 300])
def test_learning_curves_name_the_epoch_that_was_kept(epochs: int) -> None:
    figure = learning_curves(history(epochs), best_epoch=epochs - 1)
    assert any(word.startswith(f"Epoch {epochs} was kept: ") for word in words(figure))
    drawn(figure)


def test_learning_curves_bear_a_loss_of_zero() -> None:
    flat = [dict.fromkeys(history(1)[0], 0.0)] * 3
    assert drawn(learning_curves(flat))


def test_wrong_predictions_come_first_the_surest_ahead() -> None:
    labels = ["right1", "wrong1", "right2", "wrong2"]
    figure = sheet(labels, ["right1", "x", "right2", "y"])
    shown = [word for word in words(figure) if word in labels]
    read = [word for word in words(figure) if word in {"x", "y"}]
    assert read == ["y", "x"]
    assert [word for index, word in enumerate(shown) if word not in shown[:index]] == [
        "wrong2", "wrong1", "right1", "right2",
    ]  # fmt: skip
    assert "2 of 4 read wrong" in words(figure)


@pytest.mark.parametrize(
    ("labels", "predictions"),
    [
        (["ab1"], [""]),
        (["ab1"] * 100, ["ab1"] * 100),
        (["$a$ b_{c}"] * 7, ["\\frac"] * 7),
        (["abcdefghijklmnopqrstuvwxyz0123456789"] * 13, ["abcdefghijklmnopqrstuvwxyz012345678"] * 13),
    ],
)
def test_a_sheet_has_no_overlapping_text(labels: list[str], predictions: list[str]) -> None:
    assert_nothing_overlaps(sheet(labels, predictions))


@pytest.mark.parametrize("size", [(40, 128), (64, 32), (16, 300)])
def test_a_sheet_takes_images_of_any_shape(size: tuple[int, int]) -> None:
    assert_nothing_overlaps(sheet(["a1"] * 8, ["a1"] * 8, size=size))


def test_a_sheet_shows_no_more_than_asked() -> None:
    figure = sheet([f"t{i}" for i in range(50)], ["no"] * 50, limit=9)
    assert words(figure).count("no") == 9
    assert "50 of 50 read wrong; 9 shown" in words(figure)


def test_only_confused_characters_are_shown() -> None:
    figure = character_confusion(["abc", "abd", "xyz"], ["abc", "abe", "xz"])
    ticks = {text.get_text() for text in figure.axes[0].get_yticklabels()}
    assert ticks == {"d", "y"}
    assert {text.get_text() for text in figure.axes[0].get_xticklabels()} == {"e", "∅"}
    assert "2 mistakes in 9 characters" in words(figure)
    assert_nothing_overlaps(figure)


def test_no_confusion_is_told_in_words() -> None:
    figure = character_confusion(["abc"], ["abc"])
    assert words(figure) == ["No mistake in 3 characters."]


def test_confusions_of_62_characters_can_be_read() -> None:
    characters = string.ascii_letters + string.digits
    rotated = characters[1:] + characters[0]
    figure = character_confusion(list(characters), list(rotated))
    assert "62 mistakes in 62 characters" in " ".join(words(figure))
    assert_nothing_overlaps(figure)


def test_added_and_missing_characters_have_a_row_and_a_column() -> None:
    figure = character_confusion(["ab", "$ "], ["abc", "$"])
    assert {text.get_text() for text in figure.axes[0].get_yticklabels()} == {"␣", "∅"}
    assert_nothing_overlaps(figure)
