"""Commands that train, sample and evaluate: everything with flags and files."""

import os

# before TensorFlow is imported: its start-up messages would bury the commands' own
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tfgen  # noqa: F401  the same for the library's own settings
