"""The generative ConvNet: each line of Algorithm 1, each stabiliser, growth, and what it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import command_line

from tfgen import random
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data import examples
from tfgen.errors import UserError
from tfgen.nets.families import (
    generative_convnet_digits,
    generative_convnet_object,
    generative_convnet_texture,
    toy,
)

pytestmark = pytest.mark.eager

SHAPE = (8, 8, 1)
SEED = random.root(5)


def build(
    family=generative_convnet_object, *, shape=SHAPE, rate=1.0, optimizer=None, net=None, **options
):
    """Returns a small compiled algorithm whose weights give gradients worth comparing."""
    keras.utils.set_random_seed(0)
    energy = family.energy(shape, **({"width": 0.1} | (net or {})))
    for weight in energy.trainable_variables:
        weight.assign(8 * weight.value + 0.01)
    given = {"sigma": 0.5, "step_size": 0.1, "langevin_steps": 3, "chains": 6} | options
    algorithm = GenerativeConvNet(
        energy, image_shape=shape, image_mean=[0.1] * shape[-1], seed=1, **given
    )
    algorithm.compile({"energy": optimizer or keras.optimizers.SGD(rate)})
    return algorithm


def batch(count=4, shape=SHAPE, classes=0):
    """Returns a batch of images in [-1, 1], perhaps labelled."""
    image = tf.tanh(random.normal([count, *shape], random.root(9)))
    found = {"image": image, "index": tf.range(count, dtype=tf.int64)}
    return found | ({"label": tf.range(count, dtype=tf.int64) % classes} if classes else {})


def weights(algorithm):
    """Returns copies, in order; `numpy()` alone may be a view that an assignment changes."""
    return [np.copy(w.numpy()) for w in algorithm.model.energy_net.trainable_variables]


def statistics(algorithm, observed, synthesized):
    """Computes H_obs and H_syn, the mean gradients of the score, at the present weights."""
    found = []
    for x in (observed, synthesized):
        with tf.GradientTape() as tape:
            score = tf.reduce_mean(
                -algorithm.model.energy_net(
                    (x - algorithm.model.image_mean) / algorithm.model.sigma
                )
            )
        variables = algorithm.model.energy_net.trainable_variables
        found.append(
            tape.gradient(score, [v.value for v in variables], unconnected_gradients="zero")
        )
    return [[g.numpy() for g in h] for h in found]


def steps(chains_or_data, algorithm):
    """Computes equation 19 by hand, in pixel units, with the update's own noise."""
    _, _, seed = random.split(SEED, 3)
    x = chains_or_data
    for i in range(algorithm.langevin_steps):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = (x - algorithm.model.image_mean) / algorithm.model.sigma
            u = algorithm.model.energy_net(y) + tf.reduce_sum(y**2, axis=[1, 2, 3]) / 2
        noise = random.normal(x.shape, random.fold_in(seed, i))
        x = x - 0.1**2 / 2 * tape.gradient(u, x) + 0.1 * noise
    return x


def updated(**options):
    """Returns the change of each weight, H_obs - H_syn, the variables, and the algorithm."""
    algorithm = build(**options)
    before = weights(algorithm)
    twin = build(**options)
    data = batch()
    algorithm.update(data, SEED)
    h_obs, h_syn = statistics(twin, data["image"], algorithm.model.persistent_chains.state.value)
    change = [after - old for after, old in zip(weights(algorithm), before, strict=True)]
    return change, [o - s for o, s in zip(h_obs, h_syn, strict=True)], before, algorithm


def assert_close(found, expected):
    """Each array agrees to 1e-4 of the largest entry of the expected one.

    This is the rounding of differences of sums.
    """
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * np.abs(b).max() + 1e-7)


# Algorithm 1


def test_chains_begin_at_the_mean_of_the_reference():
    np.testing.assert_array_equal(
        build().model.persistent_chains.take(), np.full((6, *SHAPE), np.float32(0.1))
    )


def test_step_4_moves_the_chains_by_langevin_steps():
    algorithm = build()
    start = algorithm.model.persistent_chains.take()
    expected = steps(start, build())
    algorithm.update(batch(), SEED)
    np.testing.assert_allclose(algorithm.model.persistent_chains.take(), expected, atol=1e-5)


def test_chains_go_on_from_where_they_were():
    algorithm = build(rate=0.0)
    algorithm.update(batch(), SEED)
    first = algorithm.model.persistent_chains.take()
    algorithm.update(batch(), SEED)
    np.testing.assert_allclose(
        algorithm.model.persistent_chains.take(), steps(first, algorithm), atol=1e-5
    )


