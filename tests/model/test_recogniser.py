"""The network's shapes, gradients and what becomes of it on disk."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from captcha_exp.config import Config, time_steps
from captcha_exp.errors import InputError
from captcha_exp.model import build_recogniser, ctc_loss, with_probabilities
from captcha_exp.model.layers import sinusoidal_positions

Compose = Callable[..., Config]

CNNS = ["original", "compact", "residual", "vgg"]
TRANSFORMERS = ["original", "pre_norm", "lstm", "none"]
# Each cnn and each transformer at least once.
PAIRS = list(zip(CNNS, TRANSFORMERS, strict=True))
SIZE = ["dataset.image_height=40", "dataset.image_width=128"]

LOAD = """
import sys
sys.modules["captcha_exp"] = None  # an import of ours now fails
import keras, numpy as np
inputs = np.load("inputs.npy")
for path in sys.argv[1:]:
    np.save(path + ".npy", keras.saving.load_model(path, compile=False)(inputs, training=False))
"""


def build(config: Config, num_classes: int = 6, seed: int | None = 0) -> keras.Model:
    dataset = config.dataset
    return build_recogniser(
        config.cnn, config.transformer, dataset.image_height, dataset.image_width, num_classes, seed=seed
    )


def test_the_original_model_has_the_parameters_and_shapes_of_the_starting_model(compose: Compose) -> None:
    config = compose("cnn=original", "transformer=original", "dataset.image_height=50", "dataset.image_width=200")
    model = build(config, num_classes=63)
    assert model.count_params() == 1_902_143
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 1_901_247
    shapes = [
        (type(layer).__name__, layer.output.shape[1:])
        for layer in model.layers
        if isinstance(
            layer,
            keras.layers.Conv2D
            | keras.layers.MaxPooling2D
            | keras.layers.Permute
            | keras.layers.Reshape
            | keras.layers.Dense
            | keras.layers.MultiHeadAttention
            | keras.layers.LayerNormalization,
        )
    ]
    block = [
        ("MultiHeadAttention", (50, 128)),
        ("LayerNormalization", (50, 128)),
        ("Dense", (50, 512)),
        ("Dense", (50, 128)),
        ("LayerNormalization", (50, 128)),
    ]
    assert shapes == [
        ("Conv2D", (50, 200, 64)),
        ("MaxPooling2D", (25, 100, 64)),
        ("Conv2D", (25, 100, 128)),
        ("MaxPooling2D", (12, 50, 128)),
        ("Conv2D", (12, 50, 256)),
        ("MaxPooling2D", (6, 50, 256)),
        ("Permute", (50, 6, 256)),
        ("Reshape", (50, 1536)),
        ("Dense", (50, 128)),
        *block,
        *block,
        ("Dense", (50, 63)),
    ]


@pytest.mark.parametrize("cnn", CNNS)
@pytest.mark.parametrize(("height", "width"), [(50, 200), (37, 101)])
def test_time_steps_are_those_that_the_configuration_promises(
    compose: Compose, cnn: str, height: int, width: int
) -> None:
    sizes = [f"dataset.image_height={height}", f"dataset.image_width={width}"]
    strides = [[]] if cnn == "original" else [[f"cnn.width_stride={stride}"] for stride in (1, 2, 8)]
    for stride in strides:
        config = compose(f"cnn={cnn}", "transformer=none", *stride, *sizes)
        assert build(config).output.shape == (None, time_steps(config), 6)


@pytest.mark.parametrize("activation", ["relu", "swish", "gelu", "elu"])
@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "none"])
def test_every_activation_and_position_embedding_builds(compose: Compose, activation: str, positions: str) -> None:
    config = compose(
        f"cnn.activation={activation}",
        f"transformer.activation={activation}",
        f"transformer.position_embedding={positions}",
    )
    model = build(config)
    embedded = config.transformer.projection_dim * time_steps(config)  # type: ignore[attr-defined]
    sizes = {weight.path: int(np.prod(weight.shape)) for weight in model.trainable_weights}
    assert sizes.get("position_embedding/embeddings", 0) == (embedded if positions == "learned" else 0)


def test_a_sequence_model_of_ones_own_keeps_the_time_steps(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_sequences.py").write_text(
        "from keras import layers\n\n\n"
        "def wide(x, transformer):\n    return layers.Dense(transformer.options['units'])(x)\n\n\n"
        "def short(x, transformer):\n    return layers.MaxPooling1D(2)(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = ["transformer=none", "transformer.kind=custom", "~transformer.dropout", "+transformer.options={units: 7}"]
    model = build(compose(*own, "+transformer.builder=own_sequences:wide"))
    assert model.layers[-2].output.shape == (None, 28, 7)
    message = r"^transformer\.builder=own_sequences:short must return \(B, T, D\) with T = 28, not \(None, 14, "
    with pytest.raises(InputError, match=message):
        build(compose(*own, "+transformer.builder=own_sequences:short"))


def test_a_feature_extractor_of_ones_own_keeps_the_width_that_labels_were_checked_against(
    compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_cnns.py").write_text(
        "from keras import layers\n\n\n"
        "def fitting(images, cnn):\n    return layers.MaxPooling2D((2, cnn.width_stride))(images)\n\n\n"
        "def flat(images, cnn):\n    return layers.Flatten()(images)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = ["cnn=compact", "cnn.kind=custom", "cnn.width_stride=4", "transformer=none"]
    assert build(compose(*own, "+cnn.builder=own_cnns:fitting")).output_shape == (None, 28, 6)
    message = r"^cnn\.builder=own_cnns:flat must return \(B, H', W', C\) with W' = 28 for images 112 pixels wide"
    with pytest.raises(InputError, match=message):
        build(compose(*own, "+cnn.builder=own_cnns:flat"))


def test_sinusoidal_positions_equal_their_definition() -> None:
    table = sinusoidal_positions(7, 4)
    for position in range(7):
        expected = [np.sin(position), np.sin(position / 100), np.cos(position), np.cos(position / 100)]
        np.testing.assert_allclose(table[position], expected, atol=1e-6)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((2, 40, 128, 1), np.float32)


def test_positions_tell_time_steps_apart(compose: Compose) -> None:
    """Without them attention cannot: on an even image the inner time steps, which see no border, all look alike."""
    even = np.full((1, 40, 128, 1), 0.5, np.float32)
    for positions, differs in (("sinusoidal", True), ("learned", True), ("none", False)):
        model = build(compose(f"transformer.position_embedding={positions}", "cnn.filters=[16,32]", *SIZE))
        inner = model(even, training=False).numpy()[0, 8:-8]
        assert bool(np.abs(inner - inner[0]).max() > 1e-3) is differs


@pytest.mark.parametrize(("cnn", "transformer"), PAIRS)
def test_the_gradient_reaches_every_trainable_weight(compose: Compose, cnn: str, transformer: str) -> None:
    config = compose(f"cnn={cnn}", f"transformer={transformer}", "dataset.image_height=32", "dataset.image_width=64")
    model = build(config)
    rng = np.random.default_rng(0)
    images = rng.random((4, 32, 64, 1), np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(ctc_loss(rng.integers(1, 6, (4, 3)), model(images, training=True)))
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.path
        # A constant added to all keys changes no attention, so theirs is 0 but for rounding.
        if not weight.path.endswith("key/bias"):
            assert np.abs(tf.convert_to_tensor(gradient).numpy()).max() > 0, weight.path


def test_a_saved_model_gives_the_same_in_a_process_without_this_package(compose: Compose, tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).random((3, 32, 64, 1), np.float32)
    np.save(tmp_path / "inputs.npy", inputs)
    extra = {"pre_norm": ["transformer.activation=gelu", "transformer.position_embedding=sinusoidal"]}
    expected = {}
    for cnn, transformer in PAIRS:
        sizes = ["dataset.image_height=32", "dataset.image_width=64"]
        config = compose(f"cnn={cnn}", f"transformer={transformer}", *sizes, *extra.get(transformer, []))
        model = with_probabilities(build(config))
        path = f"{cnn}-{transformer}.keras"
        model.save(tmp_path / path)
        expected[path] = model(inputs, training=False).numpy()
    subprocess.run([sys.executable, "-c", LOAD, *expected], cwd=tmp_path, check=True, timeout=120)
    for path, values in expected.items():
        np.testing.assert_array_equal(np.load(tmp_path / f"{path}.npy"), values)


def test_probabilities_share_the_weights_and_sum_to_one(compose: Compose, images: np.ndarray) -> None:
    model = build(compose(*SIZE))
    probabilities = with_probabilities(model)
    np.testing.assert_allclose(probabilities(images).numpy().sum(axis=2), 1, rtol=1e-5)
    model.set_weights([weight * 2 for weight in model.get_weights()])
    np.testing.assert_allclose(probabilities(images), tf.nn.softmax(model(images)), rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_initial_weights(compose: Compose) -> None:
    config = compose()
    first, again, other = (build(config, seed=seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_a_further_model_has_the_same_names_and_leaves_the_first_intact(compose: Compose, images: np.ndarray) -> None:
    first = with_probabilities(build(compose(*SIZE)))
    before = first(images, training=False).numpy()
    second = with_probabilities(build(compose(*SIZE), seed=1))
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    np.testing.assert_array_equal(first(images, training=False).numpy(), before)
    assert np.abs(second(images, training=False).numpy() - before).max() > 1e-3
