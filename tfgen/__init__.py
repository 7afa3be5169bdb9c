"""tfgen: energy-based image models and their kin, on TensorFlow and Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# heard when TensorFlow is first imported; by itself it has oneDNN on some processors only, and nets take twice as long
# without (docs/speed.md)
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from tfgen.version import __version__

__all__ = ["__version__"]
