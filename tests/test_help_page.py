"""What each command's help explains, compared with what the command takes."""

import shlex
from collections.abc import Iterator

import pytest
from hydra import compose, initialize_config_dir
from pydantic import BaseModel

from captcha_exp import config
from captcha_exp.commands import COMMANDS
from captcha_exp.config import conf_dir
from captcha_exp.config.key_place import keys_of
from captcha_exp.export.__main__ import with_addresses
from captcha_exp.help_page import explained_groups, explained_keys, help_page
from captcha_exp.pretrained_network import with_pretrained_network
from captcha_exp.promote.__main__ import with_whole_keys
from captcha_exp.remove.__main__ import with_remove_key
from captcha_exp.report.__main__ import with_report_key

OWN = {
    "prepare": config.PreparationConfig,
    "label": config.LabellingConfig,
    "evaluate": config.EvaluationConfig,
    "predict": config.PredictConfig,
    "serve": config.ServingConfig,
    "promote": config.PromotionConfig,
    "export": config.ExportConfig,
    "report": config.ReportCommandConfig,
    "ui": config.UiConfig,
    "relocate": config.RelocateConfig,
    "remove": config.RemoveConfig,
}
INSIDE = {"train": ("training", config.TrainingConfig), "sweep": ("sweep", config.SweepConfig)}


def keys_to_explain(name: str) -> Iterator[str]:
    model: type[BaseModel]
    prefix, model = INSIDE.get(name, ("", OWN.get(name, config.Config)))
    for key in keys_of(model, f"{prefix}." if prefix else ""):
        if key != "root" and not key.startswith("tracking."):
            yield key


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_each_key_of_a_command_with_a_sentence(name: str) -> None:
    explained = {key.key: key.sentence for key in explained_keys(COMMANDS[name])}
    assert set(keys_to_explain(name)) <= {*explained, "sweep.objectives.metric", "sweep.objectives.direction"}
    bad = [key for key, sentence in explained.items() if not sentence[:1].strip() or sentence[-1] != "."]
    assert not bad, "write a comment, which is a sentence, above this key in conf/"


def test_preparing_explains_what_all_datasets_have_in_common() -> None:
    explained = {key.key for key in explained_keys(COMMANDS["prepare"])}
    for model in (config.FolderConfig, config.ManifestConfig):
        assert {f"dataset.{key}" for key in keys_of(model)} - {"dataset.source"} <= explained


def test_help_explains_each_group() -> None:
    assert [group.key for group in explained_groups() if group.sentence.endswith(".")] == [
        *("dataset", "augmentation", "cnn", "transformer", "decoding", "optimizer", "training", "tracking")
    ]


def composed_name(name: str) -> str:
    return "config" if name in INSIDE else name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_command_compose(name: str) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        for example in COMMANDS[name].examples:
            own, *words = shlex.split(example)
            assert own == name
            if words and "=" not in words[0]:
                words[0] = f"{COMMANDS[name].word}{words[0]}"
            overrides = [word for word in words if "=" in word]
            rewrite = {
                "report": with_report_key,
                "export": with_addresses,
                "promote": with_whole_keys,
                "remove": with_remove_key,
                "train": with_pretrained_network,
            }
            overrides = list(rewrite.get(name, list)(overrides))
            if name != "predict":  # its words are files
                assert len(overrides) == len(words) + (name == "train" and "+experiment=pretrained" in overrides)
            compose(composed_name(name), [f"pattern='{o[8:]}'" if o.startswith("pattern=") else o for o in overrides])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_shows_examples_values_and_exit_codes(name: str) -> None:
    page = help_page(name)
    for example in COMMANDS[name].examples:
        assert f"  captcha-exp {example}\n" in page
    assert page.splitlines()[-1].startswith("Exit code: 0 ")
    for key in explained_keys(COMMANDS[name]):
        shown = {None: ".*", "???": "=..."}.get(key.value, f"={key.value}")
        assert f"\n  {key.key}{shown}" in page
