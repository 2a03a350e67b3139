"""Lets a recogniser read several views of each image."""

from typing import Any

import keras
from keras import layers
from keras.src.ops.numpy import GetItem, Reshape, Subtract

# Pixels down and right by which the text is moved. Two pixels are half a time step of most networks.
_MOVES = {"up": (-1, 0), "down": (1, 0), "right": (0, 2), "left": (0, -2)}
MOST_VIEWS = 2 + len(_MOVES)


def with_views(recogniser: keras.Model, views: int) -> keras.Model:
    """Build a model that averages the probabilities of a recogniser for several views of each image.

    The views are the image itself; its negative; the image moved up, down, right and left. The network stands in the
    model once and gets all views as one batch. It has stock layers only, so it is saved and served like any other.

    Args:
        recogniser: float32 (B, H, W, C) to probabilities (B, T, K), from `with_probabilities` or `build_voters`.
        views: how many of the views, in this order; from 1 to `MOST_VIEWS`.

    Returns:
        A model of the same inputs and outputs, on the same weights.
    """
    if views == 1:
        return recogniser
    # Every operation has a name of its own: Keras would give some of them names that a loaded recogniser has, too.
    images = keras.Input(recogniser.input_shape[1:], name="image")
    seen = [images, Subtract(name="view_negative")(1.0, images)]
    seen += [_moved(images, f"view_{name}", *move) for name, move in _MOVES.items()]
    batch = layers.Concatenate(axis=0, name="views")(seen[:views])  # (V B, H, W, C)
    # Calling the recogniser would make it a layer, which a stored network may not hold. Keras' own `clone_model` runs
    # through the graph in this way, but it cuts the graph off at its inputs.
    read = recogniser._run_through_graph(batch, operation_fn=lambda layer: layer)
    apart = Reshape((views, -1, *read.shape[1:]), name="views_apart")(read)  # (V B, T, K) -> (V, B, T, K)
    each = [GetItem(name=f"view_{number}")(apart, number) for number in range(views)]
    return keras.Model(images, layers.Average(name="mean_over_views")(each), name=recogniser.name)


def _moved(images: Any, name: str, down: int, right: int) -> Any:
    """Move what the images show. The pixels at the border fill the gap."""
    axis, by = (1, down) if down else (2, right)
    size = images.shape[axis]
    edge = _between(images, f"{name}_edge", axis, *((0, 1) if by > 0 else (size - 1, size)))
    kept = _between(images, f"{name}_kept", axis, max(0, -by), size - max(0, by))
    edges = [edge] * abs(by)
    return layers.Concatenate(axis=axis, name=name)([*edges, kept] if by > 0 else [kept, *edges])


def _between(images: Any, name: str, axis: int, start: int, end: int) -> Any:
    crop = [(0, 0), (0, 0)]
    crop[axis - 1] = (start, images.shape[axis] - end)
    return layers.Cropping2D(tuple(crop), name=name)(images)