def test_steps_5_and_6_add_the_rate_times_observed_minus_synthesized_statistics():
    change, ascent, _, _ = updated(rate=0.5)
    assert_close(change, [0.5 * h for h in ascent])
    assert max(np.abs(h).max() for h in ascent) > 0.1


def test_adam_moves_weights_too():
    algorithm = build(optimizer=keras.optimizers.Adam(0.01))
    before = weights(algorithm)
    algorithm.update(batch(), SEED)
    moved = [np.abs(a - b).max() for a, b in zip(weights(algorithm), before, strict=True)]
    assert max(moved) == pytest.approx(
        0.01, rel=1e-3
    )  # Adam's first step is the rate where the gradient is not tiny
    assert sum(m > 0.009 for m in moved) >= 4


def test_logged_numbers_are_what_they_say():
    algorithm, twin = build(), build()
    data = batch()
    logs = {name: float(value) for name, value in algorithm.update(data, SEED).items()}
    density = twin.model.energy_fn()
    energy_data = density(data["image"]).numpy().mean()
    energy_samples = density(algorithm.model.persistent_chains.take()).numpy().mean()
    h_obs, h_syn = statistics(twin, data["image"], algorithm.model.persistent_chains.take())
    norm = np.sqrt(sum(np.sum((o - s) ** 2) for o, s in zip(h_obs, h_syn, strict=True)))
    assert logs["energy_data"] == pytest.approx(energy_data, rel=1e-4)
    assert logs["energy_samples"] == pytest.approx(energy_samples, rel=1e-4)
    assert logs["energy_gap"] == pytest.approx(energy_data - energy_samples, rel=1e-3)
    assert logs["weight_grad_norm"] == pytest.approx(norm, rel=1e-3)
    assert logs["langevin_grad_norm"] > 0
    assert set(logs) == set(algorithm.means)


# stabilisers of the released code


def reached(variable_index, algorithm):
    """Returns whether the score depends on a variable: not on the tops of smaller depths."""
    unused = [top.kernel for top in algorithm.model.energy_net.tops[:-1]]
    return not any(
        algorithm.model.energy_net.trainable_variables[variable_index] is kernel
        for kernel in unused
    )


def layer_area(variable):
    """Returns the area of the maps: 4x4 for 8x8 images; the filter on top covers all of them."""
    return 1 if variable.shape[:2] == (4, 4) else 16


def test_map_area_normalization_divides_by_the_area_of_a_layers_maps():
    change, ascent, before, _ = updated(map_area_normalization=True)
    assert_close(change, [h / layer_area(v) for h, v in zip(ascent, before, strict=True)])


def test_max_gradient_scales_each_variable_to_its_largest_entry():
    change, ascent, _, _ = updated(max_gradient=0.05)
    assert_close(change, [h * min(1, 0.05 / max(np.abs(h).max(), 1e-12)) for h in ascent])
    largest = [np.abs(c).max() for c in change]
    assert any(size == pytest.approx(0.05, rel=1e-3) for size in largest)


def test_weight_decay_pulls_weights_but_not_biases():
    """Top filters of smaller depths stay too, since the score does not reach them."""
    change, ascent, before, algorithm = updated(weight_decay=0.3)
    for i, (h, v) in enumerate(zip(ascent, before, strict=True)):
        expected = h - (0.3 * v if v.ndim > 1 and reached(i, algorithm) else 0)
        assert_close([change[i]], [expected])


def test_bias_rate_multiplies_the_step_of_biases_alone():
    change, ascent, before, _ = updated(bias_rate=2.0)
    assert_close(
        change, [h * (2 if v.ndim == 1 else 1) for h, v in zip(ascent, before, strict=True)]
    )


def test_bias_rate_is_refused_with_an_optimizer_that_would_ignore_it():
    with pytest.raises(UserError, match="bias_rate"):
        build(bias_rate=2.0, optimizer=keras.optimizers.Adam(0.01))


def test_clamped_chains_stay_in_range():
    algorithm = build(clamp=True, step_size=1.0, rate=0.0)
    algorithm.update(batch(), SEED)
    x = algorithm.model.persistent_chains.take().numpy()
    assert (x.min(), x.max()) == (-1, 1)


