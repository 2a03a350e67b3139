"""A model comes back with all that reading an image takes."""

from typing import Any

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.tracking import Store, load_recogniser

METADATA = {
    "characters": "0aé'\"#: ",
    "image": {"height": 4, "width": 6, "keep_aspect_ratio": False, "background": 255},
    "decoding": {"kind": "greedy", "beam_width": 1},
    "dataset": {"name": "folder", "fingerprint": "f00d"},
    "config": {"training": {"epochs": 3, "patience": None}, "cnn": {"filters": [1, 2]}},
}


def test_a_model_is_found_by_each_of_its_addresses(store: Store, model_of_eight: Any) -> None:
    with store.start_run("x", {"sweep": "s"}) as run:
        run.log_text("1", "note.txt")
        uri = run.log_model(model_of_eight, METADATA, (4, 6, 1))
    model_id = uri.removeprefix("models:/")
    store.client.create_registered_model("reader")
    version = store.client.create_model_version("reader", uri, run.run_id, model_id=model_id).version
    store.client.set_registered_model_alias("reader", "champion", version)
    images = np.random.default_rng(0).random((3, 4, 6, 1), np.float32)
    addresses = (uri, model_id, f"runs:/{run.run_id}/model", f"models:/reader/{version}", "models:/reader@champion")
    for address in addresses:
        loaded = load_recogniser(address, store.uri)
        parts = {name: getattr(loaded, name) for name in METADATA}
        assert parts == METADATA
        assert (loaded.run_id, loaded.model_id) == (run.run_id, model_id)
        np.testing.assert_array_equal(loaded.model(images), model_of_eight(images))
    assert store.client.get_logged_model(model_id).tags["sweep"] == "s"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("runs:/0123/model", "Run with id=0123 not found"),
        ("models:/nobody@champion", "Registered Model with name=nobody not found"),
        ("m-0123", "Logged model with ID 'm-0123' not found"),
    ],
)
def test_a_model_that_is_not_there_is_refused_in_one_line(store: Store, address: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        load_recogniser(address, store.uri)
    assert str(refused.value).startswith(f"model={address} is not in the store {store.uri}: {message}")
    assert "\n" not in str(refused.value)


def test_something_else_than_an_address_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match=r"^model=best must be runs:/RUN/model, models:/NAME@ALIAS"):
        load_recogniser("best", store.uri)


def test_a_model_of_other_origin_is_refused(store: Store, small_model: Any) -> None:
    with store.start_run("x", {}) as run:
        uri = run.log_model(small_model, {"characters": "ab"}, (4, 6, 1))
    with pytest.raises(InputError, match="has no 'image' beside it; it was not trained by captcha_exp"):
        load_recogniser(uri, store.uri)


def test_a_model_that_cannot_be_saved_is_marked_as_failed(store: Store, small_model: Any) -> None:
    run = store.start_run("x", {})
    with pytest.raises(Exception, match="represent"), run:
        run.log_model(small_model, {"characters": object()}, (4, 6, 1))
    models = store.client.search_logged_models([store.experiment_id])
    assert [str(model.status) for model in models] == ["FAILED"]
