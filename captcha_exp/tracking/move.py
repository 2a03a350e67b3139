"""A planned change of a registered model's aliases, kept in a tag of the model."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from captcha_exp.errors import InputError

MOVE_TAG = "promotion.move"
_KINDS = ("promotion", "rollback")
_ALIASES = ("champion", "previous", "challenger")


@dataclass(frozen=True)
class Move:
    """Where the aliases shall point. None means that there shall be no such alias.

    Once a move is written down, it counts as done: if a process dies between two aliases, the next command finishes
    the move. `by` identifies the command that made the move.
    """

    kind: Literal["promotion", "rollback"]
    champion: str | None
    previous: str | None
    challenger: str | None
    by: str | None = None

    @property
    def versions(self) -> dict[str, str]:
        """Versions by alias. Aliases that shall not exist are left out."""
        return {alias: at for alias in _ALIASES if (at := getattr(self, alias)) is not None}


def write_down(move: Move, *, finished: bool) -> str:
    """Write a move as text, with the note whether all its aliases are set."""
    return json.dumps({**asdict(move), "finished": finished})


def read_move(text: str) -> tuple[Move, bool]:
    """Read a move, and whether it is finished. Anybody who may write tags could have changed the text.

    Raises:
        InputError: the text is not a move.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        plain = None
    if not _is_move(plain):
        raise InputError(f"the registered model's tag {MOVE_TAG} is {text[:60]!r}, which is no move of aliases")
    finished = plain.pop("finished")
    return Move(**plain), finished


def _is_move(plain: Any) -> bool:
    if not isinstance(plain, dict) or set(plain) != {"kind", *_ALIASES, "by", "finished"}:
        return False
    numbers = [plain[alias] for alias in _ALIASES if plain[alias] is not None]
    numbered = all(isinstance(number, str) and number.isascii() and number.isdigit() for number in numbers)
    apart = plain["champion"] is None or plain["champion"] != plain["previous"]
    typed = isinstance(plain["finished"], bool) and isinstance(plain["by"], str | None)
    return plain["kind"] in _KINDS and numbered and apart and typed
