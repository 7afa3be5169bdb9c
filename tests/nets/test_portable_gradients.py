"""Steps down the slopes of nets are TensorFlow's in LiteRT, with built-in operators alone."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from support import litert_models, net_registry

from tfgen import energies, random
from tfgen.nets.architectures.activations import ACTIVATIONS, FORMS
from tfgen.nets.convolution.normalization import NORMALIZATIONS


def activations(family, role):
    """Returns the activations that a net can be built with; None where it has no such option."""
    function = net_registry.net_function(family, role)
    return ACTIVATIONS if "activation" in inspect.signature(function).parameters else [None]


def cases():
    """Yields each net with each of its activations; one net of each architecture is not slow."""
    for family, role in net_registry.NETS:
        if role == "joint_discriminator":  # of pairs, and nothing on a device descends it
            continue
        for activation in activations(family, role):
            fast = (family, role) in net_registry.REPRESENTATIVES
            marks = [] if fast else [pytest.mark.slow]
            yield pytest.param(family, role, activation, marks=marks)


def lively(net):
    """Gives a net weights of He's scale, so that its slopes are as large as its inputs."""
    for number, weight in enumerate(net.trainable_variables):
        fan_in = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 4
        draws = random.normal(weight.shape, random.fold_in(random.root(0), number))
        weight.assign(draws * (2 / fan_in) ** 0.5)
    return net


def built(family, role, activation):
    """Returns a lively net, and one input of it."""
    options = {} if activation is None else {"activation": activation}
    net, shape = net_registry.net(family, role, **options)
    sides = net.latent_shape if role == "generator" else shape
    return lively(net), random.normal([1, *sides], random.root(1))


def slope_of(net):
    """Returns the slope of the sum of what a net returns, as a function of its input."""

    def total(x):
        outputs = tf.nest.flatten(energies.frozen(net)(x))
        return tf.add_n([tf.reduce_sum(y, axis=range(1, y.shape.rank)) for y in outputs])

    return lambda x: energies.value_and_grad(total, x)[1]


@pytest.mark.parametrize(("family", "role", "activation"), list(cases()))
def test_a_step_down_the_slope_is_tensorflows(family, role, activation):
    """To 1e-4 of the step's norm."""
    net, x = built(family, role, activation)
    slope = slope_of(net)
    model = litert_models.converted(lambda x: x - 0.1 * slope(x), x.shape)
    step = 0.1 * slope(x)
    error = np.linalg.norm(litert_models.run_once(model, x) - (x - step))
    assert error < 1e-4 * np.linalg.norm(step)


@pytest.mark.parametrize("family", ["generative_convnet_digits"])
def test_a_loop_of_steps_is_tensorflows(family):
    """Twenty steps in a while loop, with noise that is given: to 1e-4 of the distance gone."""
    net, x = built(family, "energy", "relu")
    slope = slope_of(net)
    noise = random.normal([20, *x.shape], random.root(2))

    def chain(x, noise):
        def step(number, x):
            return number + 1, x - 0.01 * slope(x) + 0.1 * noise[number]

        _, x = tf.while_loop(
            lambda number, _: number < 20, step, [tf.constant(0), x], maximum_iterations=20
        )
        return x

    model = litert_models.converted(chain, x.shape, noise.shape)
    expected = tf.function(chain, autograph=False)(x, noise)
    error = np.linalg.norm(litert_models.run_once(model, x, noise) - expected)
    assert error < 1e-4 * np.linalg.norm(expected - x)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "options"),
    [
        *(("energy", {"form": form}) for form in FORMS),
        *(("generator", {"normalization": kind}) for kind in NORMALIZATIONS),
    ],
    ids=str,
)
def test_forms_of_energies_and_normalizations_of_generators_have_their_slopes_too(role, options):
    net, shape = net_registry.net("triangle_digits", role, **options)
    x = random.normal([1, *(net.latent_shape if role == "generator" else shape)], random.root(1))
    slope = slope_of(lively(net))
    model = litert_models.converted(lambda x: x - 0.1 * slope(x), x.shape)
    step = 0.1 * slope(x)
    error = np.linalg.norm(litert_models.run_once(model, x) - (x - step))
    assert error < 1e-4 * np.linalg.norm(step) + 1e-6
