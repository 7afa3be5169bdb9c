"""Measurements of speed; results.md holds what they wrote."""

import trainers  # noqa: F401  its settings of TensorFlow's start-up hold here too
