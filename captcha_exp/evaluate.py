"""The command that judges a logged model on one split of a dataset."""

import sys
from collections.abc import Iterator
from dataclasses import replace

from omegaconf import DictConfig, OmegaConf

from captcha_exp.commands import hydra_command
from captcha_exp.config import Config, DatasetConfig, DecodingConfig, DecodingKind, load_config, to_plain
from captcha_exp.errors import InputError
from captcha_exp.image import ImageSpec

_OWN_KEYS = ("model", "split")
# What decides which samples of a dataset the splits hold.
_DIVIDING = ("validation_fraction", "test_fraction", "split_seed", "label_case")


def main() -> int:
    """Judge the model that the command line names, e.g. `model=runs:/RUN/model dataset=folder dataset.path=DIR`."""
    return hydra_command(_evaluate, "evaluate", sys.argv[1:])


def _evaluate(composed: DictConfig) -> None:
    if OmegaConf.is_missing(composed, "model"):
        raise InputError("model is missing; set `model=runs:/RUN/model`, `models:/NAME@ALIAS` or `m-...`.")
    model_uri, split = str(composed.model), str(composed.split)
    config = load_config(OmegaConf.masked_copy(composed, [str(key) for key in composed if key not in _OWN_KEYS]))
    for line in judge(model_uri, split, config):
        print(line)


def judge(model_uri: str, split_name: str, config: Config) -> Iterator[str]:
    """Read one split with a logged model; tell the metrics in lines, and keep those of `test` on the model's run.

    Args:
        model_uri: `runs:/RUN/model`, `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `m-...`.
        split_name: `train`, `validation` or `test`.
        config: which dataset, and which store. Image size, characters and decoding are the model's own.

    Raises:
        InputError: there is no such model or split, or the split holds images that the model was trained on.
    """
    # After the checks: a mistyped key must not wait for MLflow and TensorFlow.
    from captcha_exp.dataset import prepare_dataset
    from captcha_exp.experiment.quiet import quiet_stderr
    from captcha_exp.tracking import load_recogniser, open_store

    store = open_store(config.tracking, config.root_path)
    with quiet_stderr():
        recogniser = load_recogniser(model_uri, store.uri)
        from captcha_exp.evaluation import evaluate
    # Images come as the model was trained to see them, whatever this configuration says.
    dataset = prepare_dataset(_with_images_of(config.dataset, ImageSpec.from_dict(recogniser.image)), config.root_path)
    split = dataset.split(split_name)
    if not len(split):
        raise InputError(f"split={split_name} is empty; raise `dataset.{split_name}_fraction`.")
    if recogniser.dataset["fingerprint"] == dataset.fingerprint:
        _check_divided_alike(recogniser.config["dataset"], config.dataset)
    decoding = DecodingConfig(**{**recogniser.decoding, "kind": DecodingKind[recogniser.decoding["kind"]]})
    batch_size = config.training.batch_size
    judged = evaluate(recogniser.model, split.images, split.labels, recogniser.characters, decoding, batch_size)
    yield f"{len(split)} images of {dataset.source_name}/{split_name}"
    for name, value in judged.metrics.items():
        yield f"{name:29s} {value:.4f}"
    if split_name == "test":
        run = store.find_run(recogniser.run_id)
        if run is not None:
            run.log_metrics({f"test/{name}": value for name, value in judged.metrics.items()})
            yield f"logged to {store.ui_hint(recogniser.run_id)}"


def _with_images_of(dataset: DatasetConfig, image: ImageSpec) -> DatasetConfig:
    return replace(
        dataset,
        image_height=image.height,
        image_width=image.width,
        keep_aspect_ratio=image.keep_aspect_ratio,
        background=image.background,
    )


def _check_divided_alike(trained: dict[str, object], given: DatasetConfig) -> None:
    """Another division of the same data would hold training images out as test images."""
    plain = to_plain(given)
    for key in _DIVIDING:
        if trained[key] != plain[key]:
            raise InputError(
                f"dataset.{key} is {plain[key]}, but {trained[key]} when the model was trained on the same data: "
                f"images that it has seen would count as unseen. Set `dataset.{key}={trained[key]}`."
            )


if __name__ == "__main__":
    sys.exit(main())
