"""Portable forms: what LiteRT files ask of a model, for one example at a time.

LiteRT has no stateless draws. A task that draws therefore takes standard normal noise as an input,
in the place of a seed, and runs through the model's own sampler; all other tasks are converted as
they are.
"""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.models import (
    CascadeModel,
    Endpoint,
    EnergyModel,
    LatentModel,
    Model,
    completion,
    inputs,
    without_margin,
)
from tfgen.models.synthesis import BOUNDS
from tfgen.samplers import Adam
from tfgen.samplers.adam import State
from tfgen.types import Noise, Places

DRAWN = {"seed", "count", "draws"}
"""Inputs of tasks that have no form of their own on a device."""

NOTE = """\
A LiteRT file takes one example. An interpreter that resizes an input for several refuses with an
error. Where the SavedModel takes a seed and a number of steps, it takes
noise: standard normal numbers, one draw a step. `complete_step` is one step or round of a
completion, and `refine_step` one step under the energy with known pixels held; noise of zeros makes
it one of the noise-free steps that end every sample. `step` is one step of a cascade's synthesis:
it takes and gives what Adam remembers, and the places of patches where the classifier sees
patches."""
"""How LiteRT files differ from a SavedModel's endpoints, for people to read."""


def endpoints(model: Model) -> dict[str, Endpoint]:
    """Returns what LiteRT files are made of, by name.

    Args:
        model: trained.

    Raises:
        UserError: if nothing of the model can run on a device.
    """
    plain = {
        name: endpoint
        for name, endpoint in model.endpoints().items()
        if endpoint.inputs
        and not DRAWN & set(endpoint.input_names)
        and not any(None in known.shape for known in endpoint.inputs)
    }
    found = plain | {endpoint.name: endpoint for endpoint in sampled(model)}
    if not found:
        raise UserError("--formats: tflite expects a model with a task that a device can do")
    return found


@functools.singledispatch
def sampled(model: Model) -> list[Endpoint]:
    """Returns the forms of a model's tasks that draw, with noise as an input."""
    del model
    return []


@sampled.register
def _(model: EnergyModel) -> list[Endpoint]:
    if not model.sampling.kernel.takes_given_noise:
        return []
    shape = model.image_shape
    known = model.inputs()
    label = [known["label"]] if "label" in known else []
    start = inputs.image(shape, "start", "what a sample starts from")
    steps = inputs.noise(shape, None, "a standard normal image for each step")
    once = inputs.noise(shape, 1, "a standard normal image; zeros make a noise-free step")

    def generate(start, noise, label=None):
        energy = model.energy_fn(label)
        x = model.sample_from(energy, start, Noise(noise), tf.shape(noise)[0])
        return {"image": without_margin(x, model.margin)}

    def complete(image, mask, start, noise, label=None):
        steps = tf.shape(noise)[0]
        found = model.complete_from(start, image, mask, Noise(noise), steps, label)
        return {"image": found}

    def complete_step(image, mask, noise, label=None):
        return {"image": _step(model, model.energy_fn(label), image, mask, noise)}

    return [
        _endpoint(generate, start, steps, *label),
        _endpoint(complete, known["image"], known["mask"], start, steps, *label),
        _endpoint(complete_step, known["image"], known["mask"], once, *label),
    ]


@sampled.register
def _(model: LatentModel) -> list[Endpoint]:
    if model.posterior is None:
        return []
    known, shape = model.inputs(), model.image_shape
    draws = model.generator.latent_shape
    if model.inference_sampling is not None:  # a draw of the prior, and one for each step
        draws = (1 + model.inference_sampling.steps, *draws)
    words = "standard normal latents for each time that latents are inferred"
    rounds = inputs.noise(draws, model.completion_rounds, words, "latent_noise")
    once = inputs.noise(draws, 1, words, "latent_noise")
    steps = inputs.noise(shape, None, "a standard normal image for each step under the energy")
    refining = model.sampling is not None and model.sampling.kernel.takes_given_noise

    def complete(image, mask, latent_noise, noise=None):
        given = Noise(noise if noise is not None else tf.zeros((0, *shape)))
        count = tf.shape(given.values)[0]
        found = model.complete_by(image, mask, Noise(latent_noise), given, count)
        return {"image": found}

    def complete_step(image, mask, latent_noise):
        latent = model.posterior.sample(image, random.fold_in(Noise(latent_noise), 0), mask)
        return {"image": completion.refilled(model.generator.of_inferred, latent, image, mask)}

    def refine_step(image, mask, noise):
        return {"image": _step(model, model.energy_fn(), image, mask, noise)}

    images = known["image"], known["mask"]
    found = [
        _endpoint(complete, *images, rounds, *([steps] if refining else [])),
        _endpoint(complete_step, *images, once),
    ]
    if refining:
        found.append(_endpoint(refine_step, *images, inputs.noise(shape, 1, "see complete")))
    return found


@sampled.register
def _(model: CascadeModel) -> list[Endpoint]:
    synthesis = model.synthesis
    if synthesis.optimizer != "adam":
        return []
    canvas = model.canvas
    start = inputs.image(canvas, "canvas", "an image with its border")
    zeros = np.zeros(canvas, np.float32)  # as at a stage's first step: squares are not negative
    maps = [
        start,
        *(
            dataclasses.replace(start, name=name, meaning=meaning, example=zeros)
            for name, meaning in (
                ("mean", "the running mean of its gradients; zeros at a stage's first step"),
                ("square", "the running mean of their squares; zeros at a stage's first step"),
            )
        ),
    ]
    count = inputs.Input("count", (), tf.float32, "steps taken in this stage", False, example=0)
    places = [
        inputs.Input(name, (synthesis.patches,), tf.int32, meaning, False, example=0)
        for name, meaning in (("top", "first rows of patches"), ("left", "first columns"))
    ]

    def step(canvas, mean, square, count, stage, top=None, left=None):
        def energy(x):
            return synthesis.descended(model.classifier(stage)(x))

        if top is not None:
            at = Places(tf.zeros_like(top), top, left)
            energy = energies.patchwork(energy, at, synthesis.patch_size)
        rate = synthesis.step_size * model.step_scale(stage, count)
        kernel = Adam(rate, synthesis.beta_1, bounds=BOUNDS)
        state, info = kernel.step(energy, State(canvas, mean, square, count), random.root(0))
        found = dict(zip(("canvas", "mean", "square", "count"), state, strict=True))
        return found | {"objective": info.energy}

    given = [*maps, count, model.inputs()["stage"]]
    patched = synthesis.patch_size is not None
    return [_endpoint(step, *given, *(places if patched else []))]


def _step(model, energy, image, mask, noise) -> tf.Tensor:
    """Makes one step of a model's kernel on the missing pixels, with given noise."""
    kernel, clamped = model.sampling.kernel, energies.clamped(energy, image, mask)
    drawn = random.fold_in(Noise(noise), 0)
    state, _ = kernel.step(clamped, kernel.init(clamped, image), drawn)
    return mask * image + (1 - mask) * state.x


def _endpoint(fn, *taken: inputs.Input) -> Endpoint:
    """Returns a form as an endpoint of its function's name."""
    return Endpoint(fn.__name__, fn, tuple(taken), ())
