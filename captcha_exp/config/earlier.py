"""Translate the configuration of earlier versions, so that their runs and models can still be used."""

from collections.abc import Mapping
from typing import Any, cast

from omegaconf import OmegaConf

from captcha_exp.config.conf_folder import conf_dir
from captcha_exp.reader.image import ADDED_LATER

# (group, former choice) -> current choice.
CALLED_NOW = {("cnn", "seed"): "original", ("transformer", "seed"): "original", ("experiment", "seed"): "original"}
# Later keys that decide which samples are in which split, each with the value that divides as before.
ADDED_TO_DIVISION = {"equal_labels": "together", "given_splits": False, "leaks": "refuse", "validation_fold": 0}


def renamed_choice(message: str) -> str | None:
    """What to type now, if Hydra's message names a choice that has been renamed."""
    for (group, former), now in CALLED_NOW.items():
        if f"'{group}/{former}'" in message:
            return f"{group}={former} is called {group}={now} now."
    return None


def brought_up_to_date(config: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the configuration of an earlier version's run or model into the keys of this version.

    Keys that a choice no longer has are dropped. Features that are new since then are switched off.

    Args:
        config: plain values by group; groups may be missing.
    """
    groups = {group: dict(values) if isinstance(values, Mapping) else values for group, values in config.items()}
    updates = {
        "dataset": _dataset,
        "augmentation": _augmentation,
        "cnn": _cnn,
        "decoding": _decoding,
        "optimizer": _optimizer,
        "training": _training,
        "tracking": _tracking,
        "sweep": _sweep,
    }
    for group, update in updates.items():
        if isinstance(groups.get(group), dict):
            update(groups[group])
    return groups


def _dataset(values: dict[str, Any]) -> None:
    for key, value in ADDED_LATER.items():
        values.setdefault(key, value)
    values.setdefault("test_fold", 0)
    later: dict[str, Any] = {"vocabulary_file": None, **ADDED_TO_DIVISION}
    if values.get("source") == "folder":
        later["label_from"] = "name"
    if values.get("source") == "manifest":
        later |= {"split_column": "split", "delimiter": None, "encoding": None, "header": None}
    for key, value in later.items():
        values.setdefault(key, value)
    if values.get("source") == "kaggle" and "layouts" not in values:
        known = _shipped_layouts()
        bases = ["/".join(str(handle).split("/")[:2]) for handle in values.get("handles", [])]
        values["layouts"] = {base: known[base] for base in bases if base in known}


def _shipped_layouts() -> dict[str, Any]:
    files = (OmegaConf.load(path) for path in (conf_dir() / "dataset").glob("*.yaml"))
    layouts = [OmegaConf.select(file, "layouts") for file in files]
    return cast(dict[str, Any], OmegaConf.to_container(OmegaConf.merge(*(found for found in layouts if found))))


def _augmentation(values: dict[str, Any]) -> None:
    values.setdefault("invert_probability", 0.0)
    for added in ("perspective", "bend", "recolor_probability", "strokes", "stroke_width"):
        values.setdefault(added, 0)
    values.setdefault("function", None)
    values.setdefault("options", {})


def _cnn(values: dict[str, Any]) -> None:
    if values.get("kind") == "seed":
        values["kind"] = "original"
        values.pop("width_stride", None)  # it could only be 4


def _decoding(values: dict[str, Any]) -> None:
    if values.get("kind") == "greedy":
        values.pop("beam_width", None)
    values.setdefault("knowledge", "none")


def _optimizer(values: dict[str, Any]) -> None:
    if values.get("kind") == "adam":
        # Earlier versions ignored the kind: with weight decay they trained with AdamW.
        if values.get("weight_decay"):
            values["kind"] = "adamw"
        else:
            values.pop("weight_decay", None)


def _training(values: dict[str, Any]) -> None:
    values.setdefault("metrics", {})
    values.setdefault("minutes", None)
    values.setdefault("ema_decay", None)
    values.setdefault("auxiliary_ctc", 0.0)
    values.setdefault("unaltered_share", 0.0)
    values.setdefault("members", 1)
    values.setdefault("member_data", "all")
    values.setdefault("combine", "vote")
    values.setdefault("distil_weight", 1.0)
    values.setdefault("views", 1)
    values.setdefault("unlabelled", None)
    values.setdefault("unlabelled_rounds", 2)
    values.setdefault("unlabelled_confidence", 0.9)


def _tracking(values: dict[str, Any]) -> None:
    values.setdefault("system_metrics", False)


def _sweep(values: dict[str, Any]) -> None:
    values.pop("trial_id", None)
    values.setdefault("engine", "local")
    values.setdefault("ray", {"address": None, "num_cpus": 1, "num_gpus": 0, "runtime_env": None})
    values.setdefault("on_end", None)
    values.setdefault("report_every_s", None)
    values.setdefault("first", [])
    values.setdefault("warm_start", [])
    values.setdefault("repeats", 1)
    values.setdefault("repeat_over", "seeds")
    values.setdefault("constraints", None)
    for chosen in ("sampler", "pruner"):
        values[chosen] = {"options": None, **values.get(chosen, {})}
    values["pruner"].setdefault("first_objective", False)
    for added in ("minutes", "target", "no_improvement_trials", "trial_minutes"):
        values.setdefault(added, None)
