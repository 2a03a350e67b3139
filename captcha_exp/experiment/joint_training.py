"""Trains several members side by side, and makes one model of them."""

import logging
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.config import Config
from captcha_exp.dataset import Split
from captcha_exp.experiment.epoch_line import right
from captcha_exp.experiment.member_runs import ACCURACY, MemberRuns
from captcha_exp.experiment.new_network import NewNetwork
from captcha_exp.reader.decoding import Decoder
from captcha_exp.tracking import Store, TrackedRun

if TYPE_CHECKING:
    import keras

    from captcha_exp.training import FitResult
    from captcha_exp.training.members import TrainedMember

_log = logging.getLogger(__name__)


class JointTraining:
    """The training of all members of a run."""

    def __init__(
        self, config: Config, learnt: Split, held_out: Split, decoder: Decoder, store: Store, run: TrackedRun
    ) -> None:
        """See `TrainingRun`. `learnt` are the images to learn from, `held_out` judge every member and all together."""
        self._config, self._learnt, self._held_out, self._decoder = config, learnt, held_out, decoder
        self._store, self._run = store, run

    def train(self, network: NewNetwork, checkpoint_dir: Path | None) -> list["TrainedMember"]:
        """Train the members. Their state is below `checkpoint_dir`; None keeps none after this process.

        Raises:
            InputError: see `train_members`.
            DivergedError: see `train_members`.
        """
        from captcha_exp.training.member_plan import at_once, plan_members
        from captcha_exp.training.members import train_members

        with ExitStack() as stack:
            folder = checkpoint_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            weights = network.model.get_weights() if network.is_pretrained else None
            characters = self._decoder.characters
            members = plan_members(self._config, self._learnt, self._held_out, characters, weights, folder)
            processes = at_once(self._config.training)
            runs = MemberRuns(self._store, self._run.run_id, members, stack)
            threads = members[0].config.training.threads
            _log.info(
                "members: %d trainings, %d at once, each on %d core%s",
                *(len(members), processes, threads, "" if threads == 1 else "s"),
            )
            return train_members(members, processes, runs.on_epoch, runs.on_end)

    def join(
        self, network: NewNetwork, members: Sequence["TrainedMember"]
    ) -> tuple["keras.Model", "FitResult", dict[str, float]]:
        """Join trained members.

        Returns:
            One model from float32 (B, H, W, C) to probabilities (B, T, K); its evaluation, as a training without
            epochs; and metrics of the best member.
        """
        from captcha_exp.training import FitResult
        from captcha_exp.training.validation import build_judge

        started, how = time.perf_counter(), "vote" if self._config.training.votes else "average"
        joined = self._joined(network.model, [member.weights for member in members])
        evaluation = build_judge(joined, self._held_out, self._decoder, self._config)()
        result = FitResult([], 0, evaluation, None, time.perf_counter() - started)
        if evaluation is None:
            _log.info("%s: no validation images were held out to judge it", how)
            return joined, result, {}
        best = best_member(members)
        accuracy = best.history[best.best_epoch][ACCURACY]
        together = evaluation.metrics["sequence_accuracy"]
        _log.info("%s: %s; the best member, %d: %.2f%%", how, right(together), best.member.number, 100 * accuracy)
        return joined, result, {f"best_member/{ACCURACY}": accuracy}

    def _joined(self, model: "keras.Model", weights: Sequence[list[np.ndarray]]) -> "keras.Model":
        from captcha_exp.model import with_probabilities
        from captcha_exp.model.voters import build_voters, mean_weights

        if self._config.training.votes:
            return build_voters(model, weights)
        model.set_weights(mean_weights(weights))
        return with_probabilities(model)


def best_member(members: Sequence["TrainedMember"]) -> "TrainedMember":
    """The member whose best epoch is the best of all by validation. Without validation images, the first."""
    from captcha_exp.training.best_epoch import best_epoch

    if ACCURACY not in members[0].history[0]:
        return members[0]
    return members[best_epoch([member.history[member.best_epoch] for member in members])]
