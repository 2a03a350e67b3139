"""What stands in a tag is a move or is refused."""

import json

import pytest

from captcha_exp.errors import InputError
from captcha_exp.tracking.move import Move, read_move, write_down

MOVE = Move("rollback", "2", None, "3", "somebody")


@pytest.mark.parametrize("finished", [False, True])
def test_a_move_comes_back_as_it_was_written(finished: bool) -> None:
    assert read_move(write_down(MOVE, finished=finished)) == (MOVE, finished)


@pytest.mark.parametrize(
    "changed",
    [
        {"champion": 1}, {"champion": ["1"]}, {"champion": "-1"}, {"champion": "1; DROP TABLE"}, {"champion": ""},
        {"champion": "\u0661"}, {"kind": "coup"}, {"kind": ["promotion"]}, {"kind": None}, {"by": 7},
        {"finished": "no"}, {"finished": None}, {"surprise": True}, {"previous": "2"},
    ],
)  # fmt: skip
def test_what_is_no_move_is_refused(changed: dict[str, object]) -> None:
    plain = json.loads(write_down(MOVE, finished=False))
    with pytest.raises(InputError, match=r"^the registered model's tag promotion\.move is '\{.*, which is no move"):
        read_move(json.dumps(plain | changed))
    for key in plain:
        with pytest.raises(InputError, match="which is no move"):
            read_move(json.dumps({name: value for name, value in plain.items() if name != key}))


@pytest.mark.parametrize("text", ["", "nonsense", "null", "[]", "7", "[" * 100_000, "\x1b[31m\n", "1" * 100_000])
def test_what_is_no_json_is_refused_in_a_short_line(text: str) -> None:
    with pytest.raises(InputError) as told:
        read_move(text)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 400