def test_the_langevin_gradient_is_capped_at_its_norm():
    """Without noise, three steps of size ε move a chain by at most 3 ε²/2 times the cap."""
    algorithm = build(max_grad_norm=0.5, temperature=0.0)
    start = np.copy(algorithm.model.persistent_chains.take().numpy())
    algorithm.update(batch(), SEED)
    moved = np.linalg.norm(
        (algorithm.model.persistent_chains.take().numpy() - start).reshape(6, -1), axis=1
    )
    assert moved.max() <= 3 * 0.1**2 / 2 * 0.5 * 1.001


def test_data_noise_has_its_standard_deviation():
    """Quiet and noisy data have different energies; the same seed gives the same noise."""
    quiet, noisy, again = (
        build(data_noise=s).update(batch(), SEED)["energy_data"] for s in (0.0, 0.2, 0.2)
    )
    assert noisy == again
    assert noisy != quiet


# contrastive divergence, rejuvenation, classes


def test_contrastive_divergence_starts_from_the_data_and_keeps_no_chains():
    data = batch()
    algorithm, twin = build(contrastive_divergence=True), build(contrastive_divergence=True)
    before = weights(algorithm)
    logs = algorithm.update(data, SEED)
    h_obs, h_syn = statistics(twin, data["image"], steps(data["image"], twin))
    change = [after - old for after, old in zip(weights(algorithm), before, strict=True)]
    assert_close(change, [o - s for o, s in zip(h_obs, h_syn, strict=True)])
    assert algorithm.model.persistent_chains.num == 0
    error = (data["image"] - algorithm.model.reconstruct(data["image"])).numpy()
    assert float(logs["reconstruction_error"]) == pytest.approx(np.mean(error**2), rel=1e-4)


def test_rejuvenation_restarts_its_share_of_the_chains_from_the_reference():
    """A quarter of 400 chains, held at 5, starts anew.

    The tolerance is 5 binomial standard errors, which fails with a probability of 6e-7.
    """
    algorithm = build(chains=400, rejuvenation=0.25, step_size=1e-6, langevin_steps=1)
    algorithm.model.persistent_chains.put(tf.fill([400, *SHAPE], 5.0))
    algorithm.update(batch(), SEED)
    x = algorithm.model.persistent_chains.take().numpy().reshape(400, -1)
    anew = np.abs(x - 5).max(axis=1) > 1e-3
    assert abs(anew.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 400)
    draws = (x[anew] - 0.1) / 0.5  # standard normal
    assert abs(draws.mean()) < 5 / np.sqrt(draws.size)
    assert abs(draws.var() - 1) < 5 * np.sqrt(2 / draws.size)


def test_without_rejuvenation_no_chain_starts_anew():
    algorithm = build(step_size=1e-6, langevin_steps=1)
    algorithm.model.persistent_chains.put(tf.fill([6, *SHAPE], 5.0))
    algorithm.update(batch(), SEED)
    np.testing.assert_allclose(
        algorithm.model.persistent_chains.take(), np.full((6, *SHAPE), 5.0), atol=1e-3
    )


def test_chains_of_class_conditional_models_belong_to_classes_in_turn():
    algorithm = build(net={"outputs": 4}, chains=10)
    np.testing.assert_array_equal(algorithm.chain_label(), np.arange(10) % 4)


def test_each_class_learns_from_its_own_images_and_chains():
    """Top filter c moves by the difference of its own two mean maps.

    The difference is multiplied by the class's share in the batch.
    """
    algorithm, twin = build(net={"outputs": 3}), build(net={"outputs": 3})
    data = batch(classes=2)
    before = np.copy(algorithm.model.energy_net.top.kernel.numpy())
    algorithm.update(data, SEED)
    change = np.copy(algorithm.model.energy_net.top.kernel.numpy()) - before

    def maps(x):
        h = (x - 0.1) / 0.5
        for conv in twin.model.energy_net.convs:
            h = tf.nn.relu(conv(h))
        return h.numpy()

    observed, synthesized = maps(data["image"]), maps(algorithm.model.persistent_chains.take())
    for c, share in enumerate((0.5, 0.5, 0.0)):
        if share:
            own = observed[data["label"].numpy() == c].mean(axis=0)
            expected = share * (own - synthesized[twin.chain_label().numpy() == c].mean(axis=0))
            np.testing.assert_allclose(
                change[..., c], expected, rtol=0, atol=1e-4 * np.abs(expected).max()
            )
        else:
            np.testing.assert_array_equal(change[..., c], 0)


