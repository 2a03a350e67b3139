"""What stands beside a network is typed and bounded, whoever wrote it."""

import json
from typing import Any

import pytest

from captcha_exp.errors import InputError
from captcha_exp.reader.metadata import check_metadata, check_shapes
from captcha_exp.reader.untrusted import shown

PARTS = ("characters", "image", "decoding", "dataset", "config", "run_id", "model_id")
HONEST: dict[str, Any] = {
    "captcha_exp": "0.1.0",
    "characters": "0aé'\"#: 字",
    "image": {"height": 40, "width": 160, "keep_aspect_ratio": True, "background": 255},
    "decoding": {"kind": "beam", "beam_width": 16},
    "dataset": {"name": "folder", "fingerprint": "f00d"},
    "config": {"training": {"epochs": 3, "patience": None}, "cnn": {"filters": [1, 2]}},
    "run_id": "0123",
    "model_id": None,
}


def test_an_honest_description_is_taken_and_only_what_is_asked_for() -> None:
    assert check_metadata(HONEST, "model=x", PARTS) == {part: HONEST[part] for part in PARTS}
    assert check_metadata(HONEST, "model=x", ["characters"]) == {"characters": HONEST["characters"]}


@pytest.mark.parametrize("kind", [{"kind": "greedy"}, {"kind": "greedy", "beam_width": 1}, HONEST["decoding"]])
def test_every_form_of_decoding_that_was_ever_written_is_taken(kind: dict[str, Any]) -> None:
    for decoding in (kind, {**kind, "knowledge": {"alphabets": [None, "0a"]}}):
        values = {**HONEST, "decoding": decoding}
        assert check_metadata(values, "model=x", PARTS)["decoding"] == decoding


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("characters", "", "characters must be 1 to 65536 different printable characters, not ''."),
        ("characters", "abca", "characters must be 1 to 65536 different printable characters, not 'abca'."),
        ("characters", "a\x1b[31m", r"characters must be 1 to 65536 different printable characters, not 'a\x1b[31m'."),
        ("characters", "a\ud800", "characters must be 1 to 65536 different printable characters, not 'a\\ud800'."),
        ("characters", ["a"], "characters must be 1 to 65536 different printable characters, not ['a']."),
        ("characters", "".join(map(chr, range(160, 55_000))) * 2, "characters must be 1 to 65536 different printable"),
        ("image", None, "image must be a mapping of background, height, keep_aspect_ratio, width, not None."),
        ("image", {"height": 10**9}, "image must be a mapping of background, height, keep_aspect_ratio, width, not"),
        ("image.height", 10**9, "image.height must be a whole number from 1 to 8192, not 1000000000."),
        ("image.height", 8192, "an image may have at most 4194304 pixels, not 8192x8192."),
        ("image.width", "160", "image.width must be a whole number from 1 to 8192, not '160'."),
        ("image.width", 160.0, "image.width must be a whole number from 1 to 8192, not 160.0."),
        ("image.width", True, "image.width must be a whole number from 1 to 8192, not True."),
        ("image.background", 256, "image.background must be a whole number from 0 to 255, not 256."),
        ("image.channels", "cmyk", "image.channels must be one of grey, rgb, not 'cmyk'."),
        ("image.channels", 3, "image.channels must be one of grey, rgb, not 3."),
        ("image.polarity", ["keep"], "image.polarity must be one of keep, dark_text, not ['keep']."),
        ("image.rows", 5, "image.rows must be a whole number from 1 to 4, not 5."),
        ("image.depth", 3, "image must be a mapping of background, height, keep_aspect_ratio, width, not"),
        ("image.keep_aspect_ratio", 1, "image.keep_aspect_ratio must be true or false, not 1."),
        ("decoding.kind", "evil", "decoding.kind must be one of greedy, beam, not 'evil'."),
        ("decoding.kind", ["greedy"], "decoding.kind must be one of greedy, beam, not ['greedy']."),
        (
            "decoding.beam_width",
            10**12,
            "decoding.beam_width must be a whole number from 1 to 1000, not 1000000000000.",
        ),
        ("decoding.knowledge", [5], "decoding.knowledge must be a mapping of alphabets, not [5]."),
        ("decoding.knowledge", {"alphabets": []}, "decoding.knowledge.alphabets must be a list of 1 to 5555 alphabets"),
        (
            "decoding.knowledge",
            {"alphabets": [None] * 5556},
            "decoding.knowledge.alphabets must be a list of 1 to 5555",
        ),
        ("decoding.knowledge", {"alphabets": 5}, "decoding.knowledge.alphabets must be a list of 1 to 5555 alphabets"),
        *(
            ("decoding.knowledge", {"alphabets": [None, wrong]}, "decoding.knowledge.alphabets must be null or some of")
            for wrong in ("", "x", "00", 5, ["0"])
        ),
        ("dataset", {"name": "x"}, "dataset must be a mapping of fingerprint, name, not {'name': 'x'}."),
        ("dataset.name", "x\0y", "dataset.name must be a text of at most 500 printable characters, not 'x\\x00y'."),
        ("dataset.fingerprint", 3, "dataset.fingerprint must be a text of at most 500 printable characters, not 3."),
        ("config", [], "config must be a mapping, not []."),
        ("config", {"a": {1: 2}}, "config must be a mapping whose keys are texts, not {1: 2}."),
        ("config", {"a": object}, "config must be numbers, texts, lists and mappings, not <class 'object'>."),
        ("config", {"a": nested(40)}, "config holds more values, or deeper ones, than captcha_exp writes."),
        ("config", {"a": [0] * 30_000}, "config holds more values, or deeper ones, than captcha_exp writes."),
        ("run_id", None, "run_id must be a text of at most 500 printable characters, not None."),
        ("model_id", "x" * 501, "model_id must be a text of at most 500 printable characters, not 'xxxx"),
    ],
)
def test_what_is_wrong_is_one_line(part: str, value: Any, said: str) -> None:
    values = json.loads(json.dumps(HONEST))
    holder, name = (values, part) if "." not in part else (values[part.split(".")[0]], part.split(".")[1])
    if part == "image.height" and value == 8192:
        holder["width"] = 8192
    holder[name] = value
    with pytest.raises(InputError) as refused:
        check_metadata(values, "model=x", PARTS)
    message = str(refused.value)
    assert message.startswith(f"model=x: {said}")
    assert len(message) < 250 and message.isprintable()


