"""What LiteRT files ask of a model with an energy alone.

LiteRT has no gradients of convolutions and activations, so Langevin's drift is the explicit top-down pass
(equation 16 of A Theory of Generative ConvNet). It has no stateless draws either: noise is an input, one
image a step, which also makes the files' answers reproducible anywhere.
"""

from collections.abc import Callable

import tensorflow as tf

from tfgen import energies
from tfgen.models import EnergyTasks, cut
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.architectures.top_down import top_down
from tfgen.types import Endpoint, Image, Label

Drift = Callable[[Image, Label | None], Image]
"""σ² dU/dx = I - B: the reconstruction error that drives Langevin dynamics (equation 19)."""
Move = Callable[[Image, tf.Tensor | None], Image]
"""A step of these dynamics with its noise, or without."""

NOTE = """\
A LiteRT file takes one image, and an image to start from and noise (a standard normal image a step) where the
SavedModel takes a seed and a number of steps. `complete_step` is one step of a completion, which known pixels and those
to start from are put together for; with noise of zeros it is one of the noise-free steps that end every sample."""
"""How these files differ from the SavedModel's endpoints."""


def endpoints(net: ScoringFunction, tasks: EnergyTasks) -> dict[str, Endpoint]:
    """The endpoints that LiteRT can run, for one image at a time.

    Args:
        net: the energy -f.
        tasks: its.

    Returns:
        energy, reconstruct, generate, complete, and complete_step, a step of the latter.
    """
    drift = _drift(net, tasks)
    shape = tasks.image_shape
    image = tf.TensorSpec((1, *shape), tf.float32, "image")
    mask = tf.TensorSpec((1, *shape[:2], 1), tf.float32, "mask")
    noise, once = (tf.TensorSpec((steps, *shape), tf.float32, "noise") for steps in (None, 1))
    start = tf.TensorSpec((1, *shape), tf.float32, "start")
    label = [tf.TensorSpec((1,), tf.int32, "label")] if tasks.num_classes > 1 else []

    def energy(image, *label):
        return {"energy": tasks.energy(image, *label)}

    def reconstruct(image, *label):
        return {"image": image - drift(image, *label)}

    def generate(start, noise, *label):
        return {
            "image": cut(
                _langevin(tasks, _move(tasks, drift, None, *label), start, noise), tasks.margin
            )
        }

    def complete(image, mask, start, noise, *label):
        known = mask * image
        x = _langevin(tasks, _move(tasks, drift, mask, *label), known + (1 - mask) * start, noise)
        return {"image": known + (1 - mask) * x}

    def complete_step(image, mask, noise, *label):
        return {"image": _move(tasks, drift, mask, *label)(image, noise)}

    return {
        "energy": Endpoint(energy, [image, *label]),
        "reconstruct": Endpoint(reconstruct, [image, *label]),
        "generate": Endpoint(generate, [start, noise, *label]),
        "complete": Endpoint(complete, [image, mask, start, noise, *label]),
        "complete_step": Endpoint(complete_step, [image, mask, once, *label]),
    }


def _drift(net: ScoringFunction, tasks: EnergyTasks) -> Drift:
    """I - B, by the explicit top-down pass."""

    def drift(image, label=None):
        centred = image - tasks.mean
        return centred - tasks.sigma * top_down(net, centred / tasks.sigma, label).B

    return drift


def _move(tasks: EnergyTasks, drift: Drift, mask, *label) -> Move:
    """A step of equation 19 with given noise; gradients of known pixels are zero."""
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

    return move


def _langevin(tasks: EnergyTasks, move: Move, x: Image, noise: tf.Tensor) -> Image:
    """So many steps as there is noise for, then noise-free ones."""

    def loop(steps, x, draw):
        return tf.while_loop(
            lambda i, x: i < steps, lambda i, x: (i + 1, move(x, draw(i))), (0, x)
        )[1]

    x = loop(tf.shape(noise)[0], x, lambda i: noise[i][tf.newaxis])
    x = loop(tasks.denoising_steps, x, lambda i: None)
    return tf.clip_by_value(x, -1.0, 1.0)
