"""Reads the annotations that VGG Image Annotator exports."""

from collections.abc import Mapping
from typing import Any

from captcha_exp.dataset.export_records import Found, add_texts, attributes, of_cell

VIA_ADVICE = (
    "in VGG Image Annotator 2 write each text into a file attribute, and choose `Export Annotations (as csv)` or "
    "`(as json)`"
)


def via_row(row: Mapping[str, Any]) -> Found:
    """A region in a row of the CSV, or an image without regions."""
    region = {"region_attributes": of_cell(row.get("region_attributes"))}
    image = {"filename": row.get("filename", ""), "file_attributes": of_cell(row.get("file_attributes"))}
    return via_image({**image, "regions": [region]})


def via_image(image: Mapping[str, Any]) -> Found:
    """An image in the JSON: the attributes of its file, or else those of its regions."""
    file = str(image["filename"])
    texts = attributes(image.get("file_attributes"))
    if texts:
        return file, {**texts, "file": [file]}, False
    regions = image.get("regions") or []
    for region in regions.values() if isinstance(regions, dict) else regions:
        if isinstance(region, dict):
            add_texts(texts, attributes(region.get("region_attributes")))
    return file, {**texts, "file": [file]}, bool(texts)
