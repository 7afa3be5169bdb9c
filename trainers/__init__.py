"""Commands that train, sample and evaluate: everything with flags and files."""

import sys

import tfgen  # noqa: F401  its settings must stand before TensorFlow is imported
from trainers import quiet

# a command, `python -m trainers.main`, imports TensorFlow quietly; a user's program does not
if quiet.is_command(sys.argv, sys.orig_argv):
    quiet.start(sys.argv[1:])
