"""Fits networks of one run. Each epoch is told and kept in the tracking store."""

import logging
from typing import TYPE_CHECKING

from captcha_exp.config import Config
from captcha_exp.dataset import Split
from captcha_exp.experiment.epoch_line import EVERY_EPOCH, epoch_line
from captcha_exp.experiment.trial_handle import TrialHandle
from captcha_exp.interruption import raise_if_interrupted
from captcha_exp.reader.decoding import Decoder
from captcha_exp.tracking import TrackedRun

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from captcha_exp.training import FitResult

_log = logging.getLogger(__name__)


class TrackedFit:
    """Fits one network after another. The epochs of the second follow those of the first."""

    def __init__(self, run: TrackedRun, held_out: Split, decoder: Decoder, trial: TrialHandle | None) -> None:
        """Stand before the first fit.

        Args:
            run: gets the metrics of each epoch.
            held_out: these images judge each epoch.
            decoder: how a network reads.
            trial: may stop a fit; None never does.
        """
        self._run, self._held_out, self._decoder, self._trial = run, held_out, decoder, trial
        self._known = run.last_epoch(EVERY_EPOCH)  # the store already has these epochs of a continued run
        self._epochs = 0

    def __call__(
        self,
        model: "keras.Model",
        learnt: Split,
        config: Config,
        checkpoint_dir: "Path | None",
        teacher: "keras.Model | None" = None,
    ) -> "FitResult":
        """Fit a network to `learnt`; `train` says how, and what the other arguments are."""
        from captcha_exp.training import train

        first = self._epochs

        def on_epoch(epoch: int, metrics: dict[str, float]) -> bool:
            if first + epoch >= self._known:
                self._run.log_epoch(first + epoch + 1, metrics)
            raise_if_interrupted()
            _log.info(epoch_line(epoch + 1, config.training, metrics))
            return self._trial is not None and self._trial.report(first + epoch, metrics)

        result = train(model, learnt, self._held_out, self._decoder, config, on_epoch, checkpoint_dir, teacher)
        self._epochs += len(result.history)
        return result
