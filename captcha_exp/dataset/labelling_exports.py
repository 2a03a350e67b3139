"""Recognises what labelling tools export."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from captcha_exp.dataset.coco_json import COCO_ADVICE, coco_images
from captcha_exp.dataset.cvat import CVAT_ADVICE, datumaro_item, datumaro_names
from captcha_exp.dataset.export_records import Export, export_of
from captcha_exp.dataset.image_annotator import VIA_ADVICE, via_image, via_row
from captcha_exp.dataset.label_studio import STUDIO_ADVICE, studio_row, studio_task
from captcha_exp.errors import InputError

# Columns that only one tool writes.
_STUDIO_MARKS = {"annotation_id", "lead_time"}
_VIA_MARKS = {"filename", "file_attributes", "region_attributes"}
_PPOCR_BOXES = '[{"transcription":'


def recognised_json(document: Any, table: Path) -> Export | None:
    """The export that a JSON document is; None if it is of no tool.

    Raises:
        InputError: it holds no text for an image; the message names the export to choose.
    """
    if isinstance(document, list):
        if _are(document, {"data"}, {"annotations", "completions"}):
            return export_of("Label Studio (JSON)", map(studio_task, document), table, STUDIO_ADVICE)
        if _are(document, _STUDIO_MARKS, set()):
            return export_of("Label Studio (JSON-MIN)", map(studio_row, document), table, STUDIO_ADVICE)
        return None
    if not isinstance(document, dict):
        return None
    via = document.get("_via_img_metadata", document)
    if isinstance(via, dict) and _are(list(via.values()), {"filename", "regions"}, set()):
        return export_of("VGG Image Annotator (JSON)", map(via_image, via.values()), table, VIA_ADVICE)
    if isinstance(document.get("file"), dict) and isinstance(document.get("metadata"), dict) and "view" in document:
        raise InputError(f"{table} is a project of VGG Image Annotator 3, which is not read; {VIA_ADVICE}.")
    if isinstance(document.get("items"), list) and isinstance(document.get("categories"), dict):
        names = datumaro_names(document["categories"])
        records = (datumaro_item(item, names) for item in document["items"] if isinstance(item, dict))
        return export_of("Datumaro (JSON)", records, table, CVAT_ADVICE)
    if isinstance(document.get("images"), list) and isinstance(document.get("annotations"), list):
        return export_of("COCO (JSON)", coco_images(document), table, COCO_ADVICE)
    return None


def recognised_rows(table: Path, names: Sequence[str], rows: Iterable[Sequence[str]]) -> Export | None:
    """The export that a table of text is, by the names of its columns; None if it is of no tool.

    Raises:
        InputError: it holds no text for an image, or several texts for each; the message names the export to choose.
    """
    names = [name.strip().lstrip("#") for name in names]
    objects = (dict(zip(names, cells, strict=False)) for cells in rows)
    if _VIA_MARKS.issubset(names):
        return export_of("VGG Image Annotator (CSV)", map(via_row, objects), table, VIA_ADVICE)
    if _STUDIO_MARKS.issubset(names):
        return export_of("Label Studio (CSV)", map(studio_row, objects), table, STUDIO_ADVICE)
    if len(names) == 2 and names[1].startswith(_PPOCR_BOXES):
        raise InputError(f"{table} is PPOCRLabel's list of boxes; choose `Export Recognition Result` there instead.")
    return None


def _are(entries: Sequence[Any], all_of: set[str], one_of: set[str]) -> bool:
    """Whether entries are objects with these keys."""
    return bool(entries) and all(
        isinstance(one, dict) and one.keys() >= all_of and (not one_of or one.keys() & one_of) for one in entries
    )
