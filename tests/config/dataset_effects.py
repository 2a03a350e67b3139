"""For every key of a dataset: a change, and what it changes."""

from typing import Any

from tests.config import observables as see
from tests.config.effects import Effects, Shown, ShownBy

FOLDER = ("dataset=folder", "dataset.path=images", "dataset.max_bad_share=0.5")
WIDE = (*FOLDER, "dataset.image_height=20", "dataset.image_width=200")
MANIFEST = ("dataset=manifest", "dataset.path=labels.csv")
DIVIDED = ("dataset=manifest", "dataset.path=divided.csv")
SYNTHETIC = ("dataset.size=24", "dataset.characters=abc")
STYLED = ("dataset=styled", "dataset.size=9")
KAGGLE = ("dataset=fournierp",)
OWN_DATASET = (
    *("dataset=synthetic", "dataset.source=custom", "~dataset.size", "~dataset.seed", "~dataset.characters"),
    *("~dataset.min_length", "~dataset.max_length"),
    *("+dataset.opener=own_functions:open_numbers", "+dataset.options={}"),
)
# What changes with the source: the keys of one are not those of the other.
BY_NAME = dict.fromkeys(["dataset.path", "dataset.label_from", "dataset.label_pattern", "dataset.recursive"])
BY_FUNCTION = {"dataset.opener": "own_functions:open_numbers", "dataset.options": {}}


DATASET: Effects = {
    "dataset.source": [Shown(see.opened, "custom", FOLDER, {**BY_NAME, **BY_FUNCTION})],
    "dataset.image_height": [Shown(see.prepared, 30, FOLDER)],
    "dataset.image_width": [Shown(see.prepared, 90, FOLDER)],
    "dataset.keep_aspect_ratio": [Shown(see.prepared, True, WIDE)],
    "dataset.background": [Shown(see.prepared, 0, (*WIDE, "dataset.keep_aspect_ratio=true"))],
    "dataset.channels": [Shown(see.prepared, "rgb", FOLDER)],
    "dataset.rows": [Shown(see.prepared, 2, FOLDER)],
    "dataset.polarity": [Shown(see.prepared, "dark_text", FOLDER)],
    "dataset.vocabulary": [Shown(see.prepared, "0123456789abcde", FOLDER)],
    "dataset.vocabulary_file": [Shown(see.prepared, "characters.txt", FOLDER)],
    "dataset.equal_labels": [Shown(see.prepared, "apart", FOLDER)],
    "dataset.given_splits": [Shown(see.prepared, True, DIVIDED)],
    "dataset.leaks": [Shown(see.prepared, "drop", (*DIVIDED, "dataset.given_splits=true"))],
    "dataset.label_case": [Shown(see.prepared, "upper", FOLDER)],
    "dataset.validation_fraction": [Shown(see.prepared, 0.3, FOLDER)],
    "dataset.test_fraction": [Shown(see.prepared, 0.3, FOLDER)],
    "dataset.test_fold": [Shown(see.prepared, 1, FOLDER)],
    "dataset.validation_fold": [Shown(see.prepared, 1, FOLDER)],
    "dataset.split_seed": [Shown(see.prepared, 5, FOLDER)],
    "dataset.max_bad_share": [Shown(see.prepared, 0, FOLDER)],
    "dataset.limit": [Shown(see.prepared, 10, FOLDER)],
    "dataset.expected.images": [Shown(see.warned, 30)],
    "dataset.expected.images_tolerance": [Shown(see.warned, 0.9, ("dataset.expected.images=30",))],
    "dataset.expected.length": [Shown(see.warned, 3)],
    "dataset.expected.alphabet": [Shown(see.warned, "xyz")],
    "dataset.size": [Shown(see.opened, 30, given) for given in (SYNTHETIC, STYLED)],
    "dataset.seed": [Shown(see.opened, 7, given) for given in (SYNTHETIC, STYLED)],
    "dataset.characters": [Shown(see.opened, "xyz", given) for given in (SYNTHETIC, STYLED)],
    "dataset.min_length": [Shown(see.opened, 1, given) for given in (SYNTHETIC, STYLED)],
    "dataset.max_length": [Shown(see.opened, 7, given) for given in (SYNTHETIC, STYLED)],
    "dataset.fonts": [Shown(see.opened, ["DejaVuSans"], STYLED)],
    "dataset.path": [Shown(see.opened, "fewer", FOLDER), Shown(see.opened, "fewer.csv", MANIFEST)],
    "dataset.label_pattern": [Shown(see.opened, "a(?P<label>.+)", FOLDER)],
    "dataset.label_from": [Shown(see.opened, "folder", (*FOLDER, "dataset.recursive=true"))],
    "dataset.recursive": [Shown(see.opened, True, FOLDER)],
    "dataset.file_column": [Shown(see.opened, "other_file", MANIFEST)],
    "dataset.label_column": [Shown(see.opened, "text", MANIFEST)],
    "dataset.split_column": [Shown(see.prepared, "text", (*DIVIDED, "dataset.given_splits=true"))],
    "dataset.delimiter": [Shown(see.opened, "tab", MANIFEST)],
    "dataset.encoding": [Shown(see.opened, "cp1252", ("dataset=manifest", "dataset.path=legacy.csv"))],
    "dataset.header": [Shown(see.opened, False, MANIFEST)],
    "dataset.image_root": [Shown(see.opened, "fewer", MANIFEST)],
    "dataset.handles": [Shown(see.opened, ["someone/else"], KAGGLE)],
    "dataset.layouts.*.tables": [Shown(see.opened, True, KAGGLE)],
    "dataset.layouts.*.label_patterns": [Shown(see.opened, ["a(?P<label>.+)"], KAGGLE)],
    "dataset.opener": [Shown(see.opened, "own_functions:open_others", OWN_DATASET)],
    "dataset.options": [Shown(see.opened, {"count": 7}, OWN_DATASET)],
}


