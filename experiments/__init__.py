"""Commands that train, measure and write the papers' tables and figures into docs/."""

import sys

# the queue runs for hours beside its commands, so TensorFlow must not take its memory
if "experiments.queue" not in sys.orig_argv:
    import trainers  # noqa: F401  its settings of TensorFlow's start-up hold here too
