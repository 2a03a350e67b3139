"""Where the random generators of a model's dropout begin."""

import keras
import numpy as np


def seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Put every random generator of the model where an epoch starts it, whatever ran before."""
    weights = {id(weight) for weight in model.weights}
    generators = [variable for variable in model.variables if id(variable) not in weights]
    for index, generator in enumerate(generators):
        state = np.random.SeedSequence([seed, epoch, index]).generate_state(2)
        generator.assign(state.astype(generator.dtype))
