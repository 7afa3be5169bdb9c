"""What LiteRT files ask of a model with a generator: one pass through its nets, or a few.

LiteRT has no gradients of convolutions, so nothing is sampled: neither images under the energy, nor latents where
no net infers them. It has no stateless draws either: noise is an input.
"""

import tensorflow as tf

from tfgen.models import Amortized, LatentTasks
from tfgen.types import Endpoint

NOTE = """\
A LiteRT file takes one image, or one latent. `complete` takes noise (a standard normal latent for each time that
latents are inferred) where the SavedModel takes a seed, and does not move its answer under the energy where the model
has one. `complete_step` is one of its rounds: it takes the image as it has been filled so far, zeros at first.
Langevin dynamics is the SavedModel's business: moving images under the energy, and inferring latents where there is no
inference net. Without one, files do not encode, reconstruct, interpolate or complete."""
"""How these files differ from the SavedModel's endpoints."""


def endpoints(tasks: LatentTasks) -> dict[str, Endpoint]:
    """The endpoints that LiteRT can run, for one image or latent at a time.

    Args:
        tasks: of a trained generator.

    Returns:
        decode; energy where there is one; where a net infers latents encode, reconstruct, interpolate, complete, and
        complete_step, a round of the latter.
    """
    image = tf.TensorSpec((1, *tasks.image_shape), tf.float32, "image")
    latent = tf.TensorSpec((1, *tasks.generator.latent_shape), tf.float32, "latent")
    found = {"decode": Endpoint(lambda latent: {"image": tasks.decode(latent)}, [latent])}
    if tasks.density is not None:
        found["energy"] = Endpoint(lambda image: {"energy": tasks.energy(image)}, [image])
    if isinstance(tasks.posterior, Amortized):
        found |= _inferred(tasks, tasks.posterior, image)
    return found


def _inferred(
    tasks: LatentTasks, posterior: Amortized, image: tf.TensorSpec
) -> dict[str, Endpoint]:
    """What an inference net is needed for."""
    first, second = (tf.TensorSpec(image.shape, tf.float32, name) for name in ("first", "second"))
    position, spherical = (
        tf.TensorSpec((1,), tf.float32, "position"),
        tf.TensorSpec((), tf.bool, "spherical"),
    )
    mask = tf.TensorSpec((*image.shape[:3], 1), tf.float32, "mask")
    noise, once = (
        tf.TensorSpec((rounds, *tasks.generator.latent_shape), tf.float32, "noise")
        for rounds in (tasks.completion_rounds, 1)
    )

    def encode(image):
        return dict(zip(("latent", "log_var"), posterior.gaussian(image), strict=True))

    def infer(image, noise):
        mean, log_var = posterior.gaussian(image)
        return mean + tf.exp(log_var / 2) * noise

    def complete(image, mask, noise):
        return {"image": tasks.filled(image, mask, lambda x, i: infer(x, noise[i]))}

    def complete_step(image, mask, noise):
        return {"image": tasks.refilled(image, mask, infer(image, noise))}

    return {
        "encode": Endpoint(encode, [image]),
        "reconstruct": Endpoint(lambda image: {"image": tasks.reconstruct(image)}, [image]),
        "interpolate": Endpoint(
            lambda *inputs: {"image": tasks.interpolate(*inputs)},
            [first, second, position, spherical],
        ),
        "complete": Endpoint(complete, [image, mask, noise]),
        "complete_step": Endpoint(complete_step, [image, mask, once]),
    }
