"""What labelling tools export, as they write it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.dataset.samples import Source
from captcha_exp.errors import InputError
from tests.dataset.opened_table import ROWS, Compose, opened

MakeFolder = Callable[..., Path]
# Label Studio copies an upload under such a name, and shows it by such an address.
UPLOAD = "/data/upload/3/1a2b3c4d-{}.png"


@pytest.fixture
def folder(make_folder: MakeFolder) -> Path:
    return make_folder(list(ROWS))


def check(source: Source) -> None:
    assert [(sample.name.removesuffix(".png")[-4:], sample.label) for sample in source.samples] == list(ROWS.items())
    assert source.skipped == []


def textarea(text: str, name: str = "plate", **value: Any) -> dict[str, Any]:
    return {
        "id": "x", "from_name": name, "to_name": "image", "type": "textarea", "origin": "manual",
        "value": {**value, "text": [text]},
    }  # fmt: skip


def studio_task(number: int, image: str, *results: dict[str, Any]) -> dict[str, Any]:
    annotation = {"id": number, "completed_by": 1, "result": list(results), "was_cancelled": False, "lead_time": 3.1}
    return {
        "id": number, "annotations": [annotation], "file_upload": image[15:], "drafts": [], "predictions": [],
        "data": {"image": image}, "meta": {}, "inner_id": number, "project": 1,
    }  # fmt: skip


def studio_min(number: int, image: str, text: Any) -> dict[str, Any]:
    return {
        "image": image, "id": number, "plate": text, "quality": "good", "annotator": 1, "annotation_id": number,
        "created_at": "2026-01-01T10:00:00.000000Z", "updated_at": "2026-01-01T10:00:00.000000Z", "lead_time": 2.5,
    }  # fmt: skip


def as_csv(records: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def via_image(name: str, label: str) -> dict[str, Any]:
    return {"filename": f"{name}.png", "size": 123, "regions": [], "file_attributes": {"caption": label}}


def via_region(name: str, label: str) -> dict[str, Any]:
    shape = {"name": "rect", "x": 1, "y": 2, "width": 30, "height": 10}
    region = {"shape_attributes": shape, "region_attributes": {"Text": label}}
    return {"filename": f"{name}.png", "size": 123, "regions": [region], "file_attributes": {}}


def via_row(name: str, label: str) -> dict[str, Any]:
    return {
        "filename": f"{name}.png", "file_size": 123, "file_attributes": json.dumps({"caption": label}),
        "region_count": 0, "region_id": 0, "region_shape_attributes": "{}", "region_attributes": "{}",
    }  # fmt: skip


def cvat(shape: str) -> str:
    images = "".join(
        f'<image id="{number}" name="{name}.png" width="40" height="16">{shape.format(label)}</image>'
        for number, (name, label) in enumerate(ROWS.items())
    )
    meta = "<meta><task><id>1</id><mode>annotation</mode></task></meta>"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{meta}{images}</annotations>'


BOX = (
    '<box label="plate" source="manual" occluded="0" xtl="1.0" ytl="2.0" xbr="30.0" ybr="12.0" z_order="0">'
    '<attribute name="text">{}</attribute></box>'
)
TAG = '<tag label="plate" source="manual"><attribute name="value">{}</attribute></tag>'


def datumaro(annotation: Callable[[str], dict[str, Any]]) -> str:
    items = [
        {"id": name, "annotations": [annotation(label)], "attr": {"frame": 0}, "image": {"path": f"{name}.png"}}
        for name, label in ROWS.items()
    ]
    labels = [{"name": label, "parent": "", "attributes": []} for label in ROWS.values()]
    return json.dumps({"info": {}, "categories": {"label": {"labels": labels, "attributes": []}}, "items": items})


def coco(**note: Any) -> str:
    images = [{"id": number, "width": 40, "height": 16, "file_name": f"{name}.png"} for number, name in enumerate(ROWS)]
    notes = [
        {"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, **note, "attributes": {"occluded": False}}
        for number in range(len(ROWS))
    ]
    for one, label in zip(notes, ROWS.values(), strict=True):
        one["attributes"]["plate"] = label
    return json.dumps({"categories": [{"id": 1, "name": "plate"}], "images": images, "annotations": notes})


def lines(record: Callable[[str, str], dict[str, Any]]) -> str:
    return "".join(json.dumps(record(name, label)) + "\n" for name, label in ROWS.items())


EXPORTS: dict[str, tuple[str, str]] = {
    "studio.json": (
        json.dumps([studio_task(n, UPLOAD.format(name), textarea(ROWS[name])) for n, name in enumerate(ROWS)]),
        "an export of Label Studio (JSON); files are in column 'file', labels in column 'plate'",
    ),
    "studio_box.json": (
        json.dumps(
            [
                studio_task(n, f"/data/local-files/?d=set%2F{name}.png", textarea(ROWS[name], width=50, x=1))
                for n, name in enumerate(ROWS)
            ]
        ),
        "an export of Label Studio (JSON)",
    ),
    "studio_min.json": (
        json.dumps([studio_min(n, UPLOAD.format(name), ROWS[name]) for n, name in enumerate(ROWS)]),
        "an export of Label Studio (JSON-MIN)",
    ),
    "studio.csv": (
        as_csv([studio_min(n, f"https://h.example/s/{name}.png", ROWS[name]) for n, name in enumerate(ROWS)]),
        "an export of Label Studio (CSV)",
    ),
    "via.json": (
        json.dumps({f"{name}.png123": via_image(name, label) for name, label in ROWS.items()}),
        "an export of VGG Image Annotator (JSON); files are in column 'file', labels in column 'caption'",
    ),
    "via_project.json": (
        json.dumps(
            {
                "_via_settings": {"ui": {}, "core": {}, "project": {"name": "x"}},
                "_via_img_metadata": {f"{name}.png123": via_region(name, label) for name, label in ROWS.items()},
                "_via_attributes": {"region": {}, "file": {}},
            }
        ),
        "an export of VGG Image Annotator (JSON); files are in column 'file', labels in column 'Text'",
    ),
    "via.csv": (as_csv([via_row(name, label) for name, label in ROWS.items()]), "of VGG Image Annotator (CSV)"),
    "annotations.xml": (cvat(BOX), "an export of CVAT for images (XML); files are in column 'file'"),
    "tags.xml": (cvat(TAG), "labels in column 'value'"),
    "classes.xml": (cvat('<tag label="{}" source="manual"/>'), "labels in column 'label'"),
    "caption.json": (datumaro(lambda text: {"id": 0, "type": "caption", "caption": text}), "of Datumaro (JSON)"),
    "box.json": (
        datumaro(lambda text: {"type": "bbox", "bbox": [1, 2, 3, 4], "attributes": {"occluded": False, "text": text}}),
        "labels in column 'text'",
    ),
    "class.json": (
        datumaro(lambda text: {"type": "label", "label_id": list(ROWS.values()).index(text)}),
        "labels in column 'label'",
    ),
    "coco.json": (coco(bbox=[1, 2, 3, 4]), "an export of COCO (JSON); files are in column 'file'"),
    "doccano.jsonl": (
        lines(lambda name, label: {"id": 7, "filename": f"{name}.png", "label": [label], "Comments": []}),
        "files are in column 'filename', labels in column 'label'",
    ),
    "roboflow.jsonl": (
        lines(lambda name, label: {"image": f"{name}.png", "prefix": "read", "suffix": label}),
        "labels in column 'suffix'",
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_recognised_and_told_in_a_line(compose: Compose, folder: Path, name: str) -> None:
    text, told = EXPORTS[name]
    (folder / name).write_text(text)
    chosen = ["dataset.label_column=plate"] if name.startswith(("studio_min", "studio.csv")) else []
    source = opened(compose, folder / name, *chosen)
    check(source)
    assert told in source.notes[0]
    boxes = name in {"studio_box.json", "via_project.json", "annotations.xml", "box.json", "coco.json"}
    assert any("each image is read whole" in note for note in source.notes) == boxes


def test_images_without_a_text_are_counted_and_those_with_several_named(compose: Compose, folder: Path) -> None:
    names = list(ROWS)
    tasks = [studio_task(n, UPLOAD.format(name), textarea(ROWS[name])) for n, name in enumerate(names[2:])]
    tasks.append(studio_task(20, UPLOAD.format(names[0])))
    tasks.append(studio_task(21, UPLOAD.format(names[1]), textarea("one"), textarea("two")))
    tasks[0]["annotations"].append({**tasks[1]["annotations"][0], "was_cancelled": True})
    (folder / "export.json").write_text(json.dumps(tasks))
    source = opened(compose, folder / "export.json")
    assert [sample.label for sample in source.samples] == list(ROWS.values())[2:]
    assert [(file.name, file.reason) for file in source.skipped] == [
        ("0001.png", "it has 2 different texts instead of one")
    ]
    assert "1 images of the export have no text and are left out" in source.notes


def test_a_field_is_chosen_by_its_name(compose: Compose, folder: Path) -> None:
    results = {name: [textarea(label), textarea("x", "remark")] for name, label in ROWS.items()}
    tasks = [studio_task(n, UPLOAD.format(name), *results[name]) for n, name in enumerate(ROWS)]
    (folder / "export.json").write_text(json.dumps(tasks))
    with pytest.raises(InputError, match=r"its columns are 'plate', 'remark', 'file'\. Set `dataset\.label_column="):
        opened(compose, folder / "export.json")
    check(opened(compose, folder / "export.json", "dataset.label_column=plate"))


REFUSED = {
    "boxes.json": (
        json.dumps(
            {"images": [{"id": 1, "file_name": "0000.png"}], "annotations": [{"image_id": 1, "category_id": 2}]}
        ),
        r"an export of COCO \(JSON\) in which no image has a text; export captions",
    ),
    "video.xml": ("<annotations><track id='0'/></annotations>", r"not of CVAT for images; in CVAT .*`CVAT for images"),
    "broken.xml": ("<annotations>", r"broken\.xml cannot be read as XML: no element found"),
    "bomb.xml": ("<!DOCTYPE a [<!ENTITY b 'c'>]><annotations/>", "it defines a document type"),
    "lines.xml": (cvat(BOX.format("a") + BOX), "every image has several texts; one for each image is needed"),
    "three.json": (
        json.dumps({"project": {}, "config": {}, "attribute": {}, "file": {"1": {}}, "metadata": {}, "view": {}}),
        "a project of VGG Image Annotator 3, which is not read; in VGG Image Annotator 2",
    ),
    "Label.txt": ('0000.png\t[{"transcription": "a", "points": [[0, 0]]}]\n', "choose `Export Recognition Result`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_text_for_each_image_is_refused_with_the_export_to_choose(
    compose: Compose, folder: Path, name: str
) -> None:
    text, message = REFUSED[name]
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        opened(compose, folder / name)
    assert "\n" not in str(refused.value)


def test_an_archive_of_datumaro_has_its_table_beside_the_images(compose: Compose, make_folder: MakeFolder) -> None:
    images = make_folder(list(ROWS), "set/images/default")
    annotations = images.parents[1] / "annotations"
    annotations.mkdir()
    (annotations / "default.json").write_text(EXPORTS["caption.json"][0])
    check(opened(compose, annotations / "default.json"))
