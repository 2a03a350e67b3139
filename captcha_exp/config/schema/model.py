"""The parts of a recogniser, one model per kind."""

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from captcha_exp.config.fields import Count, FunctionName, Items, Must, NotNegativeWhole, Settings, ShareBelowOne, Whole
from captcha_exp.errors import InputError

_PowerOfTwo = Annotated[Whole, Must("a power of two", lambda stride: stride > 0 and stride & (stride - 1) == 0)]
_EvenCount = Annotated[Whole, Must("even and positive", lambda units: units > 0 and units % 2 == 0)]


class Activation(Enum):
    """Activation functions, by their usual names."""

    relu = "relu"
    swish = "swish"
    gelu = "gelu"  # the tanh form, because the exact form has no ONNX operator
    elu = "elu"


class CnnConfig(Settings):
    """The keys of every feature extractor. `filters` has an entry for each stage."""

    kind: str
    filters: Annotated[list[Count], Field(min_length=1), Items("number of filters")]
    activation: Activation
    dropout: ShareBelowOne
    norm_momentum: ShareBelowOne


class OriginalCnnConfig(CnnConfig):
    """The three blocks that this project starts from. Together they divide an image's width by four."""

    kind: Literal["original"]
    filters: Annotated[list[Count], Must("three numbers with cnn.kind=original", lambda filters: len(filters) == 3)]


class StridedCnnConfig(CnnConfig):
    """Stages that halve the height; the first log2(`width_stride`) of them halve the width too."""

    width_stride: _PowerOfTwo

    @model_validator(mode="after")
    def _stages_suffice(self) -> "StridedCnnConfig":
        stages = len(self.filters)
        if self.width_stride > 2**stages:
            raise InputError(
                f"width_stride must be at most {2**stages} with {stages} entries in cnn.filters, "
                f"not {self.width_stride}."
            )
        return self


class StackedCnnConfig(StridedCnnConfig):
    """Convolutions without shortcuts: strided ones, or as in VGG, pooled."""

    kind: Literal["compact", "vgg"]


class ResidualCnnConfig(StridedCnnConfig):
    """A strided stem, then stages of residual blocks: `blocks` has their number for each stage, null is one each.

    The first stage may have none, because its blocks see the largest maps and take the most time.
    """

    kind: Literal["residual"]
    blocks: list[NotNegativeWhole] | None = None  # so that `cnn.kind=residual` is enough

    @model_validator(mode="after")
    def _each_stage_is_counted(self) -> "ResidualCnnConfig":
        if self.blocks is not None and (len(self.blocks) != len(self.filters) or 0 in self.blocks[1:]):
            raise InputError(
                f"blocks needs a number for each of the {len(self.filters)} entries of cnn.filters, and only the first "
                f"may be 0, not {self.blocks}."
            )
        return self


class CustomCnnConfig(CnnConfig):
    """The user's own feature extractor; `builder` is its `MODULE:FUNCTION`.

    The function takes (B, H, W, 1) and this configuration, and returns (B, H', W', C) with W' = W / `width_stride`,
    rounded up. The function may use the other values as it likes.
    """

    kind: Literal["custom"]
    width_stride: _PowerOfTwo
    builder: FunctionName


Cnn = Annotated[OriginalCnnConfig | StackedCnnConfig | ResidualCnnConfig | CustomCnnConfig, Field(discriminator="kind")]


class NormPlacement(Enum):
    """Layer normalisation before a sublayer or after its residual sum."""

    pre = "pre"
    post = "post"


class PositionEmbedding(Enum):
    """How the model knows the position of a time step."""

    learned = "learned"
    sinusoidal = "sinusoidal"
    none = "none"


class TransformerConfig(Settings):
    """The sequence model between the features and the classifier."""

    kind: str


class DropoutConfig(TransformerConfig):
    """No sequence model: dropout, and the classifier."""

    kind: Literal["none"]
    dropout: ShareBelowOne


class EncoderConfig(TransformerConfig):
    """Self-attention blocks. `key_dim` null means `projection_dim / num_heads`."""

    kind: Literal["encoder"]
    dropout: ShareBelowOne
    num_heads: Count
    key_dim: Count | None
    projection_dim: Count
    depth: Count
    feed_forward_dim: Count
    activation: Activation
    norm: NormPlacement
    position_embedding: PositionEmbedding

    @model_validator(mode="after")
    def _width_can_be_shared(self) -> "EncoderConfig":
        if self.key_dim is None and self.projection_dim % self.num_heads:
            raise InputError(
                f"projection_dim {self.projection_dim} is not divisible by transformer.num_heads {self.num_heads}; "
                "change one of them or set `transformer.key_dim`."
            )
        if self.position_embedding is PositionEmbedding.sinusoidal and self.projection_dim % 2:
            raise InputError(f"projection_dim must be even for sinusoidal positions, not {self.projection_dim}.")
        return self


class LstmConfig(TransformerConfig):
    """Bidirectional LSTM layers of `projection_dim` units, half in each direction."""

    kind: Literal["lstm"]
    dropout: ShareBelowOne
    projection_dim: _EvenCount
    depth: Count


class CustomTransformerConfig(TransformerConfig):
    """The user's own sequence model; `builder` is its `MODULE:FUNCTION`.

    The function takes (B, T, D) and this configuration, and returns (B, T, D'); only the function uses `options`.
    """

    kind: Literal["custom"]
    builder: FunctionName
    options: dict[str, Any]


Transformer = Annotated[
    EncoderConfig | LstmConfig | DropoutConfig | CustomTransformerConfig, Field(discriminator="kind")
]
