"""Functions of the user's own, found by the name that a configuration gives them."""

import re
from pathlib import Path

import pytest

from captcha_exp.errors import InputError
from captcha_exp.extension import named_class, named_function


@pytest.fixture(autouse=True)
def _own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_extension.py").write_text("def build():\n    return 'built'\n\n\nnumber = 3\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # restores the path afterwards


def test_a_function_in_the_current_folder_is_found() -> None:
    assert named_function("cnn.builder", "my_extension:build")() == "built"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("my_extension", "cnn.builder must be MODULE:FUNCTION, e.g. my_module:build, not 'my_extension'."),
        ("nowhere:build", "cnn.builder=nowhere:build cannot be imported: No module named 'nowhere'. Its module"),
        ("my_extension:other", "cnn.builder=my_extension:other: the module my_extension has no function other."),
        ("my_extension:number", "cnn.builder=my_extension:number: the module my_extension has no function number."),
    ],
)
def test_what_cannot_be_used_is_named(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        named_function("cnn.builder", spec)


def test_a_class_is_found_if_it_is_of_the_kind_that_is_needed() -> None:
    assert named_class("sweep.sampler.kind", "collections:OrderedDict", dict).__name__ == "OrderedDict"
    for spec in ("collections:Nothing", "collections:deque", "collections:namedtuple"):
        name = spec.partition(":")[2]
        told = f"sweep.sampler.kind={spec}: the module collections has no class {name} that is a dict."
        with pytest.raises(InputError, match=f"^{re.escape(told)}$"):
            named_class("sweep.sampler.kind", spec, dict)
