"""What the keys of single commands change, where no other test shows it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from captcha_exp.config import (
    EvaluateCommandConfig,
    EvaluationConfig,
    LimitsConfig,
    PredictConfig,
    PromotionConfig,
    RuleConfig,
    ServingConfig,
    conf_dir,
    load,
)
from captcha_exp.config.fields import Settings
from captcha_exp.dataset import Split
from captcha_exp.errors import MissingPathError
from captcha_exp.tracking import LoadedRecogniser


def loaded(name: str, schema: type[Settings], *overrides: str) -> Settings:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return load(schema, compose(name, list(overrides)))


@pytest.fixture(scope="module")
def split(recogniser: LoadedRecogniser, images: np.ndarray) -> Split:
    """Images of which the model reads most."""
    from captcha_exp.model.evaluator import text_reader
    from captcha_exp.model.forward_pass import ForwardPass

    texts = text_reader(ForwardPass(recogniser.model), recogniser.decoder)(images)
    labels = [text if index % 4 else text[:2] + "0" for index, text in enumerate(texts)]
    return Split("test", images, labels, [str(index) for index in range(len(labels))], ["own"] * len(labels))


def test_how_thoroughly_a_model_is_judged(recogniser: LoadedRecogniser, split: Split) -> None:
    from captcha_exp.evaluate.assessment import assess
    from captcha_exp.metrics.robustness import measure_robustness
    from captcha_exp.model.evaluator import text_reader
    from captcha_exp.model.forward_pass import ForwardPass

    forward_pass = ForwardPass(recogniser.model)

    def judged(*overrides: str) -> tuple[object, object]:
        own = loaded("evaluate", EvaluateCommandConfig, "model=m-1", *overrides)
        assert isinstance(own, EvaluationConfig)
        assessed = assess(forward_pass, split, None, recogniser.decoder, resamples=own.resamples, seed=own.seed)
        read = text_reader(forward_pass, recogniser.decoder)
        robustness = measure_robustness(
            read, split.images, split.labels, most_images=own.robustness_images, seed=own.seed
        )
        return assessed.intervals, robustness

    intervals, robustness = judged("resamples=50")
    assert judged("resamples=51")[0] != intervals
    assert judged("resamples=50", "seed=1")[0] != intervals
    assert judged("resamples=50", "robustness_images=9")[1] != robustness


def test_how_a_challenger_is_compared(recogniser: LoadedRecogniser, split: Split) -> None:
    from captcha_exp.promote.gate import decide
    from captcha_exp.promote.judgement import Judged, judge

    def parts(*overrides: str) -> tuple[RuleConfig, LimitsConfig]:
        given = ("sweep=s", "limits.robustness_drop=1", "rule.resamples=50", *overrides)
        config = loaded(
            "promote", PromotionConfig, *(f"challenger.{one}" if one == "sweep=s" else one for one in given)
        )
        assert isinstance(config, PromotionConfig)
        return config.rule, config.limits

    def drop(*overrides: str) -> float:
        return judge(recogniser, split, *parts(*overrides), limited=True).metrics["robustness/drop"]

    def interval(*overrides: str) -> object:
        random = np.random.default_rng(0)
        challenger, champion = (
            Judged((random.random(300) < share).tolist(), {"robustness/drop": 0.0}, 0.01) for share in (0.7, 0.5)
        )
        return decide(challenger, champion, *parts(*overrides)).comparison

    assert drop("limits.robustness_images=5") != drop("limits.robustness_images=40")
    assert interval("rule.seed=1") != interval() != interval("rule.resamples=51")


@pytest.mark.parametrize(
    "override",
    [
        "format=csv",
        "alternatives=2",
        "pattern='[0-1]+'",
        "alphabet='01'",
        "min_length=9",
        "max_length=1",
        "lexicon=words.txt",
    ],
)
def test_what_predict_prints(
    override: str, servable: Path, files: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from captcha_exp.predict.__main__ import predict

    (tmp_path / "a.png").write_bytes(files[0])
    (tmp_path / "words.txt").write_text("01\n23\n")

    def printed(*overrides: str) -> str:
        config = loaded("predict", PredictConfig, f"model={servable}", *overrides)
        assert isinstance(config, PredictConfig)
        predict(config, [str(tmp_path / "a.png")])
        return capsys.readouterr().out

    assert printed(override.replace("words.txt", str(tmp_path / "words.txt"))) != printed()


def test_threads_of_a_served_model(servable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    from captcha_exp.predict.__main__ import _load
    from captcha_exp.serve.model_holder import ModelHolder

    opened: list[int] = []
    session = onnxruntime.InferenceSession

    def remembering(path: Path, options: onnxruntime.SessionOptions, **more: object) -> object:
        opened.append(options.intra_op_num_threads)
        return session(path, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", remembering)
    for threads in (1, 2):
        predicting = loaded("predict", PredictConfig, f"model={servable}", f"threads={threads}")
        serving = loaded("serve", ServingConfig, f"model={servable}", f"threads={threads}")
        assert isinstance(predicting, PredictConfig) and isinstance(serving, ServingConfig)
        _load(predicting)
        ModelHolder(serving.model, "", serving.threads, serving.reload_s)
    assert opened == [1, 1, 2, 2]


def test_what_the_page_offers_to_try() -> None:
    from captcha_exp.serve.__main__ import _serve

    serve: Callable[..., object] = _serve
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        composed = compose("serve", ["examples=nowhere"])
    with pytest.raises(MissingPathError, match=r"^examples=nowhere is no folder\.$"):
        serve(composed)
