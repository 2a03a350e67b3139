"""Reads the annotations of COCO's JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from captcha_exp.dataset.export_records import Found, attributes, is_text

COCO_ADVICE = "export captions (in Roboflow `Multimodal JSONL`, in CVAT `CVAT for images 1.1`, else COCO captions)"


def coco_images(document: Mapping[str, Any]) -> Iterator[Found]:
    """An image for each annotation, and those without."""
    images = {str(one.get("id")): one for one in document["images"] if isinstance(one, dict)}
    for one in images.values():
        yield _coco_file(one), {"file": [_coco_file(one)]}, False
    for note in document["annotations"]:
        if isinstance(note, dict):
            file = _coco_file(images.get(str(note.get("image_id")), {}))
            texts = {**attributes(note), **attributes(note.get("attributes"))}
            yield file, {**texts, "file": [file]}, bool(texts and note.get("bbox"))


def _coco_file(image: Mapping[str, Any]) -> str:
    return next((image[key] for key in ("file_name", "filename", "path", "coco_url") if is_text(image.get(key))), "")
