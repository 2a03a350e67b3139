"""Checks the metadata of a trained network before other code uses it. It comes from whoever made the file."""

import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from captcha_exp.errors import InputError
from captcha_exp.reader.image import ADDED_LATER, MAX_ROWS, Channels, ImageSpec
from captcha_exp.reader.polarity import Polarity
from captcha_exp.reader.untrusted import check_plain, must_be

# One line of text needs far less. Within this limit, a batch of images stays below half a gigabyte.
MAX_SIDE = 2**13
MAX_IMAGE_PIXELS = 2**22
# The largest scripts have some tens of thousands of characters.
MAX_CHARACTERS = 2**16
MAX_BEAM_WIDTH = 1_000
# The most characters times positions of a text of which something is known. Reading an image costs that much per step.
MAX_KNOWN = 50_000
# Limits for the size of a network's file, with its weights, and for the numbers that it computes for one image.
MAX_NETWORK_BYTES = 2**29
MAX_ELEMENTS = 2**27
_MAX_NAME = 500
_DECODING_KINDS = ("greedy", "beam")  # `Decoder.of_metadata` reads them


def check_metadata(values: Any, where: str, parts: Collection[str]) -> dict[str, Any]:
    """Check the type and the bounds of each part of a recogniser's description.

    Args:
        values: the description from the file.
        where: the user's name for the model, for messages, e.g. `model=reader.onnx`.
        parts: the needed parts, from `characters`, `image`, `decoding`, `dataset`, `config`, `run_id`, `model_id`.

    Returns:
        Only these parts.

    Raises:
        InputError: a part is missing or not valid.
    """
    if not isinstance(values, Mapping):
        raise must_be(where, "metadata", "a mapping", values)
    missing = [part for part in parts if part not in values]
    if missing:
        raise InputError(f"{where} has no {missing[0]!r} beside it; it was not trained by captcha_exp.")
    for part in parts:
        _CHECKS[part](where, part, values[part])
    if {"characters", "decoding"} <= set(parts):
        _knowledge(where, values["decoding"].get("knowledge"), values["characters"])
    return {part: values[part] for part in parts}


def check_shapes(
    input_shape: Sequence[int | None], output_shape: Sequence[int | None], described: Mapping[str, Any], where: str
) -> None:
    """Refuse a network that does not fit the image size and the characters in its description.

    Args:
        input_shape: the network's, (B, H, W, C). A size is None if it is free.
        output_shape: the network's, (B, T, K).
        described: the result of `check_metadata`.
        where: the user's name for the model, for messages.

    Raises:
        InputError: a rank or a size differs.
    """
    size = (None, *ImageSpec.from_dict(described["image"]).input_shape)
    given = (None, None, len(described["characters"]) + 1)
    for what, expected, shape in (("takes", size, input_shape), ("gives", given, output_shape)):
        fits = len(shape) == len(expected) and all(
            one is None or two is None or one == two for one, two in zip(expected, shape, strict=True)
        )
        if not fits:
            raise InputError(
                f"{where} {what} {_size(shape)} where its image size and characters need {_size(expected)}."
            )


def _size(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any(unicodedata.category(char) in {"Cc", "Cs"} for char in value)


def _number(where: str, key: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise must_be(where, key, f"a whole number from {least} to {most}", value)


def _keys(where: str, key: str, value: object, keys: set[str], perhaps: Collection[str] = ()) -> None:
    if not isinstance(value, dict) or not keys <= set(value) <= keys.union(perhaps):
        raise must_be(where, key, f"a mapping of {', '.join(sorted(keys))}", value)


def _choice(where: str, key: str, value: object, choices: Collection[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise must_be(where, key, f"one of {', '.join(choices)}", value)


def _characters(where: str, key: str, value: Any) -> None:
    printable = isinstance(value, str) and value.isprintable()  # every label is printable
    if not printable or not 1 <= len(value) <= MAX_CHARACTERS or len(set(value)) != len(value):
        raise must_be(where, key, f"1 to {MAX_CHARACTERS} different printable characters", value)


def _image(where: str, key: str, value: Any) -> None:
    _keys(where, key, value, {"height", "width", "keep_aspect_ratio", "background"}, ADDED_LATER)
    for side in ("height", "width"):
        _number(where, f"{key}.{side}", value[side], 1, MAX_SIDE)
    if value["height"] * value["width"] > MAX_IMAGE_PIXELS:
        size = f"{value['height']}x{value['width']}"
        raise InputError(f"{where}: an image may have at most {MAX_IMAGE_PIXELS} pixels, not {size}.")
    if type(value["keep_aspect_ratio"]) is not bool:
        raise must_be(where, f"{key}.keep_aspect_ratio", "true or false", value["keep_aspect_ratio"])
    _number(where, f"{key}.background", value["background"], 0, 255)
    _number(where, f"{key}.rows", value.get("rows", ADDED_LATER["rows"]), 1, MAX_ROWS)
    for name, choices in (("channels", list(Channels)), ("polarity", list(Polarity))):
        _choice(where, f"{key}.{name}", value.get(name, ADDED_LATER[name]), choices)


def _decoding(where: str, key: str, value: Any) -> None:
    known = {"knowledge"} if isinstance(value, dict) and "knowledge" in value else set()
    if isinstance(value, dict) and value.get("kind") == "greedy" and "beam_width" not in value:
        _keys(where, key, value, {"kind"} | known)
        return
    _keys(where, key, value, {"kind", "beam_width"} | known)  # earlier versions wrote a width for greedy, too
    _choice(where, f"{key}.kind", value["kind"], _DECODING_KINDS)
    _number(where, f"{key}.beam_width", value["beam_width"], 1, MAX_BEAM_WIDTH)


def _knowledge(where: str, value: Any, characters: str) -> None:
    """Check what the decoding knows of all texts, for the model's characters; None is nothing."""
    if value is None:
        return
    _keys(where, "decoding.knowledge", value, {"alphabets"})
    alphabets, most = value["alphabets"], MAX_KNOWN // len(characters)
    if not isinstance(alphabets, list) or not 1 <= len(alphabets) <= most:
        raise must_be(where, "decoding.knowledge.alphabets", f"a list of 1 to {most} alphabets", alphabets)
    for alphabet in alphabets:
        if alphabet is not None and not (
            isinstance(alphabet, str) and alphabet and set(alphabet) <= set(characters) and _all_differ(alphabet)
        ):
            raise must_be(where, "decoding.knowledge.alphabets", "null or some of the model's characters", alphabet)


def _all_differ(text: str) -> bool:
    return len(set(text)) == len(text)


def _dataset(where: str, key: str, value: Any) -> None:
    _keys(where, key, value, {"name", "fingerprint"})
    for name, text in value.items():
        _name(where, f"{key}.{name}", text)


def _name(where: str, key: str, value: Any) -> None:
    if not _is_text(value) or len(value) > _MAX_NAME:
        raise must_be(where, key, f"a text of at most {_MAX_NAME} printable characters", value)


def _name_or_none(where: str, key: str, value: Any) -> None:
    if value is not None:
        _name(where, key, value)


def _config(where: str, key: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise must_be(where, key, "a mapping", value)
    check_plain(where, key, value)


_CHECKS: dict[str, Callable[[str, str, Any], None]] = {
    "characters": _characters,
    "image": _image,
    "decoding": _decoding,
    "dataset": _dataset,
    "config": _config,
    "run_id": _name,
    "model_id": _name_or_none,
}
