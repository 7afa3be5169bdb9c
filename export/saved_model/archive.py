"""SavedModels: versioned directories with every endpoint of an algorithm, which TensorFlow alone can load."""

import pathlib
from collections.abc import Callable, Mapping

import tensorflow as tf

from export.saved_model import examples, serving, warmup
from tfgen import files
from tfgen.training.algorithm import Algorithm
from tfgen.types import Endpoint


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
    published = serving.endpoints(algorithm)
    model = _model(published)
    place = directory / str(next_version(directory))
    with files.written_aside(place) as aside:
        # nobody differentiates an export; its endpoints hold the gradients that sampling takes
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(model, str(aside), _signatures(model, list(published)), options)
        if warmup.available():
            shown = {
                name: examples.rows(endpoint, algorithm.image_shape)
                for name, endpoint in published.items()
            }
            warmup.write(aside, directory.name, shown)
    return place


def _signatures(model: tf.Module, names: list[str]) -> dict[str, Callable]:
    """The first one's is what a server answers by that is asked for none."""
    found = {name: getattr(model, name) for name in names}
    return found | {tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: found[names[0]]}


def _model(published: Mapping[str, Endpoint]) -> tf.Module:
    """What is saved: endpoints as attributes, and the variables they use; what training remembers of images is not.

    The endpoints are traced here, once: Keras's ExportArchive holds functions that saving would trace again.
    """
    model = tf.Module()
    for name, endpoint in published.items():
        graph = tf.function(endpoint.fn, endpoint.signature, autograph=False)
        setattr(model, name, graph.get_concrete_function())
    model.used = list(
        {id(v): v for name in published for v in getattr(model, name).variables}.values()
    )
    return model
