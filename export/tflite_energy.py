"""What LiteRT files ask of a model with an energy alone.

LiteRT has no gradients of convolutions and activations, so Langevin's drift is the explicit top-down pass
(equation 16 of A Theory of Generative ConvNet). It has no stateless draws either: noise is an input, one
image a step, which also makes the files' answers reproducible anywhere.
"""

from collections.abc import Callable

import tensorflow as tf

from tfgen import energies
from tfgen.nets.scoring import ScoringFunction
from tfgen.nets.top_down import top_down
from tfgen.tasks import EnergyTasks, cut
from tfgen.types import Endpoint, Image, Label

Drift = Callable[[Image, Label | None], Image]
"""σ² dU/dx = I - B: the reconstruction error that drives Langevin dynamics (equation 19)."""

NOTE = """\
A LiteRT file takes one image, and an image to start from and noise (a standard normal image a step) where the
SavedModel takes a seed and a number of steps."""
"""How these files differ from the SavedModel's endpoints."""


def endpoints(net: ScoringFunction, tasks: EnergyTasks) -> dict[str, Endpoint]:
    """The endpoints that LiteRT can run, for one image at a time.

    Args:
        net: the energy -f.
        tasks: its.

    Returns:
        energy, reconstruct, generate and complete.
    """
    drift = _drift(net, tasks)
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
