"""Keras is imported without the large packages that it would only find."""

import importlib
import sys

import pytest

from captcha_exp.model.quick_keras import _hidden


def test_a_package_is_not_found_until_keras_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with _hidden(("colorsys",)), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hls(0, 0, 0) == (0, 0, 0)


def test_what_is_imported_already_stays() -> None:
    before = importlib.import_module("colorsys")
    with _hidden(("colorsys",)):
        assert importlib.import_module("colorsys") is before
    assert sys.modules["colorsys"] is before


def test_it_is_found_again_after_an_import_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ImportError, match="libcuda"), _hidden(("colorsys",)):
        raise ImportError("libcuda is damaged")
    assert importlib.import_module("colorsys")
