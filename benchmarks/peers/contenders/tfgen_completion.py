"""Completion by what tfgen exported, which TensorFlow alone runs: a SavedModel, or a LiteRT file.

python -m benchmarks.peers.contenders tfgen_completion WORKLOAD.npz --saved_model=DIR | --tflite=FILE
"""

import argparse
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.peers import contender, workload


def by_saved_model(directory: str, seed: np.ndarray):
    """The answer of a model, which draws its noise itself, and moves nothing under its energy here."""
    model = tf.saved_model.load(directory)
    own = {"seed": tf.constant(seed), "num_steps": tf.constant([0])}

    def complete(image, mask, noise):
        del noise
        return model.signatures["complete"](
            image=tf.constant(image), mask=tf.constant(mask), **own
        )["image"].numpy()

    return complete


def by_tflite(file: str):
    """The answer of a file, by all processors as in the other libraries."""
    runner = tf.lite.Interpreter(
        file, num_threads=len(os.sched_getaffinity(0))
    ).get_signature_runner()
    return lambda image, mask, noise: runner(image=image, mask=mask, noise=noise)["image"]


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and an export."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--saved_model")
    parser.add_argument("--tflite")
    options = parser.parse_args(words)
    given = workload.read(options.workload).arrays
    complete = (
        by_tflite(options.tflite)
        if options.tflite
        else by_saved_model(options.saved_model, given["seed"])
    )
    arrays = [given[name] for name in ("image", "mask", "noise")]
    return contender.Entry(
        tf.__version__, lambda: {"image": complete(*arrays)}, lambda: complete(*arrays)
    )
