"""The theory of the generative ConvNet on trained nets: sections 4 to 6 of the paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tfgen import energies, losses, random
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data import examples
from tfgen.evaluation.local_modes import LocalModes, descend
from tfgen.nets.architectures.top_down import top_down
from tfgen.nets.families import (
    generative_convnet_digits,
    generative_convnet_texture,
    prototype,
    toy,
)
from tfgen.samplers import Langevin, run

POINT = (1, 1, 2)


def train(net, data, *, steps, optimizer, batch_size=100, **options):
    """Returns a model after a short training."""
    mean = data.train.as_float().mean(axis=(0, 1, 2))
    algorithm = GenerativeConvNet(net, image_shape=data.shape, image_mean=mean, **options)
    algorithm.compile({"energy": optimizer})
    stream = data.train.batches(batch_size, random.root(0))
    algorithm.fit(stream, steps_per_epoch=steps, verbose=0)
    return algorithm.model


@pytest.fixture(scope="module")
def plane():
    """Trains the prototype model of ten filters in two dimensions on the mixture."""
    keras.utils.set_random_seed(0)
    data = examples.load("toy/mixture", test_fraction=0)
    net = prototype.energy(POINT, filters=10, initializer_scale=0.7)
    options = {"sigma": 0.3, "step_size": 0.1, "langevin_steps": 10, "chains": 200}
    return train(
        net, data, steps=400, optimizer=keras.optimizers.Adam(0.01), batch_size=200, **options
    ), data


@pytest.fixture(scope="module")
def digits():
    """Trains a small ReLU net on the digits."""
    keras.utils.set_random_seed(0)
    data = examples.load("digits", test_fraction=0.1)
    net = generative_convnet_digits.energy((8, 8, 1), width=0.25, activation="relu")
    options = {
        "sigma": 0.5,
        "step_size": 0.1,
        "langevin_steps": 6,
        "chains": 100,
        "data_noise": 0.1,
    }
    return train(net, data, steps=150, optimizer=keras.optimizers.SGD(0.02), **options), data


@pytest.fixture(scope="module")
def brick():
    """Trains a narrow texture net on patches of bricks."""
    keras.utils.set_random_seed(0)
    data = examples.load("textures/brick", image_size=(96, 96), patch_size=32, test_fraction=0.25)
    net = generative_convnet_texture.energy((32, 32, 1), width=0.1)
    stabilisers = {"map_area_normalization": True, "max_gradient": 20.0}
    options = {"sigma": 0.2, "step_size": 0.05, "langevin_steps": 5, "chains": 4}
    optimizer = keras.optimizers.SGD(0.1)
    return train(
        net, data, steps=40, optimizer=optimizer, batch_size=4, **options, **stabilisers
    ), data


def observed(trained, count):
    """Returns the first training images in units of sigma, cut to the size trained on."""
    model, data = trained
    x = data.train.shown(count)
    return tf.constant((x - model.image_mean) / model.sigma, tf.float32)


# Theorem 1


@pytest.mark.parametrize("name", [pytest.param("plane", marks=pytest.mark.slow), "digits", "brick"])
def test_the_score_is_alpha_plus_the_inner_product_with_b(name, request):
    """Observed images and chains agree to 1e-5 of the summands' sizes."""
    trained = request.getfixturevalue(name)
    model = trained[0]
    chains = (model.persistent_chains.take() - model.image_mean) / model.sigma
    for y in (observed(trained, 50), chains):
        f, found = -model.energy_net(y).numpy(), top_down(model.energy_net, y)
        products = np.float64(y * found.B)
        size = np.abs(found.alpha) + np.abs(products).sum(axis=(1, 2, 3))
        assert np.all(np.abs(f - found.alpha - products.sum(axis=(1, 2, 3))) < 1e-5 * size)


@pytest.mark.parametrize("name", ["plane", "digits", "brick"])
def test_the_density_on_a_piece_is_a_gaussian_of_mean_b(name, request):
    """U = |y - B|² / 2 + a constant, so that dU/dy = y - B to 1e-5, by two routes."""
    trained = request.getfixturevalue(name)
    model = trained[0]
    y = observed(trained, 20)
    x = model.image_mean + model.sigma * y
    decoded = model.image_mean + model.sigma * top_down(model.energy_net, y).B
    atol = 1e-5 * np.abs(decoded).max()
    np.testing.assert_allclose(model.reconstruct(x), decoded, rtol=0, atol=atol)


# Proposition 2


