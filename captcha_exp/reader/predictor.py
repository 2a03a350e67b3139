"""Image files in, texts out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from captcha_exp.errors import InputError, first_line
from captcha_exp.reader.decoding import (
    Automaton,
    AutomatonCache,
    Constraint,
    Decoder,
    build_automaton,
    decode_alternatives,
)
from captcha_exp.reader.image import ImageSpec, decode_image
from captcha_exp.reader.image_formats import MAX_PIXELS, BadImageError
from captcha_exp.reader.onnx_runtime import OnnxRuntime, Runtime

# The path of the network in a servable model.
ONNX_FILE = Path("artifacts") / "model.onnx"
# Larger batches are not faster on a CPU, and they need more memory.
BATCH_SIZE = 32


@dataclass(frozen=True)
class Reading:
    """The text that was read in an image.

    `confidence` is the model's probability for `text`, in [0, 1], given the constraint. `alternatives` are the next
    likeliest texts with their confidences. `probabilities` is float32 (T, K), by time step and class, class 0 the CTC
    blank; it is None unless the caller asked for it.
    """

    text: str
    confidence: float
    alternatives: list[tuple[str, float]] = field(default_factory=list)
    probabilities: np.ndarray | None = None


class Predictor:
    """Reads images with one model. Several threads may call its methods at once.

    Attributes:
        characters: the characters that can be read; `characters[i]` is class `i + 1`.
        image: the target form of every image.
        decoder: the model's own way to read a text, for images without a constraint.
        model_id: MLflow's id of the model; None if it is not known.
        version: `NAME/VERSION` if the model was loaded from the registry, otherwise None.
        figures: metrics of the test split, by their name without `test/`; empty if none are known.
        runtime: the name of the library that computes the network.
    """

    def __init__(
        self,
        compute: Runtime,
        description: dict[str, Any],
        version: str | None = None,
        figures: dict[str, float] | None = None,
    ) -> None:
        """Take a recogniser and its metadata: `characters`, `image`, `decoding`, `model_id`."""
        self.characters: str = description["characters"]
        self.image = ImageSpec.from_dict(description["image"])
        self.model_id: str | None = description["model_id"]
        self.version = version
        self.figures = figures or {}
        self.runtime = compute.name
        self._compute = compute
        self.decoder = Decoder.of_metadata(description)
        self.time_steps = self._count_time_steps()
        self.decoder.check_room(self.time_steps)
        self.automaton = AutomatonCache(self._build_automaton)

    @classmethod
    def of_onnx(
        cls,
        path: Path,
        threads: int | None = None,
        version: str | None = None,
        figures: dict[str, float] | None = None,
        model_uri: str | None = None,
    ) -> "Predictor":
        """Open an ONNX file that `model.onnx_export` wrote. This needs neither MLflow nor TensorFlow."""
        compute = OnnxRuntime(path, threads, model_uri)
        return cls(compute, compute.description, version, figures)

    def read(
        self,
        files: Sequence[bytes],
        constraint: Constraint | None = None,
        alternatives: int = 0,
        with_probabilities: bool = False,
    ) -> list[Reading | BadImageError]:
        """Read image files.

        Args:
            files: the bytes of each file, in any format that `image.decode_image` accepts.
            constraint: what is known about the texts. It replaces what the model itself knows of them.
            alternatives: the largest number of further texts to return for each image.
            with_probabilities: whether to return each image's class probabilities.

        Returns:
            For each file, in order, the reading, or the error that says why it cannot be read.

        Raises:
            InputError: the model cannot read any text that satisfies the constraint.
        """
        return self.read_within(
            files, self.automaton(constraint) if constraint else None, alternatives, with_probabilities
        )

    def read_within(
        self,
        files: Sequence[bytes],
        automaton: Automaton | None,
        alternatives: int,
        with_probabilities: bool,
        most_pixels: int = MAX_PIXELS,
    ) -> list[Reading | BadImageError]:
        """Like `read`, with the automaton of the constraint (None for no constraint) and the largest image size."""
        results: list[Reading | BadImageError] = []
        for start in range(0, len(files), BATCH_SIZE):
            images = [self._image(data, most_pixels) for data in files[start : start + BATCH_SIZE]]
            readable = [image for image in images if isinstance(image, np.ndarray)]
            readings = iter(
                self._read(np.stack(readable), automaton, alternatives, with_probabilities) if readable else []
            )
            results += [image if isinstance(image, BadImageError) else next(readings) for image in images]
        return results

    def _count_time_steps(self) -> int:
        try:
            shape = self._compute(np.zeros((1, *self.image.shape), np.uint8)).shape
        except Exception as error:  # the exceptions of the libraries have no common base class
            raise InputError(f"The model cannot read an image of its own size: {first_line(error)}") from error
        if len(shape) != 3 or shape[2] != len(self.characters) + 1:
            raise InputError(f"The model gives {shape} for one image, not (1, T, {len(self.characters) + 1}).")
        return int(shape[1])

    def _image(self, data: bytes, most_pixels: int) -> np.ndarray | BadImageError:
        try:
            return decode_image(data, self.image, most_pixels)
        except BadImageError as error:
            return error

    def _read(
        self, images: np.ndarray, automaton: Automaton | None, alternatives: int, with_probabilities: bool
    ) -> list[Reading]:
        probabilities = self._compute(images)
        if automaton is None:
            found = [[best] for best in self.decoder(probabilities)]
            if alternatives:
                others = decode_alternatives(probabilities, self.characters, alternatives + 1, self.decoder.automaton)
                found = [
                    best + [p for p in more if p.text != best[0].text] for best, more in zip(found, others, strict=True)
                ]
        else:
            found = decode_alternatives(probabilities, self.characters, alternatives + 1, automaton)
        return [
            Reading(
                best.text,
                best.confidence,
                [(other.text, other.confidence) for other in others[:alternatives]],
                probabilities[row] if with_probabilities else None,
            )
            for row, (best, *others) in enumerate(found)
        ]

    def _build_automaton(self, constraint: Constraint) -> Automaton:
        return build_automaton(constraint, self.characters, self.time_steps)
