"""Hold the model in use, and replace it by a newer version while requests continue."""

import threading
from dataclasses import dataclass

from captcha_exp.errors import InputError, joined_lines
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.reader.predictor import Predictor
from captcha_exp.terminal import log_with_dates

_log = log_with_dates(__name__)


@dataclass(frozen=True)
class Held:
    """A model, and the fixed address from which it was loaded."""

    predictor: Predictor
    address: str

    @property
    def name(self) -> str:
        """The model's name in answers: `NAME/VERSION`, or the id, or the user's address."""
        return self.predictor.version or self.predictor.model_id or self.address


class ModelHolder:
    """Holds one model. If an alias moves to another version, loads that version, then swaps the two.

    Attributes:
        current: the model in use; a reader takes it once for each batch.
        problem: why the version of the alias is not in use; None if it is.
    """

    def __init__(self, model_uri: str, tracking_uri: str, threads: int | None, reload_s: float) -> None:
        """Load the model.

        Args:
            model_uri: as for `load_predictor`.
            tracking_uri: the store of the model.
            threads: threads of the network's computation; None uses every core.
            reload_s: seconds between two looks at the alias.

        Raises:
            InputError: there is no such model.
        """
        self._model_uri, self._tracking_uri, self._threads = model_uri, tracking_uri, threads
        self._reload_s = reload_s
        self.current = self._load(self._address())
        self.problem: str | None = None
        self._failed: str | None = None  # the address that could not be used
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="model-reload", daemon=True)

    def start(self) -> None:
        """Watch the alias. A fixed address is not watched."""
        if self.current.address != self._model_uri:
            self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()

    def refresh(self) -> None:
        """Use the alias's current version. If that fails, keep the old version and say why."""
        address = self._model_uri
        try:
            address = self._address()
            if address != self.current.address:
                self.current = self._load(address)
                _log.info("model %s is in use", self.current.name)
        except Exception as error:  # the old version answers, whatever is wrong with the new one
            reason = error if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            self.problem = f"{address} cannot be used: {joined_lines(reason)}"
            if self._failed != address:  # once, not at every look
                _log.error("model %s stays in use; %s", self.current.name, self.problem)
            self._failed = address
        else:
            self.problem = self._failed = None

    def _watch(self) -> None:
        while not self._stop.wait(self._reload_s):
            self.refresh()

    def _address(self) -> str:
        if not self._model_uri.startswith("models:/"):
            return self._model_uri  # an ONNX file or a folder needs no MLflow, which takes seconds to import
        from captcha_exp.tracking.alias import resolve_alias

        return resolve_alias(self._model_uri, self._tracking_uri)

    def _load(self, address: str) -> Held:
        return Held(load_predictor(address, self._tracking_uri, self._threads), address)
