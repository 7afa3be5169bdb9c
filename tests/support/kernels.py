"""The kernels that conformance tests ask: one of each class, found by listing files."""

import importlib
import inspect
import pkgutil

from tfgen import samplers


def defined(file):
    """Returns the kernels that a file of the package defines for users, abstract ones left out."""
    module = importlib.import_module(f"tfgen.samplers.{file}")
    public = [value for name, value in vars(module).items() if not name.startswith("_")]
    own = [cls for cls in public if inspect.isclass(cls) and cls.__module__ == module.__name__]
    return [cls for cls in own if issubclass(cls, samplers.Kernel) and not inspect.isabstract(cls)]


CLASSES = [cls for file in pkgutil.iter_modules(samplers.__path__) for cls in defined(file.name)]

OPTIONS = {
    samplers.Adapted: {"kernel": samplers.MALA(0.1), "num_steps": 3},
    samplers.Annealed: {"kernel": samplers.Langevin(0.1)},
    # patches of one pixel, two of each image
    samplers.Patchwork: {"kernel": samplers.Langevin(0.1), "size": 1, "number": 2},
    samplers.Scheduled: {"kernel": samplers.Langevin(0.1), "num_steps": 5, "step_factor_end": 0.5},
    # one place: an energy of vectors, as these tests have, sees no others
    samplers.Shifted: {"kernel": samplers.Langevin(0.1), "period": 1},
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
