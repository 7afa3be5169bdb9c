"""What LiteRT files ask of a cascade of classifiers: a score, features, and one step of synthesis.

LiteRT has no stateless draws, so the places of the patches are inputs. Loops are the caller's: the stage, and what
Adam remembers, are inputs of a step.
"""

import tensorflow as tf

from tfgen import energies, random
from tfgen.models import CascadeTasks
from tfgen.models.synthesis import BOUNDS
from tfgen.samplers import Adam
from tfgen.samplers.adam import State
from tfgen.types import Endpoint, Places

NOTE = """\
A LiteRT file takes one image. `step` is one step of Adam under the classifier of `stage`. It takes and gives the image
with its border, the running means of its gradients and of their squares (zeros at a stage's first step) and the number
of steps taken, and takes the first rows and columns of the patches where the classifier sees patches; `objective` tells
when to go on to the next stage. Syntheses by other optimizers, and whole ones, are the SavedModel's business."""
"""How these files differ from the SavedModel's endpoints."""


def endpoints(tasks: CascadeTasks) -> dict[str, Endpoint]:
    """The endpoints that LiteRT can run, for one image at a time.

    Args:
        tasks: of a trained cascade.

    Returns:
        energy and features; step where synthesis goes by Adam.
    """
    image = tf.TensorSpec((1, *tasks.image_shape), tf.float32, "image")
    found = {
        "energy": Endpoint(lambda image: {"energy": tasks.energy(image)}, [image]),
        "features": Endpoint(lambda image: {"features": tasks.features(image)}, [image]),
    }
    return found | ({"step": _step(tasks)} if tasks.synthesis.optimizer == "adam" else {})


def _step(tasks: CascadeTasks) -> Endpoint:
    synthesis = tasks.synthesis
    maps = [
        tf.TensorSpec((1, *tasks.canvas), tf.float32, name) for name in ("image", "mean", "square")
    ]
    count, stage = tf.TensorSpec((), tf.float32, "count"), tf.TensorSpec((), tf.int32, "stage")
    places = [tf.TensorSpec((synthesis.patches,), tf.int32, name) for name in ("top", "left")]

    def step(image, mean, square, count, stage, *places):
        def energy(x):
            return synthesis.descended(tasks.classifier(stage)(x))

        if places:
            at = Places(tf.zeros_like(places[0]), *places)
            energy = energies.patchwork(energy, at, synthesis.patch_size)
        kernel = Adam(synthesis.step_size * tasks.scale(stage), synthesis.beta_1, bounds=BOUNDS)
        state, info = kernel.step(energy, State(image, mean, square, count), random.root(0))
        found = dict(zip(("image", "mean", "square", "count"), state, strict=True))
        return found | {"objective": info.energy}

    return Endpoint(step, [*maps, count, stage, *([] if synthesis.patch_size is None else places)])
