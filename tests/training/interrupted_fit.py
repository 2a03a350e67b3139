"""Train without and with an interruption, and print both histories: interrupted_fit.py CHECKPOINTS OVERRIDE..."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from captcha_exp.config import conf_dir, load_config
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.model import build_recogniser
from captcha_exp.training import configure_threads, train

if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("texts", Path(__file__).with_name("conftest.py"))
    assert spec is not None and spec.loader is not None
    texts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(texts)
    folder = Path(sys.argv[1])
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load_config(compose("config", [f"root={folder}", *texts.SMALL, *sys.argv[2:]]))
    configure_threads(1)

    def fit(seed: int, **keywords: Any) -> list[dict[str, float]]:
        model = build_recogniser(config.cnn, config.transformer, 32, 64, len(texts.CHARACTERS) + 1, seed=seed)
        learnt, judged = texts.draw_texts(40, seed=0), texts.draw_texts(12, seed=1)
        decoder = label_decoder(config.decoding, texts.CHARACTERS, learnt.labels)
        history = train(model, learnt, judged, decoder, config, **keywords).history
        return [{name: value for name, value in epoch.items() if name != "images_per_second"} for epoch in history]

    def interrupt(epoch: int, _: dict[str, float]) -> bool:
        if epoch == 1:
            raise KeyboardInterrupt
        return False

    whole = fit(0)
    try:
        fit(0, on_epoch=interrupt, checkpoint_dir=folder)
    except KeyboardInterrupt:
        # Other initial weights, which the checkpoint must replace.
        print(json.dumps({"whole": whole, "resumed": fit(5, checkpoint_dir=folder)}))
