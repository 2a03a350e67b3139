import numpy as np
import pytest

from captcha_exp.config import (
    Activation,
    DropoutConfig,
    EncoderConfig,
    LstmConfig,
    NormPlacement,
    PositionEmbedding,
    StackedCnnConfig,
    TransformerConfig,
)
from captcha_exp.errors import InputError
from captcha_exp.model import adopt_weights, build_recogniser, with_probabilities

CNN = StackedCnnConfig(
    kind="compact", filters=[4, 8], width_stride=2, activation=Activation.swish, dropout=0.0, norm_momentum=0.9
)
LSTM = LstmConfig(kind="lstm", dropout=0.1, projection_dim=8, depth=1)


def build(characters: str, seed: int, cnn: StackedCnnConfig = CNN) -> object:
    return build_recogniser(cnn, LSTM, 16, 32, len(characters) + 1, seed=seed)


def logits_of_classes(model: object, images: np.ndarray, ids: list[int]) -> np.ndarray:
    return np.asarray(model(images))[..., ids]


def test_shared_characters_and_the_blank_keep_what_was_learnt_of_them() -> None:
    images = np.random.default_rng(0).random((2, 16, 32, 1), np.float32)
    source = build("abc", seed=1)
    for weight in source.weights:  # a fresh bias is zero in both, which would hide a mistake
        weight.assign(np.random.default_rng(2).uniform(0.1, 0.5, weight.shape))
    expected = logits_of_classes(source, images, [0, 2, 3])
    model = build("bcxy", seed=3)
    assert adopt_weights(model, "bcxy", with_probabilities(source), "abc") == "bc"
    np.testing.assert_allclose(logits_of_classes(model, images, [0, 1, 2]), expected, rtol=1e-5)


def test_characters_that_only_the_new_model_knows_start_afresh() -> None:
    source, model = build("abc", seed=1), build("bcxy", seed=3)
    kernel, bias = (np.array(weight) for weight in model.get_layer("logits").get_weights())
    adopt_weights(model, "bcxy", source, "abc")
    adopted_kernel, adopted_bias = model.get_layer("logits").get_weights()
    np.testing.assert_array_equal(adopted_kernel[:, 3:], kernel[:, 3:])
    np.testing.assert_array_equal(adopted_bias[3:], bias[3:])
    assert not np.array_equal(adopted_kernel[:, :3], kernel[:, :3])


def test_a_model_built_otherwise_is_refused() -> None:
    narrow = StackedCnnConfig(
        kind="compact", filters=[4, 6], width_stride=2, activation=Activation.swish, dropout=0.0, norm_momentum=0.9
    )
    source, model = build("abc", seed=1, cnn=narrow), build("abc", seed=1)
    with pytest.raises(InputError, match="not built alike"):
        adopt_weights(model, "abc", source, "abc")


ENCODER = EncoderConfig(
    kind="encoder",
    dropout=0.0,
    num_heads=2,
    key_dim=None,
    projection_dim=8,
    depth=1,
    feed_forward_dim=8,
    activation=Activation.swish,
    norm=NormPlacement.pre,
    position_embedding=PositionEmbedding.learned,
)


@pytest.mark.parametrize(("source_channels", "channels"), [(1, 3), (3, 1)])
def test_an_image_without_colour_is_read_alike_with_one_channel_and_with_three(
    source_channels: int, channels: int
) -> None:
    source = build_recogniser(CNN, LSTM, 16, 32, 4, channels=source_channels, seed=1)
    model = build_recogniser(CNN, LSTM, 16, 32, 4, channels=channels, seed=2)
    adopt_weights(model, "abc", source, "abc")
    grey = np.random.default_rng(0).random((2, 16, 32, 1), np.float32)
    one, other = np.repeat(grey, source_channels, axis=3), np.repeat(grey, channels, axis=3)
    np.testing.assert_allclose(np.asarray(model(other)), np.asarray(source(one)), atol=1e-5)


@pytest.mark.parametrize("transformer", [ENCODER, LSTM, DropoutConfig(kind="none", dropout=0.0)])
def test_a_model_of_another_image_size_begins_with_what_the_source_reads(transformer: TransformerConfig) -> None:
    """Images that are alike from pixel to pixel are read alike in any size, but for what is seen of their edges."""
    source = build_recogniser(CNN, transformer, 32, 64, 4, seed=1)
    source.set_weights([2 * weight for weight in source.get_weights()])  # small logits would all be alike
    model = build_recogniser(CNN, transformer, 48, 96, 4, seed=2)
    small, large = np.full((1, 32, 64, 1), 0.4, np.float32), np.full((1, 48, 96, 1), 0.4, np.float32)

    def read(reader: object, image: np.ndarray) -> np.ndarray:
        return np.asarray(reader(image))[0].mean(axis=0)

    at_random = np.abs(read(model, large) - read(source, small)).max()
    adopt_weights(model, "abc", source, "abc")
    assert np.abs(read(model, large) - read(source, small)).max() < at_random / 4


def test_a_table_of_positions_is_stretched() -> None:
    source = build_recogniser(CNN, ENCODER, 16, 32, 4, seed=1)
    model = build_recogniser(CNN, ENCODER, 16, 64, 4, seed=2)
    adopt_weights(model, "abc", source, "abc")
    known, fitted = (m.get_layer("position_embedding").get_weights()[0] for m in (source, model))
    np.testing.assert_allclose(fitted[[0, -1]], known[[0, -1]], rtol=1e-6)
    np.testing.assert_allclose(fitted[1], 0.75 * known[0] + 0.25 * known[1], rtol=1e-5)