def test_class_conditional_models_need_labels():
    with pytest.raises(UserError, match="expected labels"):
        build(net={"outputs": 3}).update(batch(), SEED)


# growth


class Watch(keras.callbacks.Callback):
    """Keeps the depth, whether all chains are at their start, and the weights.

    It does so as each update begins.
    """

    def __init__(self, algorithm):
        super().__init__()
        self.algorithm = algorithm
        self.depths, self.restarted, self.weights = [], [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.depths.append(self.algorithm.model.energy_net.depth)
        self.restarted.append(
            np.array_equal(
                self.algorithm.model.persistent_chains.state.numpy(),
                self.algorithm.model.persistent_chains.start,
            )
        )
        self.weights.append(
            [
                [np.copy(w.numpy()) for w in conv.weights]
                for conv in self.algorithm.model.energy_net.convs
            ]
        )


def fit(algorithm, num_steps, *, start=0, epochs=1):
    """Trains on random pictures, and returns what was seen of the updates.

    A layer that is added is in a graph of its own, and so these are graphs in the fast suite, too.
    """
    pictures = examples.Examples(
        np.tanh(np.random.default_rng(0).normal(size=(10, *SHAPE))).astype(np.float32)
    )
    watch = Watch(algorithm)
    with command_line.eagerly(False):
        algorithm.fit(
            pictures.batches(4, random.root(0), start),
            steps_per_epoch=num_steps,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            callbacks=[*algorithm.callbacks(), watch],
        )
    return watch


@pytest.fixture(scope="module")
def grown():
    """Makes eight updates of a net that gains a layer every two."""
    algorithm = build(layer_iterations=2, rate=0.01)
    return algorithm, fit(algorithm, 8)


def test_a_layer_is_added_every_so_many_updates(grown):
    assert grown[1].depths == [1, 1, 2, 2, 3, 3, 3, 3]
    assert grown[0].last_growth == 4


def test_chains_restart_when_a_layer_is_added_and_only_then(grown):
    assert grown[1].restarted == [True, False, True, False, True, False, False, False]


def test_layers_above_the_depth_are_not_trained_and_those_below_go_on(grown):
    _, watch = grown
    for layer in range(3):
        changed = [
            any(not np.array_equal(a, b) for a, b in zip(old[layer], new[layer], strict=True))
            for old, new in zip(watch.weights[:-1], watch.weights[1:], strict=True)
        ]
        assert changed == [depth > layer for depth in watch.depths[:-1]]


def test_a_resumed_run_stands_at_the_depth_of_its_step(grown):
    algorithm = build(layer_iterations=2, rate=0.01)
    algorithm.step.assign(3)
    assert fit(algorithm, 3, start=3).depths == [2, 3, 3]


@pytest.mark.parametrize("cut", [pytest.param(3, marks=pytest.mark.slow), 4])
def test_growth_resumed_ends_where_the_uninterrupted_run_ends(grown, cut):
    """This holds at a boundary too, where the chains restart either way."""
    first = build(layer_iterations=2, rate=0.01)
    fit(first, cut)
    second = build(layer_iterations=2, rate=0.01)
    second.set_weights(first.get_weights())
    fit(second, 8 - cut, start=cut)
    for a, b in zip(grown[0].get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_growth_all_layers_are_trained_from_the_start():
    algorithm = build(rate=0.01)
    assert algorithm.callbacks() == []
    assert fit(algorithm, 2).depths == [3, 3]


def test_growth_of_a_net_that_cannot_grow_is_refused():
    flat = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)])
    with pytest.raises(UserError, match="layer_iterations"):
        GenerativeConvNet(flat, image_shape=SHAPE, image_mean=[0.0], layer_iterations=3)


# the rest


