"""Files and settings on one command line."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from captcha_exp.errors import InputError
from captcha_exp.predict.arguments import quoted, split_arguments

KEYS = ("model", "format", "pattern", "tracking", "root")


def split(*arguments: str) -> tuple[list[str], list[str]]:
    return split_arguments(arguments, KEYS, ["pattern"])


def test_settings_options_and_files_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ("model=m-1", "a.png", "--cfg", "job", "tracking.uri=x", "-", "+hydra.verbose=true", "x/*.png", "DIR")
    assert split(*arguments) == (
        ["model=m-1", "--cfg", "job", "tracking.uri=x", "+hydra.verbose=true"],
        ["a.png", "-", "x/*.png", "DIR"],
    )


def test_what_exists_is_a_file_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("format=csv", "label=a.png", "--help"):
        (tmp_path / name).touch()
    assert split("format=csv", "label=a.png", "--help") == ([], ["format=csv", "label=a.png", "--help"])
    assert split("./format=csv") == ([], ["./format=csv"])


def test_everything_after_two_hyphens_is_a_file() -> None:
    assert split("format=csv", "--", "format=text", "--cfg", "--") == (["format=csv"], ["format=text", "--cfg", "--"])


def test_a_mistyped_setting_is_not_taken_for_a_file() -> None:
    with pytest.raises(InputError, match=r"^patern=x is neither a file nor a setting; did you mean pattern=\.\.\.\?$"):
        split("patern=x")
    with pytest.raises(InputError, match="settings are format, hydra, model, pattern, root, tracking"):
        split("label=a.png")


@pytest.mark.parametrize(
    "value",
    [
        *("[0-9]{6}", "a|b, c", r"\d\\", "it's", r"\'", "{a:b}", "0123", "1e5", "true", "a=b", "(x)", "", " a ", "'"),
        *(r"[\\']\'", "$", "a${b}", "#", "?+*", "\t"),
    ],
)
def test_a_value_reaches_the_configuration_as_it_is_typed(value: str, tmp_path: Path) -> None:
    from omegaconf import OmegaConf

    (override,), _ = split(f"pattern={value}")
    parsed = OverridesParser.create().parse_override(override)
    assert OmegaConf.create({"pattern": parsed.value()}).pattern == value


def test_null_and_what_is_quoted_already_are_left_to_hydra() -> None:
    assert quoted("null") == "null"
    assert quoted("'a b'") == "'a b'"