def test_no_mapping_at_all_is_refused() -> None:
    with pytest.raises(InputError, match=r"^model=x: metadata must be a mapping, not \[\]\.$"):
        check_metadata([], "model=x", PARTS)
    with pytest.raises(InputError, match=r"^model=x has no 'decoding' beside it; it was not trained by captcha_exp\.$"):
        check_metadata({"characters": "a"}, "model=x", ["characters", "decoding"])


@pytest.mark.parametrize(
    ("takes", "gives", "said"),
    [
        ((None, 40, 160), (None, 9, 9), r"takes \(any, 40, 160\) where .* need \(any, 40, 160, 1\)"),
        ((None, 40, 160, 3), (None, 9, 9), r"takes \(any, 40, 160, 3\) where"),
        ((None, 40, 160, 1), (None, 9, 10), r"gives \(any, 9, 10\) where .* need \(any, any, 9\)"),
        ((None, 40, 160, 1), (9,), r"gives \(9\) where"),
    ],
)
def test_a_network_of_other_shapes_is_refused(
    takes: tuple[int | None, ...], gives: tuple[int | None, ...], said: str
) -> None:
    described = {"characters": "abcdefgh", "image": HONEST["image"]}
    check_shapes((None, None, None, 1), (None, None, None), described, "model=x")
    colour = {**described, "image": {**HONEST["image"], "channels": "rgb", "polarity": "dark_text"}}
    assert check_metadata(colour, "model=x", ["image"]) == {"image": colour["image"]}
    check_shapes((None, 40, 160, 3), (None, 9, 9), colour, "model=x")
    with pytest.raises(InputError, match=r"takes \(any, 40, 160, 1\) where .* need \(any, 40, 160, 3\)"):
        check_shapes((None, 40, 160, 1), (None, 9, 9), colour, "model=x")
    with pytest.raises(InputError, match=f"^model=x {said}"):
        check_shapes(takes, gives, described, "model=x")


def test_a_stranger_s_value_is_shown_short_and_without_control_characters() -> None:
    for value in ("\x1b[2J\r\n" * 1_000, "x" * 10**6, [["y" * 10**6]], {"\x9b": "z" * 10**5}, 10**4_000):
        text = shown(value)
        assert len(text) <= 60 and text.isascii() and text.isprintable()