def test_descents_of_the_prototype_end_in_modes_that_auto_encode_exactly(plane):
    """|I - B| < 1e-4 |I| for those whose slope vanishes; the others rest on a kink, where B jumps.

    On the plane at least half converge: the learned modes lie inside their pieces.
    """
    model, data = plane
    start = data.train.shown(200)
    modes = descend(model, start, num_steps=2000, tolerance=1e-4)
    assert modes.converged.mean() > 0.5
    assert modes.relative_error[modes.converged].max() < 1e-4
    x = tf.constant(modes.mode[modes.converged])
    y = (x - model.image_mean) / model.sigma
    decoded = (model.image_mean + model.sigma * top_down(model.energy_net, y).B).numpy()
    error = np.linalg.norm((decoded - x).numpy().reshape(len(x), -1), axis=1)
    assert np.all(error < 1.01e-4 * np.linalg.norm(x.numpy().reshape(len(x), -1), axis=1))


def test_modes_are_stable_under_langevins_noise_free_dynamics(plane):
    """A mode is an attractor: nearby points of its piece come back to it."""
    model, data = plane
    modes = descend(model, data.train.shown(50), num_steps=2000, tolerance=1e-4)
    mode = modes.mode[modes.converged]
    nudged = tf.constant(
        mode + 1e-3 * np.random.default_rng(0).choice([-1, 1], mode.shape).astype(np.float32)
    )
    back, _ = run(Langevin(0.15, temperature=0.0), model.energy_fn(), nudged, random.root(0), 200)
    assert np.mean(np.abs(back - mode).max(axis=(1, 2, 3)) < 1e-4) > 0.8


def test_descents_of_a_deep_relu_net_only_ever_lower_the_energy(digits):
    """Hardly any converges: they rest on a kink of the energy, where B jumps.

    Those that converge auto-encode.
    """
    model, data = digits
    modes = descend(model, data.train.shown(32), num_steps=1500, tolerance=1e-4)
    u = [model.energy(x).numpy() for x in (modes.start, modes.mode)]
    assert np.all(u[1] < u[0])
    assert np.all(modes.relative_error[modes.converged] < 1e-4)


def test_the_smooth_net_auto_encodes_its_modes_too():
    """Proposition 2 holds for any h; without kinks descents converge, but for the flattest few."""
    keras.utils.set_random_seed(0)
    data = examples.load("toy/mixture", test_fraction=0)
    net = prototype.energy(POINT, filters=10, initializer_scale=0.7, activation="swish")
    options = {"sigma": 0.3, "step_size": 0.1, "langevin_steps": 10, "chains": 200}
    model = train(net, data, steps=100, optimizer=keras.optimizers.Adam(0.01), **options)
    measured = dict(LocalModes(model, data, num_images=32, num_steps=3000).run())
    assert measured["converged"] > 0.9
    assert measured["relative_error"] < 1e-4


# Proposition 3


def gradient(net, loss):
    """Returns a loss's gradient in all of a net's weights, flat; unreached ones are zero."""
    variables = [v.value for v in net.trainable_variables]
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, variables, unconnected_gradients="zero")
    return np.concatenate([np.float64(g).ravel() for g in found])


def cosine(a, b):
    """Returns the cosine of the angle between two vectors."""
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_one_step_cd_follows_the_reconstruction_gradient_averaged_over_noise(plane):
    """In the plane, by the library's own step, loss and pass, from independent noise.

    The drift is ε²/2 |I - B|, and the mean of n draws of noise is off by ε √(2/n). With ε = 0.1,
    n = 400,000 and |I - B| > 0.5 they stand as 0.0025 to 0.0002, whose angle's cosine is above
    0.99. Only images whose pattern no draw changes are taken, and some there are.
    """
    net = plane[0].energy_net
    y = observed(plane, 400)
    error = tf.norm(y - top_down(net, y).B, axis=[1, 3])[:, 0]
    near = np.abs(net.convs[0](y).numpy()) / np.linalg.norm(
        net.convs[0].kernel.numpy().reshape(2, -1), axis=0
    )
    inside = (near.reshape(400, -1).min(axis=1) > 0.55) & (error.numpy() > 0.5)
    assert inside.any()
    for number, i in enumerate(np.flatnonzero(inside)[:3]):
        start = tf.tile(y[i : i + 1], [400_000, 1, 1, 1])
        energy = energies.tilted(energies.frozen(net), 1.0)
        synthesized, _ = run(Langevin(0.1), energy, start, random.root(number), 1)
        pattern = top_down(net, synthesized).delta[0].numpy()
        assert np.array_equal(pattern.min(axis=0), pattern.max(axis=0))
        # float32 bears no longer sums
        pairs = zip(tf.split(start, 100), tf.split(synthesized, 100), strict=True)
        cd = (
            sum(
                gradient(net, lambda s=s, t=t: losses.energy_difference(net(s), net(t)))
                for s, t in pairs
            )
            / 100
        )
        one = y[i : i + 1]
        reconstruction = gradient(net, lambda x=one: losses.reconstruction(x, top_down(net, x).B))
        assert cosine(cd, reconstruction) > 0.99
        ratio = cd @ reconstruction / (reconstruction @ reconstruction)
        assert ratio == pytest.approx(0.1**2 / 2, rel=0.1)


