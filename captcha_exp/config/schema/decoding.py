"""How class probabilities become text."""

from typing import Annotated, Literal

from pydantic import Field

from captcha_exp.config.fields import Settings, Whole
from captcha_exp.reader.metadata import MAX_BEAM_WIDTH


class DecodingConfig(Settings):
    """A way from class probabilities to text.

    `knowledge` says what limits the texts: `labels`, what all training labels have in common (see
    `dataset.label_knowledge`), or `none`.
    """

    kind: str
    knowledge: Literal["labels", "none"]

    @property
    def search_width(self) -> int | None:
        """Width of the beam search; None for greedy decoding."""
        return None


class GreedyConfig(DecodingConfig):
    """Take the most likely class of each time step."""

    kind: Literal["greedy"]


class BeamConfig(DecodingConfig):
    """Find the most likely text with a beam search that keeps `beam_width` texts at each time step."""

    kind: Literal["beam"]
    beam_width: Annotated[Whole, Field(ge=1, le=MAX_BEAM_WIDTH)]

    @property
    def search_width(self) -> int | None:
        return self.beam_width


Decoding = Annotated[GreedyConfig | BeamConfig, Field(discriminator="kind")]
