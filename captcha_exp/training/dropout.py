"""Seeds the random generators of dropout."""

import keras
import numpy as np


def seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Set every random generator of the model to the state for this epoch. It does not depend on what ran before."""
    weights = {id(weight) for weight in model.weights}
    generators = [variable for variable in model.variables if id(variable) not in weights]
    for index, generator in enumerate(generators):
        state = np.random.SeedSequence([seed, epoch, index]).generate_state(2)
        generator.assign(state.astype(generator.dtype))
