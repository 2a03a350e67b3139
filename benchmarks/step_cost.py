"""What averaged weights and the auxiliary CTC loss add to a training step: python -m benchmarks.step_cost."""

import statistics
import sys
import time

import numpy as np

from benchmarks.inputs import composed
from captcha_exp.config import Config
from captcha_exp.model.configured import build_configured
from captcha_exp.training import configure_threads
from captcha_exp.training.engines import Engine, build_engine

_ROUNDS, _CLASSES, _LENGTH = 40, 37, 5
_EXTRAS = ("training.ema_decay=0.999", "training.auxiliary_ctc=0.3")


def main() -> int:
    """Print the median ratio of a step with each extra to a step without, in processor time, step by step in turn."""
    given = ["training.threads=1", *sys.argv[1:]]
    configs = [composed(*given, *extra) for extra in ([], *([one] for one in _EXTRAS))]
    configure_threads(configs[0].training.threads)
    engines = [_engine(config) for config in configs]
    times = [[_seconds(engine, configs[0], step) for engine in engines] for step in range(_ROUNDS)][2:]
    print(f"a step: {1000 * statistics.median(plain for plain, *_ in times):.1f} ms of processor time")
    for index, extra in enumerate(_EXTRAS, 1):
        print(f"{extra}: {statistics.median(each[index] / each[0] for each in times):.3f} times that")
    return 0


def _engine(config: Config) -> Engine:
    model = build_configured(config, _CLASSES)
    return build_engine(model, config.optimizer, config.augmentation, config.training)


def _seconds(engine: Engine, config: Config, step: int) -> float:
    rng, batch = np.random.default_rng(step), config.training.batch_size
    images = rng.random((batch, config.dataset.image_height, config.dataset.image_width, 1), np.float32)
    labels = rng.integers(1, _CLASSES, (batch, _LENGTH), np.int32)
    started = time.process_time()
    engine.step(images, labels, np.array([0, step], np.int32), 0.001)
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
