"""Where the aliases of a registered model are to point, as it is kept in one of the model's tags."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from captcha_exp.errors import InputError

MOVE_TAG = "promotion.move"
_KINDS = ("promotion", "rollback")
_ALIASES = ("champion", "previous", "challenger")


@dataclass(frozen=True)
class Move:
    """Where the aliases are to point, None where one is to be absent.

    Once it is written down, the move has happened: whoever comes next finishes it, so a process that dies between two
    aliases leaves nothing in between. `by` tells apart the commands that moved.
    """

    kind: Literal["promotion", "rollback"]
    champion: str | None
    previous: str | None
    challenger: str | None
    by: str | None = None

    @property
    def versions(self) -> dict[str, str]:
        """Versions by alias, without the aliases that are to be absent."""
        return {alias: at for alias in _ALIASES if (at := getattr(self, alias)) is not None}


def write_down(move: Move, *, finished: bool) -> str:
    """The text of a move, and whether all its aliases are set."""
    return json.dumps({**asdict(move), "finished": finished})


def read_move(text: str) -> tuple[Move, bool]:
    """A move and whether it is finished; anybody who may write tags may have changed the text.

    Raises:
        InputError: it is no move.
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