def test_one_step_cd_follows_the_reconstruction_gradient_of_a_deep_net(digits):
    """The net has two layers in float64; opposite noise cancels where the score is linear."""
    trained = digits[0].energy_net
    keras.config.set_dtype_policy("float64")
    try:
        net = generative_convnet_digits.energy((8, 8, 1), width=0.25, activation="relu")
    finally:
        keras.config.set_dtype_policy("float32")
    net.set_weights(trained.get_weights())
    step, rng, tested = 1e-3, np.random.default_rng(0), 0
    for one in tf.cast(observed(digits, 30), tf.float64):
        y = one[None]
        found = top_down(net, y)
        drift = y - step**2 / 2 * (y - tf.cast(found.B, tf.float64))
        noise = step * rng.standard_normal((10, 8, 8, 1))
        synthesized = tf.concat([drift + noise, drift - noise], axis=0)
        same = [
            np.array_equal(np.broadcast_to(a, b.shape), b)
            for a, b in zip(found.delta, top_down(net, synthesized).delta, strict=True)
        ]
        if not all(same):
            continue
        tested += 1
        cd = gradient(net, lambda a=y, b=synthesized: losses.energy_difference(net(a), net(b)))
        target = gradient(
            net, lambda a=y: losses.reconstruction(a, tf.cast(top_down(net, a).B, tf.float64))
        )
        assert cosine(cd, target) > 0.99
    assert tested >= 3


# Proposition 1


@pytest.fixture(scope="module")
def classes():
    """Trains a class-conditional model of three clouds in the plane, of unequal frequency."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    label = rng.choice(3, 5000, p=[0.6, 0.3, 0.1])
    means, scales = np.array([[0.5, 0.0], [-0.4, 0.3], [-0.2, -0.5]]), np.array([0.3, 0.15, 0.1])
    points = means[label] + scales[label, None] * rng.standard_normal((5000, 2))
    found = examples.Examples(points.reshape(-1, *POINT).astype(np.float32), label)
    data = examples.Images(found, found, POINT, 5000)
    net = toy.energy(POINT, width=0.25, outputs=3)
    options = {"sigma": 0.5, "step_size": 0.15, "chains": 300, "langevin_steps": 10}
    return train(
        net, data, steps=300, optimizer=keras.optimizers.SGD(0.05), batch_size=200, **options
    ), data


def exact(model, side=240, extent=4.0):
    """Returns f, log p_c and log Z_c relative to the reference, exact up to the grid."""
    axis = (np.arange(side) + 0.5) / side * 2 * extent - extent
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, *POINT).astype(np.float32)
    area = (2 * extent / side) ** 2
    y = (points - model.image_mean) / model.sigma
    f = -model.energy_net(y).numpy().astype(np.float64)
    log_q = -(y**2).sum(axis=(1, 2, 3)) / 2 - np.log(2 * np.pi * model.sigma**2)
    u = [model.energy(points, np.full(len(points), c)).numpy() for c in range(f.shape[1])]
    log_p = -np.stack(u, axis=1).astype(np.float64)  # up to log Z_c and the constant of q
    log_p -= special.logsumexp(log_p, axis=0) + np.log(area)
    return f, log_p, special.logsumexp(f + log_q[:, None], axis=0) + np.log(area)


def test_the_bayes_classifier_of_the_densities_is_the_softmax_with_biases_log_rho_less_log_z(
    classes,
):
    """Proposition 1 (a) holds to rounding wherever any class has mass."""
    model, data = classes
    f, log_p, log_z = exact(model)
    log_rho = np.log(np.bincount(data.train.label) / len(data.train))
    bayes = special.softmax(log_p + log_rho, axis=1)
    somewhere = log_p.max(axis=1) > -15
    np.testing.assert_allclose(
        special.softmax(f + log_rho - log_z, axis=1)[somewhere], bayes[somewhere], atol=1e-3
    )
    assert np.abs(special.softmax(f + log_rho + log_z, axis=1) - bayes)[somewhere].max() > 0.2


@pytest.mark.slow
def test_accuracy_uses_these_biases(classes):
    """Its log Z by annealing is near the grid's, and its accuracy near that of fitted biases."""
    from tfgen.evaluation.accuracy import Accuracy

    model, data = classes
    _, _, log_z = exact(model)
    evaluator = Accuracy(model, data, chains=200, temperatures=100)
    constant = np.log(2 * np.pi * model.sigma**2)  # of the reference in the plane
    for bound in evaluator.log_z():  # from the persistent chains down, and from the reference up
        np.testing.assert_allclose(bound - constant, log_z, atol=0.25)
    measured = dict(evaluator.run())
    assert measured["accuracy_fitted"] > 0.85
    assert abs(measured["accuracy"] - measured["accuracy_fitted"]) < 0.05
