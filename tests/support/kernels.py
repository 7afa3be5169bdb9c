"""The kernels that conformance tests ask: one of each class that the package exports."""

import dataclasses

from tfgen import samplers

EXPORTED = [value for value in vars(samplers).values() if isinstance(value, type)]
CLASSES = [cls for cls in EXPORTED if dataclasses.is_dataclass(cls)]

OPTIONS = {
    samplers.Adapted: {"kernel": samplers.MALA(0.1), "num_steps": 3},
    samplers.Annealed: {"kernel": samplers.Langevin(0.1)},
    # patches of one pixel, two of each image
    samplers.Patchwork: {"kernel": samplers.Langevin(0.1), "size": 1, "number": 2},
    samplers.Scheduled: {"kernel": samplers.Langevin(0.1), "num_steps": 5, "step_factor_end": 0.5},
    samplers.Until: {"kernel": samplers.Langevin(0.1)},
}
"""Of kernels that need more than a step size."""


def build(cls):
    """Builds a kernel of a class, with a step size of a tenth and its defaults otherwise."""
    return cls(**OPTIONS.get(cls, {"step_size": 0.1}))


def shapes(cls):
    """Returns shapes of batches that a kernel moves: images alone where it cuts patches."""
    if cls is samplers.Patchwork:
        return {"image": (3, 2, 2, 1)}
    return {"vector": (3, 2), "image": (3, 2, 2, 1), "video": (3, 2, 2, 2, 1)}
