"""SavedModels: versioned directories with every endpoint of an algorithm, which TensorFlow alone can load."""

import pathlib

import keras
import tensorflow as tf

from export import examples, serving, warmup
from tfgen.algorithms.base import Algorithm
from trainers import files


def next_version(directory: pathlib.Path) -> int:
    """One more than the newest version in a model's directory."""
    if not directory.is_dir():
        return 1
    return 1 + max((int(d.name) for d in directory.iterdir() if d.name.isdigit()), default=0)


def write(algorithm: Algorithm, directory: pathlib.Path) -> pathlib.Path:
    """Writes the next version of a model, with requests to warm a server up where they can be built.

    Args:
        algorithm: trained.
        directory: the model's, with a directory for each version; its name is the model's.

    Returns:
        The version's directory, which appears whole or not at all.
    """
    # only what the endpoints use is saved: what training remembers of its images stays here
    archive = keras.export.ExportArchive()
    published = serving.endpoints(algorithm)
    for name, endpoint in published.items():
        archive.add_endpoint(name, endpoint.fn, input_signature=endpoint.signature)
    place = directory / str(next_version(directory))
    with files.written_aside(place) as aside:
        # nobody differentiates an export; its endpoints hold the gradients that sampling takes
        archive.write_out(str(aside), tf.saved_model.SaveOptions(experimental_custom_gradients=False), verbose=False)
        if warmup.available():
            shown = {name: examples.rows(endpoint, algorithm.image_shape) for name, endpoint in published.items()}
            warmup.write(aside, directory.name, shown)
    return place
