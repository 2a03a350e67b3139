"""Recognises what labelling tools export, and finds the one text of each image in it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from captcha_exp.errors import InputError

# Files larger than this are no export of one text per image; the whole document is in memory.
_MAX_XML_BYTES = 2**27
# What Label Studio adds to the user's fields in JSON-MIN and CSV.
_STUDIO_KEYS = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
_STUDIO_MARKS = {"annotation_id", "lead_time"}
_PPOCR_BOXES = '[{"transcription":'
_VIA_CSV = ("filename", "file_attributes", "region_attributes")
# What annotations of COCO and Datumaro hold beside texts.
_NO_TEXTS = {
    *("id", "image_id", "category_id", "label_id", "type", "group", "object_id", "area", "iscrowd", "is_crowd"),
    *("ignore", "score", "bbox", "segmentation", "z_order", "occluded", "rotation", "track_id", "keyframe"),
    *("outside", "visibility", "points", "num_keypoints", "legibility", "language", "class", "text_id"),
}
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


def recognised_json(document: Any, table: Path) -> Export | None:
    """The export that a JSON document is; None if it is of no tool.

    Raises:
        InputError: it holds no text for an image; the message names the export to choose.
    """
    if isinstance(document, list):
        if _are(document, {"data"}, {"annotations", "completions"}):
            return _export("Label Studio (JSON)", map(_studio_task, document), table, _STUDIO_ADVICE)
        if _are(document, _STUDIO_MARKS, set()):
            return _export("Label Studio (JSON-MIN)", map(_studio_row, document), table, _STUDIO_ADVICE)
        return None
    if not isinstance(document, dict):
        return None
    via = document.get("_via_img_metadata", document)
    if isinstance(via, dict) and _are(list(via.values()), {"filename", "regions"}, set()):
        return _export("VGG Image Annotator (JSON)", map(_via_image, via.values()), table, _VIA_ADVICE)
    if isinstance(document.get("file"), dict) and isinstance(document.get("metadata"), dict) and "view" in document:
        raise InputError(f"{table} is a project of VGG Image Annotator 3, which is not read; {_VIA_ADVICE}.")
    if isinstance(document.get("items"), list) and isinstance(document.get("categories"), dict):
        names = _datumaro_names(document["categories"])
        records = (_datumaro_item(item, names) for item in document["items"] if isinstance(item, dict))
        return _export("Datumaro (JSON)", records, table, _CVAT_ADVICE)
    if isinstance(document.get("images"), list) and isinstance(document.get("annotations"), list):
        return _export("COCO (JSON)", _coco_images(document), table, _COCO_ADVICE)
    return None


def recognised_rows(table: Path, names: Sequence[str], rows: Iterable[Sequence[str]]) -> Export | None:
    """The export that a table of text is, by the names of its columns; None if it is of no tool.

    Raises:
        InputError: it holds no text for an image, or several texts for each; the message names the export to choose.
    """
    names = [name.strip().lstrip("#") for name in names]
    objects = (dict(zip(names, cells, strict=False)) for cells in rows)
    if set(names).issuperset(_VIA_CSV):
        return _export("VGG Image Annotator (CSV)", map(_via_row, objects), table, _VIA_ADVICE)
    if _STUDIO_MARKS.issubset(names):
        return _export("Label Studio (CSV)", map(_studio_row, objects), table, _STUDIO_ADVICE)
    if len(names) == 2 and names[1].startswith(_PPOCR_BOXES):
        raise InputError(f"{table} is PPOCRLabel's list of boxes; choose `Export Recognition Result` there instead.")
    return None


def read_cvat(table: Path) -> Export:
    """The labelled images of CVAT's XML for images.

    Raises:
        InputError: the file is no such XML.
    """
    if table.stat().st_size > _MAX_XML_BYTES:
        raise InputError(f"{table} is larger than {_MAX_XML_BYTES >> 20} MiB; divide it.")
    try:
        root = ElementTree.fromstring(table.read_bytes(), ElementTree.XMLParser(target=_NoDoctype()))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{table} cannot be read as XML: {error}.") from error
    except OSError as error:
        raise InputError(f"{table} cannot be read ({error.strerror}).") from error
    if root.tag != "annotations" or root.find("image") is None:
        raise InputError(f"{table} is XML, but not of CVAT for images; {_CVAT_ADVICE}.")
    return _export("CVAT for images (XML)", map(_cvat_image, root.iter("image")), table, _CVAT_ADVICE)


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds a tree without the entities that a document type may define."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it defines a document type, which no labelling tool writes")


_STUDIO_ADVICE = "in Label Studio put a TextArea on the image, and export JSON, JSON-MIN or CSV"
_VIA_ADVICE = (
    "in VGG Image Annotator 2 write each text into a file attribute, and choose `Export Annotations (as csv)` or "
    "`(as json)`"
)
_CVAT_ADVICE = (
    "in CVAT give the label a text attribute, and export `CVAT for images 1.1`, `Datumaro 1.0` or, with the texts cut "
    "out, `ICDAR Recognition 1.0`"
)
_COCO_ADVICE = "export captions (in Roboflow `Multimodal JSONL`, in CVAT `CVAT for images 1.1`, else COCO captions)"


def _are(entries: Sequence[Any], all_of: set[str], one_of: set[str]) -> bool:
    """Whether entries are objects with these keys."""
    return bool(entries) and all(
        isinstance(one, dict) and one.keys() >= all_of and (not one_of or one.keys() & one_of) for one in entries
    )


def _export(tool: str, found: Iterable[Found], table: Path, advice: str) -> Export:
    """Join the records of equal images, and drop those without a text."""
    joined: dict[str, Record] = {}
    boxes = False
    for image, record, is_box in found:
        whole = joined.setdefault(image, {})
        for field, texts in record.items():
            whole[field] = list(dict.fromkeys([*whole.get(field, []), *texts]))
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


def _studio_task(task: Mapping[str, Any]) -> Found:
    given = task.get("annotations") or task.get("completions") or []
    results = [
        result
        for annotation in given
        if isinstance(annotation, dict) and not _is_true(annotation.get("was_cancelled", annotation.get("skipped")))
        for result in annotation.get("result") or []
        if isinstance(result, dict) and isinstance(result.get("value"), dict)
    ]
    # A choice tells something else about an image whose text is typed.
    kinds = {str(result.get("type", "")).lower() for result in results}
    kind = "textarea" if "textarea" in kinds else "choices"
    chosen = [result for result in results if str(result.get("type", "")).lower() == kind]
    texts: Record = {}
    for result in chosen:
        _add(texts, {str(result.get("from_name")): found} if (found := _texts(result["value"])) else {})
    file = _studio_file(task)
    return file, {"file": [file], **texts}, any("width" in result["value"] for result in chosen)


def _studio_file(task: Mapping[str, Any]) -> str:
    data = task["data"] if isinstance(task.get("data"), dict) else {}
    paths = [value for value in data.values() if isinstance(value, str) and ("/" in value or "." in value)]
    return next(iter(paths), str(task.get("file_upload") or ""))


def _studio_row(row: Mapping[str, Any]) -> Found:
    fields = {name: _texts(_of_cell(value)) for name, value in row.items() if name not in _STUDIO_KEYS}
    return str(row.get("id", id(row))), {name: texts for name, texts in fields.items() if texts}, False


def _of_cell(value: Any) -> Any:
    """The value of a cell: a JSON text where there are several, in a CSV."""
    if isinstance(value, str) and re.match(r'\[\s*[{"]|\{\s*"', value):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _texts(value: Any) -> list[str]:
    """The texts in a value of Label Studio: a text, a list, or an object of `text` or `choices`."""
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        return _texts(value.get("text") or value.get("choices") or [])
    return [value] if isinstance(value, str) and value else []


def _via_row(row: Mapping[str, Any]) -> Found:
    region = {"region_attributes": _of_cell(row.get("region_attributes"))}
    image = {"filename": row.get("filename", ""), "file_attributes": _of_cell(row.get("file_attributes"))}
    return _via_image({**image, "regions": [region]})


def _via_image(image: Mapping[str, Any]) -> Found:
    file = str(image["filename"])
    texts = _attributes(image.get("file_attributes"))
    if texts:
        return file, {"file": [file], **texts}, False
    regions = image.get("regions") or []
    for region in regions.values() if isinstance(regions, dict) else regions:
        if isinstance(region, dict):
            _add(texts, _attributes(region.get("region_attributes")))
    return file, {"file": [file], **texts}, bool(texts)


def _attributes(given: Any) -> Record:
    """The attributes of an annotation that can be texts."""
    if not isinstance(given, dict):
        return {}
    return {str(name): [value] for name, value in given.items() if name not in _NO_TEXTS and _is_text(value)}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _add(record: Record, more: Mapping[str, Sequence[str]]) -> None:
    for field, texts in more.items():
        record[field] = [*record.get(field, []), *texts]


def _coco_images(document: Mapping[str, Any]) -> Iterator[Found]:
    """An image for each annotation, and those without."""
    images = {str(one.get("id")): one for one in document["images"] if isinstance(one, dict)}
    for one in images.values():
        yield _coco_file(one), {"file": [_coco_file(one)]}, False
    for note in document["annotations"]:
        if isinstance(note, dict):
            file = _coco_file(images.get(str(note.get("image_id")), {}))
            texts = {**_attributes(note), **_attributes(note.get("attributes"))}
            yield file, {"file": [file], **texts}, bool(texts and note.get("bbox"))


def _coco_file(image: Mapping[str, Any]) -> str:
    return next((image[key] for key in ("file_name", "filename", "path", "coco_url") if _is_text(image.get(key))), "")


def _datumaro_names(categories: Mapping[str, Any]) -> list[str]:
    labels = categories.get("label")
    listed = labels.get("labels") if isinstance(labels, dict) else []
    return [str(one.get("name")) if isinstance(one, dict) else "" for one in listed or []]


def _datumaro_item(item: Mapping[str, Any], names: Sequence[str]) -> Found:
    media: Mapping[str, Any] = next((item[key] for key in ("image", "media") if isinstance(item.get(key), dict)), {})
    notes = [note for note in item.get("annotations") or [] if isinstance(note, dict)]
    texts: Record = {}
    for note in notes:
        _add(texts, {**_attributes({"caption": note.get("caption")}), **_attributes(note.get("attributes"))})
    if not texts:
        for note in notes:
            number = str(note.get("label_id"))
            if note.get("type") == "label" and number.isdigit() and int(number) < len(names):
                _add(texts, {"label": [names[int(number)]]})
    boxes = any(note.get("type") not in {"caption", "label"} for note in notes)
    file = str(media.get("path") or item.get("id", ""))
    return file, {"file": [file], **texts}, bool(texts) and boxes


def _cvat_image(image: ElementTree.Element) -> Found:
    texts: Record = {}
    for shape in image:
        for attribute in shape.iter("attribute"):
            _add(texts, _attributes({attribute.get("name"): attribute.text}))
    if not texts:
        for tag in image.iter("tag"):
            _add(texts, _attributes({"label": tag.get("label")}))
    file, subset = image.get("name", ""), image.get("subset")
    named = {"file": [file], **({"split": [subset]} if subset else {})}
    return file, {**named, **texts}, bool(texts) and any(shape.tag != "tag" for shape in image)
