"""What a user is told of a training that read nothing, in the keys that may help."""


def nothing_learnt(found: str, epochs: int, steps: int | None) -> str:
    """The line for a run, a sweep or a report whose models learnt nothing.

    Args:
        found: what was seen, e.g. "no trial reads a validation text right".
        epochs: how many epochs the longest training had.
        steps: how many steps that were; None if it is not known.
    """
    counted = f"{epochs} epoch{'' if epochs == 1 else 's'}" + ("" if steps is None else f", {steps:,} steps")
    return (
        f"nothing was learnt: {found} (after {counted}). Train longer (training.epochs=...), make the images smaller "
        "(dataset.image_height=..., dataset.image_width=...), or start from the weights that come with the package "
        "(+experiment=pretrained)"
    )
