"""A backend that is not installed is one line, before anything waits for the import of Keras."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from captcha_exp.config.keras_backend import check_keras_backend, computes_with_tensorflow
from captcha_exp.errors import InputError


@pytest.fixture(autouse=True)
def no_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody chose a backend."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))


def test_what_is_installed_or_not_chosen_is_let_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_keras_backend()
    (tmp_path / "keras.json").write_text("{not JSON")
    check_keras_backend()
    (tmp_path / "keras.json").write_text('{"backend": "nonsense"}')
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # it wins, as in Keras
    check_keras_backend()


def test_tensorflow_computes_unless_another_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert computes_with_tensorflow()
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert not computes_with_tensorflow()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert computes_with_tensorflow()


def test_the_variable_and_the_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "theano"}')
    with pytest.raises(InputError) as caught:
        check_keras_backend()
    assert str(caught.value) == (
        f"Keras' own file {tmp_path / 'keras.json'} names 'theano', and this program trains with tensorflow, jax, "
        "torch only."
    )


def test_one_that_is_not_installed_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = [name for name in ("torch", "jax") if find_spec(name) is None]
    if not missing:
        pytest.skip("all backends are installed here")
    monkeypatch.setenv("KERAS_BACKEND", missing[0])
    with pytest.raises(InputError) as caught:
        check_keras_backend()
    assert str(caught.value) == (
        f"KERAS_BACKEND in the environment names {missing[0]}, which is not installed here: pip install {missing[0]}, "
        "or set KERAS_BACKEND=tensorflow."
    )
