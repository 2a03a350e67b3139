"""What is asked next, and what becomes of an answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.samples import shown
from captcha_exp.errors import InputError
from captcha_exp.label.guesses import Guesses
from captcha_exp.label.image_pool import open_pool
from captcha_exp.label.label_table import LabelTable
from captcha_exp.label.labelled_dataset import next_command, with_table
from captcha_exp.label.labelling_session import LabellingSession
from captcha_exp.label.retraining import Retraining
from tests.hostile_text import HOSTILE_TEXT
from tests.label.conftest import Configured, write_images

Begun = Callable[..., LabellingSession]


def answer(session: LabellingSession, label: str | None = None) -> str:
    """Label the image that is asked for; its split."""
    state = session.state()
    session.label(state["number"], label or f"text{state['number']}")
    return str(state["split"])


def answer_all(session: LabellingSession) -> list[str]:
    splits = []
    while session.state()["number"] is not None:
        splits.append(answer(session))
    return splits


def test_every_fifth_is_a_test_image_and_every_image_is_asked_for_once(begun: Begun, folder: Path) -> None:
    session = begun()
    splits = answer_all(session)
    assert splits == (["train"] * 4 + ["test"]) * 4
    assert len({row.file for row in LabelTable(folder / "labels.csv").rows}) == 20
    assert {key: session.state()[key] for key in ("labelled", "test", "left")} == {"labelled": 20, "test": 4, "left": 0}


def test_no_model_changes_which_images_are_for_the_test(begun: Begun, folder: Path) -> None:
    """An image that is easy for the model, or hard, must not come into the test more often for it."""
    tests = []
    for confidences in (range(20), range(20, 0, -1), None):
        guesses = None
        if confidences is not None:
            guesses = Guesses(0, {f"{n}.png": ("x", share / 20) for n, share in enumerate(confidences)}, "")
        answer_all(begun(guesses=guesses))
        tests.append({row.file for row in LabelTable(folder / "labels.csv").rows if row.split == "test"})
        (folder / "labels.csv").unlink()
    assert len(tests[0]) == 4
    assert tests[0] == tests[1] == tests[2]


def test_without_a_test_all_are_for_training(begun: Begun) -> None:
    assert set(answer_all(begun("test_every=null"))) == {"train"}


def test_the_model_fills_in_what_it_reads_but_never_for_a_test_image(begun: Begun) -> None:
    texts = {f"{number}.png": (f"guess{number}", 0.25) for number in range(20)}
    session = begun(guesses=Guesses(7, texts, "model of 7 labels"))
    seen = set()
    for _ in range(20):
        state = session.state()
        assert state["model"] == "model of 7 labels"
        expected = texts[state["name"]] if state["split"] == "train" else ("", None)
        assert (state["guess"], state["confidence"]) == expected
        seen.add(answer(session))
    assert seen == {"train", "test"}


def test_the_next_start_goes_on(begun: Begun) -> None:
    first = begun()
    for _ in range(7):
        answer(first)
    second = begun()
    assert second.state()["labelled"] == 7
    assert second.token != first.token  # a page of before may have other numbers for the images
    answer_all(second)
    assert second.counts == (20, 4)


def test_undo_takes_back_labels_and_skips_in_order_also_of_an_earlier_session(begun: Begun, folder: Path) -> None:
    session = begun()
    first = session.state()["number"]
    session.label(first, "wrong")
    skipped = session.state()["number"]
    session.skip(skipped)
    assert session.state()["skipped"] == 1
    session.undo()
    assert session.state()["number"] == skipped
    assert session.state()["skipped"] == 0
    session = begun()
    session.undo()
    state = session.state()
    assert (state["number"], state["guess"], state["undone"], state["labelled"]) == (first, "wrong", True, 0)
    assert (folder / "labels.csv").read_text() == "file,label,split\n"
    with pytest.raises(InputError, match=r"^There is nothing to undo\.$"):
        session.undo()
    session.label(first, "right")
    assert not session.state()["undone"]


def test_a_skipped_image_comes_again_in_the_next_session_alone(begun: Begun) -> None:
    session = begun("test_every=null")
    skipped = session.state()["number"]
    session.skip(skipped)
    answer_all(session)
    assert session.state()["left"] == 1
    assert begun("test_every=null").state()["number"] == skipped


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("", "its label is empty"),
        ("   ", "its label is blank"),
        ("x" * 257, "its label has 257 characters"),
        ("a\nb", "cannot be printed"),
        ("\ud800", "cannot be printed"),
        ("a\x1b[0m", "cannot be printed"),
    ],
)
def test_what_no_dataset_would_take_is_refused_at_once(begun: Begun, folder: Path, label: str, message: str) -> None:
    session = begun()
    with pytest.raises(InputError, match=f"^This is not written: .*{message}"):
        session.label(session.state()["number"], label)
    assert (folder / "labels.csv").read_text() == "file,label,split\n"


def test_another_tab_cannot_label_an_image_twice_or_one_that_is_not_there(begun: Begun) -> None:
    session = begun()
    number = session.state()["number"]
    session.label(number, "a")
    for again in (session.label, lambda number, _: session.skip(number)):
        with pytest.raises(InputError, match="has a label already"):
            again(number, "b")
    for nowhere in (-1, 20):
        with pytest.raises(InputError, match=f"^There is no image {nowhere}\\.$"):
            session.label(nowhere, "a")


def test_a_dataset_has_each_label_to_the_letter_with_the_test_images_apart(
    configured: Configured, tmp_path: Path
) -> None:
    """Labels and names that mean something to tables, formulas or pages."""
    labels = [text for text in HOSTILE_TEXT.values() if text.isprintable() and text.strip() and len(text) <= 256]
    names = [f"{label.replace('/', '_')[:60].strip()}.png" for label in labels]
    hostile = write_images(tmp_path / "hostile", names)
    config = configured("test_every=3", "dataset.vocabulary=null")
    dataset = config.dataset.model_copy(update={"path": str(hostile)})
    table = LabelTable(tmp_path / "elsewhere.csv")
    pool = open_pool(dataset)  # type: ignore[arg-type]
    training = with_table(config, table.path, hostile)
    session = LabellingSession(pool, table, Retraining(training, [], tmp_path, None), 3, None)
    typed = {}
    while (number := session.state()["number"]) is not None:
        label = labels[names.index(pool.images[number].name)]
        typed[shown(pool.images[number].name)] = label
        session.label(number, label)
    prepared = prepare_dataset(training.dataset, tmp_path)
    found = {name: label for split in prepared.splits for name, label in zip(split.names, split.labels, strict=True)}
    assert len(typed) > 10
    assert found == typed
    assert prepared.skipped == []
    assert len(prepared.test) == len(typed) // 3


def test_the_command_that_comes_next_is_told_as_it_is_typed(tmp_path: Path) -> None:
    typed = ["dataset=folder", "dataset.path=my images", "port=1", "retrain_every=9", "training.epochs=5", "root=r"]
    command = next_command(typed, Path("my images/labels.csv"), Path("my images"), divided=True)
    assert command == (
        "captcha-exp train dataset=manifest 'dataset.path=my images/labels.csv' dataset.given_splits=true "
        "dataset.leaks=drop training.epochs=5 root=r"
    )
    elsewhere = next_command(typed[:2], tmp_path / "t.csv", Path("my images"), divided=False)
    assert (
        elsewhere == f"captcha-exp train dataset=manifest dataset.path={tmp_path}/t.csv 'dataset.image_root=my images'"
    )
