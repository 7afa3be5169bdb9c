"""Measurements of speed; results.md holds what they wrote."""

import sys

# contenders of other libraries run in an environment without TensorFlow
if "benchmarks.peers.contenders" in sys.orig_argv:
    import tfgen  # noqa: F401  its settings of oneDNN hold for every library on TensorFlow
else:
    import trainers  # noqa: F401  its settings of TensorFlow's start-up hold here too
