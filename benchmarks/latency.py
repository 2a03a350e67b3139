"""Measure how long each network of `conf/` needs for one image, in turn, on one thread.

Run: python -m benchmarks.latency
"""

import statistics
import sys

import numpy as np

from benchmarks.inputs import composed
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.model import with_probabilities
from captcha_exp.model.configured import build_configured
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.model.latency import latency_ms
from captcha_exp.model.views import with_views
from captcha_exp.training import configure_threads

_NETWORKS = {
    "cnn=compact": ("dataset.image_height=50", "dataset.image_width=200"),
    "+experiment=pretrained": ("+experiment=pretrained",),
    "+experiment=hard": ("+experiment=hard",),
    "+experiment=original": ("+experiment=original",),
}
_ROUNDS = 5
_CLASSES = 63


def main() -> int:
    """Print a Markdown row for each network: its parameters and the median time."""
    configure_threads(1)
    networks = {}
    for name, overrides in _NETWORKS.items():
        config = composed(*overrides)
        model = with_views(with_probabilities(build_configured(config, _CLASSES)), config.training.views)
        image = np.random.default_rng(0).random((1, *image_spec(config.dataset).input_shape), dtype=np.float32)
        networks[name] = ForwardPass(model), image, model.count_params()
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(_ROUNDS):
        for name, (forward, image, _) in networks.items():
            times[name].append(latency_ms(forward, image))
    print("| network | parameters | one image, ms |\n|---|---|---|")
    for name, (_, _, parameters) in networks.items():
        print(f"| `{name}` | {parameters:,} | {statistics.median(times[name]):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
