"""tfgen: energy-based image models and their kin, on TensorFlow and Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# heard when TensorFlow is first imported; by itself it has oneDNN on some processors only, and convolutions take up to
# three times as long without
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from tfgen.version import __version__

__all__ = ["__version__"]
