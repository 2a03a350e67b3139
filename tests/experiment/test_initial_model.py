"""The trained model that another training starts from."""

from collections.abc import Callable

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.errors import InputError
from captcha_exp.evaluate.seen_images import chose, count_seen
from captcha_exp.experiment import Outcome, run_experiment
from captcha_exp.reader.image import Channels
from captcha_exp.tracking import load_recogniser
from tests.trained_run import history_of, model_id_of, store_of

Compose = Callable[..., Config]


def test_a_run_can_start_from_a_trained_model_with_another_alphabet(
    trained: tuple[Config, Outcome, list[str]], told: list[str]
) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    start = config.training.model_copy(update={"initial_model": f"runs:/{outcome.run_id}/model", "epochs": 3})
    letters = config.dataset.model_copy(update={"characters": "0123456789ab", "size": 400})
    tuned = run_experiment(config.model_copy(update={"dataset": letters, "training": start}))
    model_id = model_id_of(store, outcome.run_id)
    assert f"starts from the weights of models:/{model_id}" in told
    assert store.client.get_run(tuned.run_id).data.tags["initial_model"] == f"models:/{model_id}"
    first_loss = dict(history_of(store, outcome.run_id, "val/ctc_loss"))[3]
    assert dict(history_of(store, tuned.run_id, "val/ctc_loss"))[3] < first_loss
    known = load_recogniser(f"runs:/{tuned.run_id}/model", store.uri)
    first = prepare_dataset(config.dataset, config.root_path)
    own = prepare_dataset(letters, config.root_path)
    assert count_seen(known, first.train.images) == len(first.train), "what the first model saw is seen"
    assert count_seen(known, own.train.images) == len(own.train)
    assert count_seen(known, first.test.images) == 0
    for validation in (first.validation, own.validation):
        chosen = chose(known, validation.images)
        assert chosen is not None and chosen.all(), "each training chose its epoch"


def test_a_run_of_larger_images_in_colour_can_start_from_a_grey_model(
    trained: tuple[Config, Outcome, list[str]],
) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    start = config.training.model_copy(update={"initial_model": f"runs:/{outcome.run_id}/model", "epochs": 3})
    colour = config.dataset.model_copy(update={"channels": Channels.rgb, "image_width": 80, "image_height": 40})
    tuned = run_experiment(config.model_copy(update={"training": start, "dataset": colour}))
    first_loss = dict(history_of(store, outcome.run_id, "val/ctc_loss"))[3]
    assert dict(history_of(store, tuned.run_id, "val/ctc_loss"))[3] < first_loss


def test_a_start_from_another_architecture_names_what_to_set(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    start = config.training.model_copy(update={"initial_model": f"runs:/{outcome.run_id}/model"})
    wider = config.model_copy(
        update={"training": start, "cnn": config.cnn.model_copy(update={"filters": [16, 32, 64]})}
    )
    expected = r"runs:/\w+/model has another architecture: cnn\.filters differs\. Set cnn\.filters=\[16,32,48\]\."
    with pytest.raises(InputError, match=expected):
        run_experiment(wider)
