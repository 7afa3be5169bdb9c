"""tfgen: energy-based image models and their kin, on TensorFlow and Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from tfgen.version import __version__

__all__ = ["__version__"]
