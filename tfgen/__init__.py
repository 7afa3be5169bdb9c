"""tfgen: energy-based image models and their relatives, on TensorFlow and Keras.

`tfgen.load` reads a trained model, and `tfgen.Model` is its type. The algorithms and the samplers
are found by name, and imported when they are asked for.

Example:
    >>> model = tfgen.load("runs/digits")
    >>> completed = model.complete(image, mask, seed=0)
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Read when TensorFlow is first imported. On some processors TensorFlow leaves oneDNN off, and nets
# then take twice as long (docs/speed.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from tfgen.version import __version__

if TYPE_CHECKING:
    from tfgen.models import Model, load

_LAZY = {
    "load": "tfgen.models",
    "Model": "tfgen.models",
    "ABP": "tfgen.algorithms.abp",
    "ACD": "tfgen.algorithms.acd",
    "ALI": "tfgen.algorithms.ali",
    "ALICE": "tfgen.algorithms.alice",
    "CEGAN": "tfgen.algorithms.cegan",
    "Classifier": "tfgen.algorithms.classifier",
    "CoopNets": "tfgen.algorithms.coopnets",
    "DCGAN": "tfgen.algorithms.dcgan",
    "DiscriminativeConvNet": "tfgen.algorithms.discriminative_convnet",
    "DivergenceTriangle": "tfgen.algorithms.divergence_triangle",
    "GenerativeConvNet": "tfgen.algorithms.generative_convnet",
    "Introspective": "tfgen.algorithms.introspective",
    "PatchwiseConvNet": "tfgen.algorithms.patchwise_convnet",
    "WINN": "tfgen.algorithms.winn",
    "VAE": "tfgen.algorithms.vae",
    "WGAN": "tfgen.algorithms.wgan",
    "WakeSleep": "tfgen.algorithms.wake_sleep",
    "HMC": "tfgen.samplers",
    "Langevin": "tfgen.samplers",
    "MALA": "tfgen.samplers",
    "run": "tfgen.samplers",
    "load_images": "tfgen.data",
    "mask": "tfgen.data",
}
"""Where each public name is defined. It is imported when asked for: TensorFlow takes seconds."""

__all__ = ["Model", "__version__", "load", *sorted(_LAZY.keys() - {"Model", "load"})]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tfgen' has no attribute '{name}'")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
