"""A model's own way from class probabilities to texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding.automaton import Automaton
from captcha_exp.reader.decoding.decode import Prediction, decode
from captcha_exp.reader.decoding.knowledge import Knowledge


@dataclass(frozen=True)
class Decoder:
    """Reads the texts in class probabilities. A model's metadata describes it, so a model reads alike everywhere.

    Attributes:
        characters: `characters[i]` is class `i + 1`.
        beam_width: of the search for a text; None for greedy decoding.
        knowledge: what is known of all texts; None if nothing is.
    """

    characters: str
    beam_width: int | None = None
    knowledge: Knowledge | None = None

    @classmethod
    def of_metadata(cls, described: Mapping[str, Any]) -> "Decoder":
        """The decoder in a model's metadata, from its `characters` and `decoding`."""
        decoding = described["decoding"]
        width = int(decoding["beam_width"]) if decoding["kind"] == "beam" else None
        known = decoding.get("knowledge")
        return cls(described["characters"], width, None if known is None else Knowledge.from_dict(known))

    def metadata(self) -> dict[str, Any]:
        """Its `decoding` for a model's metadata. Without knowledge it is what earlier versions wrote."""
        kind: dict[str, Any] = {"kind": "greedy"}
        if self.beam_width is not None:
            kind = {"kind": "beam", "beam_width": self.beam_width}
        return kind if self.knowledge is None else {**kind, "knowledge": self.knowledge.to_dict()}

    @cached_property
    def automaton(self) -> Automaton | None:
        """The texts that the knowledge allows; None for every text."""
        return None if self.knowledge is None else self.knowledge.automaton(self.characters)

    def __call__(self, probabilities: np.ndarray) -> list[Prediction]:
        """The text of each image, from float32 (B, T, K); `decode` says which.

        Raises:
            InputError: a text of the known length has no room in T time steps.
        """
        self.check_room(probabilities.shape[1])
        return decode(probabilities, self.characters, self.beam_width, self.automaton)

    def check_room(self, time_steps: int) -> None:
        """Refuse a number of time steps in which no text of the known length can be read.

        Raises:
            InputError: there are too few.
        """
        if self.automaton is not None and self.automaton.min_time_steps > time_steps:
            raise InputError(
                f"The model says that it reads only {self.knowledge}, which need at least "
                f"{self.automaton.min_time_steps} time steps, but it gives {time_steps}."
            )
