import numpy as np
import pytest

from captcha_exp.config import Activation, LstmConfig, StridedCnnConfig
from captcha_exp.errors import InputError
from captcha_exp.model import adopt_weights, build_recogniser, with_probabilities

CNN = StridedCnnConfig(
    kind="compact", filters=[4, 8], width_stride=2, activation=Activation.swish, dropout=0.0, norm_momentum=0.9
)
LSTM = LstmConfig(kind="lstm", dropout=0.1, projection_dim=8, depth=1)


def build(characters: str, seed: int, cnn: StridedCnnConfig = CNN) -> object:
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
    narrow = StridedCnnConfig(
        kind="compact", filters=[4, 6], width_stride=2, activation=Activation.swish, dropout=0.0, norm_momentum=0.9
    )
    source, model = build("abc", seed=1, cnn=narrow), build("abc", seed=1)
    with pytest.raises(InputError, match="not built alike"):
        adopt_weights(model, "abc", source, "abc")
