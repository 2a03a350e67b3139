"""Reads the annotations that Label Studio exports."""

from collections.abc import Mapping
from typing import Any

from captcha_exp.dataset.export_records import Found, Record, add_texts, of_cell

# What Label Studio adds to the user's fields in JSON-MIN and CSV.
_STUDIO_KEYS = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
STUDIO_ADVICE = "in Label Studio put a TextArea on the image, and export JSON, JSON-MIN or CSV"


def studio_task(task: Mapping[str, Any]) -> Found:
    """An image in the JSON, with the texts that were typed, or else the choices that were made."""
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
        add_texts(texts, {str(result.get("from_name")): found} if (found := _texts(result["value"])) else {})
    file = _studio_file(task)
    return file, {**texts, "file": [file]}, any("width" in result["value"] for result in chosen)


def studio_row(row: Mapping[str, Any]) -> Found:
    """An annotation in JSON-MIN or CSV."""
    fields = {name: _texts(of_cell(value)) for name, value in row.items() if name not in _STUDIO_KEYS}
    return (
        str(row.get("id") or row.get("annotation_id")),
        {name: texts for name, texts in fields.items() if texts},
        False,
    )


def _studio_file(task: Mapping[str, Any]) -> str:
    data = task["data"] if isinstance(task.get("data"), dict) else {}
    paths = [value for value in data.values() if isinstance(value, str) and ("/" in value or "." in value)]
    return next(iter(paths), str(task.get("file_upload") or ""))


def _texts(value: Any) -> list[str]:
    """The texts in a value of Label Studio: a text, a list, or an object of `text` or `choices`."""
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, dict):
        return _texts(value.get("text") or value.get("choices") or [])
    return [value] if isinstance(value, str) and value else []


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
