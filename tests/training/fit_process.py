"""Train on generated texts in a process of its own: fit_process.py ROOT OVERRIDE...

It prints the history, and which packages it has that nobody needs to train.
"""

import importlib.util
import json
import sys
from pathlib import Path

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
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load_config(compose("config", [f"root={sys.argv[1]}", *texts.SMALL, *sys.argv[2:]]))
    configure_threads(config.training.threads)
    model = build_recogniser(config.cnn, config.transformer, 32, 64, len(texts.CHARACTERS) + 1, seed=0)
    learnt, judged = texts.draw_texts(40, seed=0), texts.draw_texts(12, seed=1)
    decoder = label_decoder(config.decoding, texts.CHARACTERS, learnt.labels)
    history = train(model, learnt, judged, decoder, config).history
    unneeded = {"jax", "matplotlib", "pandas", "sklearn"} & sys.modules.keys()
    print(json.dumps({"history": history, "unneeded": sorted(unneeded)}))
