"""Completion by what tfgen exported, which TensorFlow alone runs: a SavedModel, or a LiteRT file.

python -m benchmarks.peers.contenders tfgen_completion WORKLOAD.npz
    --saved_model=DIR | --tflite=FILE
"""

import argparse
import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from benchmarks.peers import contender, workload

Complete = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Fills images in, given their masks and noise."""


def by_saved_model(directory: str, seed: np.ndarray) -> Complete:
    """Returns a SavedModel's completion.

    It draws its noise from the seed, and moves nothing under its energy here.
    """
    model = tf.saved_model.load(directory)
    own = {"seed": tf.constant(seed), "num_steps": tf.constant([0])}

    def complete(image, mask, noise):
        del noise
        given = {"image": tf.constant(image), "mask": tf.constant(mask)}
        return model.signatures["complete"](**given, **own)["image"].numpy()

    return complete


def by_tflite(file: str) -> Complete:
    """Returns a LiteRT file's completion, on all processors, as in the other libraries."""
    threads = len(os.sched_getaffinity(0))
    runner = tf.lite.Interpreter(file, num_threads=threads).get_signature_runner()

    def complete(image, mask, noise):
        # no noise for steps under the energy is no steps
        none = np.zeros((0, *image.shape[1:]), np.float32)
        return runner(image=image, mask=mask, latent_noise=noise, noise=none)["image"]

    return complete


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and an export."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--saved_model")
    parser.add_argument("--tflite")
    options = parser.parse_args(words)
    given = workload.read(options.workload).arrays
    if options.tflite:
        complete = by_tflite(options.tflite)
    else:
        complete = by_saved_model(options.saved_model, given["seed"])
    image, mask, noise = given["image"], given["mask"], given["noise"]

    def run():
        return complete(image, mask, noise)

    return contender.Entry(tf.__version__, lambda: {"image": run()}, run)
