"""Write what was read in a file as a line of output."""

import json
from collections.abc import Callable

from captcha_exp.config import OutputFormat
from captcha_exp.foreign_text import csv_row, escaped
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import Reading

Line = Callable[[str, Reading | BadImageError], str]


def line_of(output_format: OutputFormat, alternatives: int) -> tuple[str | None, Line]:
    """A format's header line (None if it has none), and a function that makes a file's line; both without line ends.

    Args:
        output_format: the format.
        alternatives: how many further texts there can be.
    """
    if output_format is OutputFormat.jsonl:
        return None, _jsonl
    if output_format is OutputFormat.text:
        return None, _text
    columns = [f"{name}_{rank}" for rank in range(1, alternatives + 1) for name in ("alternative", "confidence")]
    return csv_row(["file", "text", "confidence", "error", *columns]), _csv


def _text(name: str, reading: Reading | BadImageError) -> str:
    if isinstance(reading, BadImageError):
        return f"{escaped(name)}\terror: {escaped(str(reading))}"
    pairs = [(reading.text, reading.confidence), *reading.alternatives]
    return "\t".join([escaped(name), *(f"{escaped(text)}\t{confidence:.4f}" for text, confidence in pairs)])


def _csv(name: str, reading: Reading | BadImageError) -> str:
    if isinstance(reading, BadImageError):
        return csv_row([escaped(name), "", "", escaped(str(reading))])
    others = [value for text, confidence in reading.alternatives for value in (text, f"{confidence:.6f}")]
    return csv_row([escaped(name), reading.text, f"{reading.confidence:.6f}", "", *others])


def _jsonl(name: str, reading: Reading | BadImageError) -> str:
    if isinstance(reading, BadImageError):
        return json.dumps({"file": name, "error": str(reading)})
    line = {"file": name, "text": reading.text, "confidence": round(reading.confidence, 6)}
    others = [{"text": text, "confidence": round(confidence, 6)} for text, confidence in reading.alternatives]
    return json.dumps({**line, "alternatives": others} if others else line)
