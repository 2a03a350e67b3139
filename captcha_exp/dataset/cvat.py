"""Reads the annotations that CVAT exports, as its own XML and as Datumaro's JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from captcha_exp.dataset.export_records import Export, Found, Record, add_texts, attributes, export_of
from captcha_exp.errors import InputError

# Files larger than this are no export of one text per image; the whole document is in memory.
_MAX_XML_BYTES = 2**27
CVAT_ADVICE = (
    "in CVAT give the label a text attribute, and export `CVAT for images 1.1`, `Datumaro 1.0` or, with the texts cut "
    "out, `ICDAR Recognition 1.0`"
)


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
        raise InputError(f"{table} is XML, but not of CVAT for images; {CVAT_ADVICE}.")
    return export_of("CVAT for images (XML)", map(_cvat_image, root.iter("image")), table, CVAT_ADVICE)


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds a tree without the entities that a document type may define."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it defines a document type, which no labelling tool writes")


def _cvat_image(image: ElementTree.Element) -> Found:
    texts: Record = {}
    for shape in image:
        for attribute in shape.iter("attribute"):
            add_texts(texts, attributes({attribute.get("name"): attribute.text}))
    if not texts:
        for tag in image.iter("tag"):
            add_texts(texts, attributes({"label": tag.get("label")}))
    file, subset = image.get("name", ""), image.get("subset")
    named = {"file": [file], **({"split": [subset]} if subset else {})}
    return file, {**texts, **named}, bool(texts) and any(shape.tag != "tag" for shape in image)


def datumaro_names(categories: Mapping[str, Any]) -> list[str]:
    """The names of Datumaro's labels, by their number."""
    labels = categories.get("label")
    listed = labels.get("labels") if isinstance(labels, dict) else []
    return [str(one.get("name")) if isinstance(one, dict) else "" for one in listed or []]


def datumaro_item(item: Mapping[str, Any], names: Sequence[str]) -> Found:
    """An image of Datumaro: its captions and attributes, or else the names of its labels."""
    media: Mapping[str, Any] = next((item[key] for key in ("image", "media") if isinstance(item.get(key), dict)), {})
    notes = [note for note in item.get("annotations") or [] if isinstance(note, dict)]
    texts: Record = {}
    for note in notes:
        add_texts(texts, {**attributes({"caption": note.get("caption")}), **attributes(note.get("attributes"))})
    if not texts:
        for note in notes:
            number = str(note.get("label_id"))
            if note.get("type") == "label" and number.isdigit() and int(number) < len(names):
                add_texts(texts, {"label": [names[int(number)]]})
    boxes = any(note.get("type") not in {"caption", "label"} for note in notes)
    file = str(media.get("path") or item.get("id", ""))
    return file, {**texts, "file": [file]}, bool(texts) and boxes