def _styled(value: Any, *with_it: str) -> list[Shown | ShownBy]:
    given = (
        "dataset=styled",
        "dataset.size=8",
        "dataset/style=[plain]",
        *(f"dataset.styles.plain.{one}" for one in with_it),
    )
    return [Shown(see.opened, value, given)]


def _two_families(value: Any) -> list[Shown | ShownBy]:
    return [Shown(see.opened, value, ("dataset=styled", "dataset.size=8", "dataset/style=[plain,waves]"))]


_PAPER, _STROKES = "texture=paper", "lines=[2,2]"
STYLE: Effects = {
    f"dataset.styles.*.{key}": shown
    for key, shown in {
        "height": _styled(40),
        "width": _styled(120),
        "frame": _styled("plate"),
        "fonts": _styled(["cmtt10"]),
        "turns": _two_families(3),
        "font_per_character": _styled(False),
        "coarse": _styled(1),
        "coarseness": _styled([3, 3], "coarse=1"),
        "font_size": _styled([0.3, 0.4]),
        "character_scale": _styled([0.5, 0.6]),
        "angle": _styled([20, 30]),
        "slant": _styled([0.4, 0.5]),
        "spacing": _styled([0.6, 0.7]),
        "rise": _styled([-0.5, -0.4]),
        "wave": _styled([0.1, 0.1]),
        "wave_length": _styled([3, 3], "wave=[0.1,0.1]"),
        "ink": _styled([90, 90]),
        "paper": _styled([180, 180]),
        "ink_saturation": _styled([1, 1], "ink=[60,60]"),
        "paper_saturation": _styled([1, 1], "paper=[180,180]"),
        "color_per_character": _styled(True, "ink_saturation=[1,1]", "ink=[60,100]"),
        "negative": _styled(1),
        "gradient": _styled(1, "paper_saturation=[1,1]", "paper=[180,220]"),
        "shade": _styled([60, 60]),
        "lines": _styled([3, 3]),
        "arcs": _styled([3, 3]),
        "line_width": _styled([3, 3], _STROKES),
        "line_ink": _styled([150, 150], _STROKES),
        "same_ink": _styled(1, _STROKES, "line_ink=[150,150]"),
        "dots": _styled([0.1, 0.1]),
        "dot_size": _styled([3, 3], "dots=[0.1,0.1]"),
        "texture": _styled("weave", "texture_strength=[9,9]"),
        "texture_strength": _styled([9, 9], _PAPER),
        "blur": _styled([2, 2]),
        "noise": _styled([20, 20]),
        "edges": _styled(1),
        "jpeg_quality": _styled([5, 5]),
    }.items()
}
