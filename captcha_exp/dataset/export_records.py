"""The images of what a labelling tool has exported, and the texts of each."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captcha_exp.errors import InputError

# What annotations of COCO and Datumaro hold beside texts.
_NO_TEXTS = {
    *("id", "image_id", "category_id", "label_id", "type", "group", "object_id", "area", "iscrowd", "is_crowd"),
    *("ignore", "score", "bbox", "segmentation", "z_order", "occluded", "rotation", "track_id", "keyframe"),
    *("outside", "visibility", "points", "num_keypoints", "legibility", "language", "class", "text_id"),
}
# An image with more texts is no image of one text; the rest need not be known.
_MOST_TEXTS = 100
# One image: "file", perhaps "split", and the texts in each of its fields.
Record = dict[str, list[str]]
# What is equal for annotations of one image, one of its records, and whether its texts belong to parts of the image.
Found = tuple[str, Record, bool]


@dataclass(frozen=True)
class Export:
    """What a tool has exported.

    Attributes:
        tool: its name and the name of the export.
        records: the labelled images, with the texts of each field.
        unlabelled: how many further images have no text.
        boxes: whether the texts belong to parts of images.
    """

    tool: str
    records: list[Record]
    unlabelled: int
    boxes: bool

    @property
    def notes(self) -> Iterator[str]:
        """Lines about what was found."""
        if self.unlabelled:
            yield f"{self.unlabelled} images of the export have no text and are left out"
        if self.boxes:
            yield "texts belong to boxes in the images; each image is read whole, its box is not cut out"


def export_of(tool: str, found: Iterable[Found], table: Path, advice: str) -> Export:
    """Join the records of equal images, and drop those without a text."""
    joined: dict[str, Record] = {}
    boxes = False
    for image, record, is_box in found:
        whole = joined.setdefault(image, {})
        for field, texts in record.items():
            known = whole.setdefault(field, [])
            known.extend(text for text in dict.fromkeys(texts[:_MOST_TEXTS]) if text not in known)
            del known[_MOST_TEXTS:]
        boxes |= is_box
    labelled = [record for record in joined.values() if record.keys() - {"file", "split"}]
    if not labelled:
        raise InputError(f"{table} is an export of {tool} in which no image has a text; {advice}.")
    fields = {field for record in labelled for field in record} - {"file", "split"}
    if not any(len(record.get(field, ())) == 1 for record in labelled for field in fields):
        raise InputError(
            f"{table} is an export of {tool} in which every image has several texts; one for each image is needed: "
            f"cut the texts out, or {advice}."
        )
    return Export(tool, labelled, len(joined) - len(labelled), boxes)


def attributes(given: Any) -> Record:
    """The attributes of an annotation that can be texts."""
    if not isinstance(given, dict):
        return {}
    return {str(name): [value] for name, value in given.items() if name not in _NO_TEXTS and is_text(value)}


def add_texts(record: Record, more: Mapping[str, Sequence[str]]) -> None:
    """Add the texts of further fields to a record."""
    for field, texts in more.items():
        record.setdefault(field, []).extend(texts)


def of_cell(value: Any) -> Any:
    """The value of a cell: a JSON text where there are several, in a CSV."""
    if isinstance(value, str) and re.match(r'\[\s*[{"]|\{\s*"', value):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def is_text(value: Any) -> bool:
    """Whether a value is a text that is not blank."""
    return isinstance(value, str) and value.strip() != ""
