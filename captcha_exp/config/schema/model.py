"""What a recogniser is made of, one dataclass per kind."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING


class Activation(Enum):
    """Activation functions, by their usual names."""

    relu = "relu"
    swish = "swish"
    gelu = "gelu"  # the tanh form: the exact one has no ONNX operator
    elu = "elu"


class CnnKind(Enum):
    """Families of feature extractors."""

    seed = "seed"
    compact = "compact"
    residual = "residual"
    vgg = "vgg"
    custom = "custom"


@dataclass
class CnnConfig:
    """The feature extractor: each stage has one entry in `filters`, the first log2(`width_stride`) halve the width."""

    kind: CnnKind = MISSING
    filters: list[int] = MISSING
    width_stride: int = MISSING
    activation: Activation = MISSING
    dropout: float = MISSING
    norm_momentum: float = MISSING


@dataclass
class CustomCnnConfig(CnnConfig):
    """A feature extractor of the user's own, `builder` its `MODULE:FUNCTION`.

    The function takes (B, H, W, 1) and this configuration, and returns (B, H', W', C) with W' = W / `width_stride`,
    rounded up. What else the values mean is its own affair.
    """

    builder: str = MISSING


class TransformerKind(Enum):
    """Families of sequence models."""

    encoder = "encoder"
    lstm = "lstm"
    none = "none"


class NormPlacement(Enum):
    """Layer normalisation before a sublayer or after its residual sum."""

    pre = "pre"
    post = "post"


class PositionEmbedding(Enum):
    """How time steps are told apart."""

    learned = "learned"
    sinusoidal = "sinusoidal"
    none = "none"


@dataclass
class TransformerConfig:
    """What stands between the features and the classifier. `none` has nothing but this dropout."""

    kind: TransformerKind = MISSING
    dropout: float = MISSING


@dataclass
class EncoderConfig(TransformerConfig):
    """Self-attention blocks. `key_dim` null means `projection_dim / num_heads`."""

    num_heads: int = MISSING
    key_dim: int | None = MISSING
    projection_dim: int = MISSING
    depth: int = MISSING
    feed_forward_dim: int = MISSING
    activation: Activation = MISSING
    norm: NormPlacement = MISSING
    position_embedding: PositionEmbedding = MISSING


@dataclass
class LstmConfig(TransformerConfig):
    """Bidirectional LSTM layers of `projection_dim` units, half of them in each direction."""

    projection_dim: int = MISSING
    depth: int = MISSING


class DecodingKind(Enum):
    """Ways from class probabilities to text."""

    greedy = "greedy"
    beam = "beam"


@dataclass
class DecodingConfig:
    """How class probabilities become text. `beam_width` has no effect on greedy decoding."""

    kind: DecodingKind = MISSING
    beam_width: int = MISSING

    @property
    def search_width(self) -> int | None:
        """Width of the beam search; None for greedy decoding."""
        return self.beam_width if self.kind is DecodingKind.beam else None
