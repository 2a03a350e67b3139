"""Every network can learn one batch by heart."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.training import train

FILTERS = {"original": "[8,16,32]", "compact": "[8,16,32]", "residual": "[8,16,32]", "vgg": "[8,16,24,32]"}
SEQUENCE = {
    "pre_norm": ["transformer.projection_dim=32"],
    "original": ["transformer.projection_dim=32", "transformer.key_dim=16", "transformer.feed_forward_dim=64"],
    "lstm": ["transformer.projection_dim=48"],
    "none": [],
}


# Each of them is there once with a part that learns soon.
@pytest.mark.parametrize(
    ("cnn", "transformer"),
    [*((cnn, "none") for cnn in FILTERS), *(("compact", kind) for kind in SEQUENCE if kind != "none")],
)
def test_one_batch_overfits_to_zero_errors(
    compose: Callable[..., Config], build: Callable[..., Any], texts: Any, characters: str, cnn: str, transformer: str
) -> None:
    config = compose(
        f"cnn={cnn}",
        f"cnn.filters={FILTERS[cnn]}",
        "cnn.norm_momentum=0.8",
        f"transformer={transformer}",
        *SEQUENCE[transformer],
        "transformer.dropout=0",
        "dataset.image_height=32",
        "dataset.image_width=64",
        "augmentation=none",
        "training.batch_size=8",
        "training.epochs=400",
        "optimizer.learning_rate=0.005",
        "optimizer.schedule=constant",
    )
    few = replace(texts, images=texts.images[:8], labels=texts.labels[:8])
    result = train(
        build(config), few, few, label_decoder(config.decoding, characters, few.labels), config,
        on_epoch=lambda _, metrics: metrics["val/sequence_accuracy"] == 1,
    )  # fmt: skip
    assert result.best.predictions == few.labels
    assert result.best.metrics["character_error_rate"] == 0
