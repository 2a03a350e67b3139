"""Paths and texts on the command line are taken as they are typed."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from pydantic import BaseModel

from captcha_exp.config.key_place import Place, is_model
from captcha_exp.config.loading import _COMMANDS
from captcha_exp.typed_texts import _TEXTS_OR_NULL, TEXT_KEYS, as_typed, text_as_typed
from tests.dataset.conftest import png

FOLDERS = [
    "My captchas (final)",
    "2024",
    "a=b",
    "验证码",
    "set,1",
    "it's",
    "50%",
    "a b  ",
    "[x]",
    "null",
    "true",
    "1e3",
]
FOLDERS += ["{a: b}", "a#b", "~x", "choice(1,2)", "1_000", "nan", 'say "hi"', "é", "back\\slash (1)", "2024-05-01", "."]


def value_of(argument: str) -> object:
    return OverridesParser.create().parse_override(argument).value()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_path_is_read_as_it_was_typed(name: str) -> None:
    typed = text_as_typed(f"dataset.path={name}")
    assert str(value_of(typed)) == name
    assert not isinstance(value_of(typed), bool)
    assert text_as_typed(typed) == typed


@pytest.mark.parametrize("characters", ["aé#", "0123+-*/=", "'\"", "汉字,;", "{}[]()", "1e3", "ab "])
def test_a_vocabulary_is_read_as_it_was_typed(characters: str) -> None:
    assert str(value_of(text_as_typed(f"dataset.vocabulary={characters}"))) == characters


@pytest.mark.parametrize(
    "argument",
    [
        *("dataset.vocabulary=null", "dataset.path='it is'", 'dataset.path="(x)"', "dataset.path=images"),
        "dataset=folder",
        *("dataset.path=${oc.env:HOME}/x", "dataset.path=a\\ b", "dataset.vocabulary=0123456789", "training.epochs=[["),
        *("+sweep=attention", "~dataset.path", "--help", "report.sweep=[a,b]"),
    ],
)  # fmt: skip
def test_what_hydra_reads_rightly_and_what_keeps_to_its_grammar_stays(argument: str) -> None:
    assert as_typed([argument]) == [argument]


def test_in_a_sweep_a_comma_divides_choices_unless_a_file_has_this_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert as_typed(["-m", "dataset.path=set,1"])[1] == "dataset.path=set,1"
    assert as_typed(["dataset.path=set,1"]) == ["dataset.path='set,1'"]
    (tmp_path / "set,1").mkdir()
    assert as_typed(["+sweep=smoke", "dataset.path=set,1"])[1] == "dataset.path='set,1'"


def texts(schema: type[BaseModel], prefix: str = "") -> dict[str, bool]:
    """Every key that holds a text, and whether it may be null in all commands that have it."""
    found: dict[str, bool] = {}
    for name in schema.model_fields:
        place = Place("", schema, None).inside(name)
        models = [*place.variants.values()] or ([place.kind] if is_model(place.kind) else [])
        if not models and place.kind is str:
            found[f"{prefix}{name}"] = place.nullable and found.get(f"{prefix}{name}", True)
        for model in models:
            for key, nullable in texts(model, f"{prefix}{name}.").items():
                found[key] = nullable and found.get(key, True)
    return found


def test_the_keys_are_those_of_the_schema() -> None:
    known: dict[str, bool] = {}
    for schema in _COMMANDS:
        for key, nullable in texts(schema).items():
            known[key] = nullable and known.get(key, True)
    assert known.keys() == TEXT_KEYS
    assert {key for key, nullable in known.items() if nullable} == _TEXTS_OR_NULL


def test_the_command_prepares_a_folder_of_any_name(tmp_path: Path) -> None:
    name = "it's, (验证码) = [1]"
    (tmp_path / name).mkdir()
    for seed in range(20):
        (tmp_path / name / f"{seed % 10}{seed // 10}é.png").write_bytes(png(seed))
    command = [sys.executable, "-m", "captcha_exp.prepare", "dataset=folder", f"dataset.path={name}"]
    command += ["dataset.vocabulary=0123456789é#'", "audit=false"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert f"source       {tmp_path / name}\n" in done.stdout
    assert "vocabulary   #'0123456789é (13 characters)" in done.stdout
