"""Trained models, out of the library: SavedModel for serving, LiteRT for devices."""

import trainers  # noqa: F401  its settings of TensorFlow's start-up hold here too