@pytest.mark.parametrize("name", ["sigma", "step_size", "chains", "langevin_steps"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_that_must_be_positive_are_refused_otherwise(name, value):
    with pytest.raises(
        UserError, match=f"{name}: expected a number (above 0|at least 1) and found {value}"
    ):
        build(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rejuvenation", 1.5),
        ("rejuvenation", -0.1),
        ("temperature", -1.0),
        ("target_acceptance", 1.0),
    ],
)
def test_numbers_outside_their_documented_range_are_refused(name, value):
    with pytest.raises(UserError, match=name):
        build(**{name: value})


def test_a_margin_is_refused_for_a_net_of_one_size():
    with pytest.raises(UserError, match="margin: expected 0"):
        build(margin=1)


def test_shifts_are_refused_for_a_net_of_one_size():
    with pytest.raises(UserError, match="shifts: expected 1"):
        build(shifts=3)


def test_chains_and_samples_take_all_places_on_the_grid_of_strides():
    """Without slopes a chain stays; a net whose first layer sees each third pixel moves all."""
    algorithm = build(generative_convnet_texture, shape=(16, 16, 1), shifts=3, langevin_steps=9)
    algorithm.update(batch(shape=(16, 16, 1)), SEED)
    for moved in (algorithm.model.chains(), algorithm.model.generate(1, seed=0, num_steps=9)):
        assert np.abs(moved - 0.1).min() > 0
    known = tf.ones([1, 16, 16, 1])
    image = tf.zeros([1, 16, 16, 1])
    kept = algorithm.model.complete(image, known, seed=0, num_steps=1)
    np.testing.assert_array_equal(kept, image)


def test_a_margin_is_cut_off_what_is_shown():
    algorithm = build(generative_convnet_texture, shape=(32, 32, 1), margin=5)
    assert algorithm.model.endpoints()["chains"].fn()["image"].shape == (6, 22, 22, 1)


@pytest.mark.parametrize(
    ("family", "shape", "outputs", "expected"),
    [
        (
            generative_convnet_texture,
            (32, 32, 1),
            1,
            {"energy", "anomaly", "reconstruct", "generate", "complete", "synthesize"},
        ),
        (
            generative_convnet_object,
            SHAPE,
            1,
            {"energy", "anomaly", "reconstruct", "generate", "complete"},
        ),
        (
            generative_convnet_digits,
            SHAPE,
            3,
            {"energy", "anomaly", "reconstruct", "generate", "complete"},
        ),
    ],
    ids=["texture", "object", "classes"],
)
def test_endpoints_have_the_shapes_of_their_signature(family, shape, outputs, expected):
    algorithm = build(family, shape=shape, net={"outputs": outputs} if outputs > 1 else {})
    endpoints = algorithm.model.endpoints()
    assert set(endpoints) == expected | {"chains"}
    count = 2
    values = {
        "image": tf.zeros([count, *shape]),
        "mask": tf.ones([count, *shape[:2], 1]),
        "count": tf.constant(count),
        "seed": random.root(0),
        "num_steps": tf.constant(2),
        "label": tf.constant([0, 1]),
        "size": tf.constant([36, 40]),
    }
    for name in expected:
        endpoint = endpoints[name]
        out = endpoint.fn(**{name: values[name] for name in endpoint.input_names})
        if name in ("energy", "anomaly"):
            assert out["energy"].shape == (count,)
        if name == "anomaly":
            assert out["steepness"].shape == (count, *shape[:2], 1)
        elif name != "energy":
            assert out["image"].shape == (count, *((36, 40, 1) if name == "synthesize" else shape))


def test_pictures_are_images_in_range():
    for options in ({}, {"contrastive_divergence": True}):
        algorithm = build(**options)
        for picture in algorithm.pictures(batch()).values():
            assert picture.shape[1:] == SHAPE


def test_it_learns_the_mean_of_a_gaussian():
    """The chains' mean goes to the data's, and their correlation from 0 towards 0.8.

    The reference's mean is 0.22 off. 400 chains leave a standard error of 0.3 / 20 = 0.015 a
    coordinate, so 0.1 is five of them and some learning noise. The correlation's error is at most
    0.05. A wrong sign drives both away.
    """
    keras.utils.set_random_seed(0)
    data = examples.load("toy/gaussian", test_fraction=0)
    algorithm = GenerativeConvNet(
        toy.energy((1, 1, 2), width=0.25),
        image_shape=(1, 1, 2),
        image_mean=[0.0, 0.0],
        sigma=0.5,
        step_size=0.15,
        chains=400,
    )
    algorithm.compile({"energy": keras.optimizers.SGD(0.05)})
    target = data.train.as_float().mean(axis=0)
    batches = data.train.batches(200, random.root(0))
    with command_line.eagerly(False):  # many updates
        algorithm.fit(batches, steps_per_epoch=300, verbose=0, shuffle=False)
    x = algorithm.model.persistent_chains.take().numpy()
    assert np.linalg.norm(target) > 0.2
    assert np.linalg.norm(x.mean(axis=0) - target) < 0.1
    assert np.corrcoef(x.reshape(-1, 2).T)[0, 1] > 0.35
