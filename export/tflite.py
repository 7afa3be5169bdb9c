"""LiteRT files: one an endpoint, built-in operators only.

LiteRT has no gradients of convolutions and activations, so Langevin's drift is the explicit top-down pass
(equation 16 of A Theory of Generative ConvNet). It has no stateless draws either: noise is an input, one
image a step, which also makes the files' answers reproducible anywhere.
"""

import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tfgen import energies
from tfgen.algorithms.base import Algorithm
from tfgen.errors import UserError
from tfgen.nets.scoring import ScoringFunction
from tfgen.nets.top_down import top_down
from tfgen.tasks import EnergyTasks, cut
from tfgen.types import Endpoint, Image, Label
from trainers import files

Drift = Callable[[Image, Label | None], Image]
"""σ² dU/dx = I - B: the reconstruction error that drives Langevin dynamics (equation 19)."""


def endpoints(algorithm: Algorithm) -> dict[str, Endpoint]:
    """The endpoints of an algorithm that LiteRT can run, for one image at a time.

    Args:
        algorithm: with an energy; its `tasks` are `EnergyTasks`.

    Returns:
        energy, reconstruct, generate and complete.

    Raises:
        UserError: if the algorithm has no such tasks.
    """
    tasks = getattr(algorithm, "tasks", None)
    if not isinstance(tasks, EnergyTasks) or not isinstance(algorithm.energy, ScoringFunction):
        raise UserError("--formats: tflite expects an algorithm whose energy is a scoring function")
    drift = _drift(algorithm.energy, tasks)
    shape = tasks.image_shape
    image = tf.TensorSpec((1, *shape), tf.float32, "image")
    mask = tf.TensorSpec((1, *shape[:2], 1), tf.float32, "mask")
    noise = tf.TensorSpec((None, *shape), tf.float32, "noise")
    start = tf.TensorSpec((1, *shape), tf.float32, "start")
    label = [tf.TensorSpec((1,), tf.int32, "label")] if tasks.num_classes > 1 else []

    def energy(image, *label):
        return {"energy": tasks.energy(image, *label)}

    def reconstruct(image, *label):
        return {"image": image - drift(image, *label)}

    def generate(start, noise, *label):
        return {"image": cut(_langevin(tasks, drift, start, noise, None, *label), tasks.margin)}

    def complete(image, mask, start, noise, *label):
        known = mask * image
        x = _langevin(tasks, drift, known + (1 - mask) * start, noise, mask, *label)
        return {"image": known + (1 - mask) * x}

    return {
        "energy": Endpoint(energy, [image, *label]),
        "reconstruct": Endpoint(reconstruct, [image, *label]),
        "generate": Endpoint(generate, [start, noise, *label]),
        "complete": Endpoint(complete, [image, mask, start, noise, *label]),
    }


def convert(endpoint: Endpoint) -> bytes:
    """A LiteRT model of one endpoint, whose only signature is `serving_default`."""
    concrete = tf.function(endpoint.fn, input_signature=endpoint.signature, autograph=False).get_concrete_function()
    # variables inside a while loop must be constants before the converter sees them
    frozen = convert_variables_to_constants_v2(concrete)
    module = tf.Module()
    names = [spec.name for spec in endpoint.signature]
    module.answer = tf.function(
        lambda **inputs: _named(concrete.structured_outputs, frozen(*(inputs[n] for n in names))),
        autograph=False,
    )
    signature = module.answer.get_concrete_function(**{spec.name: spec for spec in endpoint.signature})
    converter = tf.lite.TFLiteConverter.from_concrete_functions([signature], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


def write(algorithm: Algorithm, directory: pathlib.Path) -> list[pathlib.Path]:
    """Writes one file an endpoint.

    Args:
        algorithm: trained.
        directory: where to.

    Returns:
        The files.
    """
    written = []
    for name, endpoint in endpoints(algorithm).items():
        path = directory / f"{name}.tflite"
        content = convert(endpoint)
        with files.written_aside(path) as aside:
            aside.write_bytes(content)
        written.append(path)
    return written


def run(path: pathlib.Path, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Runs a file once.

    Args:
        path: a LiteRT file.
        inputs: by name.

    Returns:
        The outputs by name.
    """
    interpreter = tf.lite.Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    return runner(**inputs)


def _named(structure: dict, values: list[tf.Tensor]) -> dict[str, tf.Tensor]:
    return dict(zip(sorted(structure), values, strict=True))


def _drift(net: ScoringFunction, tasks: EnergyTasks) -> Drift:
    """I - B, by the explicit top-down pass."""

    def drift(image, label=None):
        centred = image - tasks.mean
        return centred - tasks.sigma * top_down(net, centred / tasks.sigma, label).B

    return drift


def _langevin(tasks: EnergyTasks, drift: Drift, x: Image, noise: tf.Tensor, mask, *label) -> Image:
    """Equation 19 with given noise, then noise-free steps; gradients of known pixels are zero."""
    kernel = tasks.kernel
    unknown = 1.0 if mask is None else 1 - mask
    rate = kernel.step_size**2 / (2 * tasks.sigma**2)

    def move(x, z):
        gradient = unknown * drift(x, *label)
        if kernel.max_grad_norm is not None:
            norm = energies.norm(gradient) / tasks.sigma**2
            gradient *= tf.reshape(tf.minimum(1.0, kernel.max_grad_norm / norm), [-1, 1, 1, 1])
        x -= rate * gradient
        if z is not None:
            x += unknown * kernel.step_size * kernel.temperature**0.5 * z
        return x if kernel.bounds is None else tf.clip_by_value(x, *kernel.bounds)

    def loop(steps, x, draw):
        return tf.while_loop(lambda i, x: i < steps, lambda i, x: (i + 1, move(x, draw(i))), (0, x))[1]

    x = loop(tf.shape(noise)[0], x, lambda i: noise[i][tf.newaxis])
    x = loop(tasks.denoising_steps, x, lambda i: None)
    return tf.clip_by_value(x, -1.0, 1.0)
