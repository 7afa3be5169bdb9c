"""The training step: seeds, steps, metrics, gradients, and one trace for a whole run."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data.examples import Examples
from tfgen.errors import UserError
from tfgen.models import Model
from tfgen.nets.families import generative_convnet_object, toy
from tfgen.training.algorithm import Algorithm

PICTURES = Examples(np.random.default_rng(0).uniform(-1, 1, (10, 1, 1, 2)).astype(np.float32))


class Nets(Model):
    """A model that is its nets, and can do nothing."""

    def inputs(self):
        return {}


class Probe(Algorithm):
    """Descends the squared distance of a weight to the images' mean, and keeps its seeds."""

    def __init__(self, seed=0):
        self.net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        self.net.add(keras.layers.Dense(1, use_bias=False))  # its weights are reached too
        model = Nets({"net": self.net}, image_shape=(1, 1, 2))
        super().__init__(model, logged=["loss", "mean_step"], seed=seed)
        self.unused = keras.layers.Dense(3)
        self.unused.build((None, 1))
        self.seeds = self.add_weight(
            shape=(20, 2), dtype="int32", initializer="zeros", trainable=False, name="seeds"
        )
        self.traces = 0

    def parameters(self, role):
        return [*super().parameters(role), *self.unused.trainable_variables]

    def update(self, batch, seed):
        self.traces += 1
        rows = tf.range(20)[:, None] == tf.cast(self.step.value, tf.int32)
        self.seeds.assign(tf.where(rows, seed, self.seeds.value))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                (self.net(tf.ones([1, 1]), training=True) - tf.reduce_mean(batch["image"])) ** 2
            )
        self.gradients = self.minimize("net", tape, loss)
        return {"loss": loss, "mean_step": tf.cast(self.step.value, tf.float32)}

    def pictures(self, batch):
        return {}


def probe(seed=0, rate=0.1):
    """Returns a compiled probe, whose weights are the same each time."""
    keras.utils.set_random_seed(0)
    algorithm = Probe(seed)
    algorithm.compile({"net": keras.optimizers.SGD(rate)})
    return algorithm


def fit(algorithm, num_steps, *, epochs=1, start=0):
    """Calls `fit` as the training command does."""
    return algorithm.fit(
        PICTURES.batches(4, random.root(0), start),
        steps_per_epoch=num_steps,
        epochs=epochs,
        verbose=0,
        shuffle=False,
    )


def test_each_update_draws_from_its_own_seed_folded_from_root_step_and_replica():
    algorithm = probe(seed=7)
    fit(algorithm, 5)
    expected = [
        random.fold_in(random.fold_in(random.root(7), step), 0).numpy() for step in range(5)
    ]
    np.testing.assert_array_equal(algorithm.seeds.numpy()[:5], expected)
    assert len({tuple(seed) for seed in expected}) == 5


def test_the_step_counts_updates_over_epochs_and_fits():
    algorithm = probe()
    fit(algorithm, 3, epochs=2)
    fit(algorithm, 4, start=6)
    assert algorithm.step == 10


def test_a_run_in_two_parts_ends_where_a_run_in_one_ends():
    whole = probe()
    fit(whole, 6)
    first, second = probe(), probe()
    fit(first, 2)
    second.set_weights(first.get_weights())
    fit(second, 4, start=2)
    for a, b in zip(whole.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_logs_are_the_means_over_each_epoch_and_nothing_else():
    logs = fit(probe(), 4, epochs=2).history
    assert set(logs) == {"loss", "mean_step"}
    assert logs["mean_step"] == [1.5, 5.5]


def test_compiling_makes_no_hidden_optimizer():
    algorithm = probe()
    assert algorithm.optimizer is None
    assert set(algorithm.optimizers) == {"net"}


def test_descend_takes_one_step_down_the_gradient_and_returns_it():
    algorithm = probe(rate=0.5)
    before = [np.copy(w.numpy()) for w in algorithm.net.trainable_variables]
    algorithm.update({"image": tf.constant(PICTURES.image)}, random.root(0))
    assert max(np.abs(g).max() for g in algorithm.gradients) > 0.01
    for old, new, gradient in zip(
        before, algorithm.net.trainable_variables, algorithm.gradients, strict=True
    ):
        np.testing.assert_allclose(new, old - 0.5 * gradient, rtol=1e-6)


def test_variables_that_the_loss_does_not_reach_stay():
    algorithm = probe()
    before = [np.copy(w.numpy()) for w in algorithm.unused.weights]
    fit(algorithm, 2)
    for a, b in zip(before, algorithm.unused.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(algorithm.gradients) == 2


def test_a_transform_changes_what_is_applied_and_not_what_is_returned():
    algorithm = probe(rate=1.0)
    variable = algorithm.net.trainable_variables[0]
    before = np.copy(variable.numpy())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(variable.value) * 3
    returned = algorithm.minimize("net", tape, loss, lambda g, v: 2 * g)
    np.testing.assert_array_equal(returned[0], [[3.0]])
    np.testing.assert_allclose(variable, before - 6.0)


# several nets


class Pair(Algorithm):
    """Two nets of two weights and two biases each; no loss reaches the biases."""

    def __init__(self):
        nets = {
            "first": keras.layers.Dense(2),
            "second": keras.layers.Dense(2, bias_initializer="ones"),
        }
        super().__init__(Nets(nets, image_shape=(1, 1, 1)), logged=["zero"], seed=0)
        self.first, self.second = nets.values()
        for net, start in ((self.first, [[3.0, 4.0]]), (self.second, [[1.0, 2.0]])):
            net.build((None, 1))
            net.kernel.assign(start)

    def update(self, batch, seed):
        return {"zero": tf.constant(0.0)}

    pictures = update


def pair(clip=None, **options):
    """Returns a compiled pair, with a learning rate for each net."""
    algorithm = Pair()
    optimizers = {role: keras.optimizers.SGD(rate) for role, rate in RATES.items()}
    clip_norms = None if clip is None else dict.fromkeys(RATES, clip)
    algorithm.compile(optimizers, clip_norms=clip_norms, **options)
    return algorithm


RATES = {"first": 0.1, "second": 0.5}


def product(algorithm):
    """Returns a tape and the inner product of the nets' weights: each is the other's gradient."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(algorithm.first.kernel.value * algorithm.second.kernel.value)
    return tape, loss


@pytest.mark.parametrize("ascending", [(), ("first",), ("second",), ("first", "second")])
def test_several_nets_move_at_once_by_one_gradient_down_or_up(ascending):
    """No net meets another as updated.

    What the loss does not reach stays, whatever the direction.
    """
    algorithm = pair()
    algorithm.minimize_together(("first", "second"), *product(algorithm), ascending=ascending)
    steps = {role: rate if role in ascending else -rate for role, rate in RATES.items()}
    first, second = algorithm.first, algorithm.second
    np.testing.assert_allclose(
        first.kernel, [[3 + steps["first"] * 1, 4 + steps["first"] * 2]], rtol=1e-6
    )
    np.testing.assert_allclose(
        second.kernel, [[1 + steps["second"] * 3, 2 + steps["second"] * 4]], rtol=1e-6
    )
    np.testing.assert_array_equal(first.bias, [0.0, 0.0])
    np.testing.assert_array_equal(second.bias, [1.0, 1.0])


def test_one_net_alone_moves_and_the_norm_of_its_gradient_is_returned_unclipped():
    algorithm = pair(clip=0.1)
    norms = algorithm.minimize_together(["second"], *product(algorithm))
    assert set(norms) == {"second_grad_norm"}
    np.testing.assert_allclose(norms["second_grad_norm"], 5.0, rtol=1e-6)  # |(3, 4)|
    np.testing.assert_array_equal(algorithm.first.kernel, [[3.0, 4.0]])


def test_gradients_are_followed_in_the_order_of_what_is_watched():
    """A gradient of None leaves its variable out."""
    algorithm = pair()
    assert [tuple(value.shape) for value in algorithm.trainable_tensors("second")] == [(1, 2), (2,)]
    returned = algorithm.apply_gradients("second", [None, tf.constant([2.0, 4.0], tf.bfloat16)])
    assert [g.dtype for g in returned] == [tf.float32]
    np.testing.assert_array_equal(returned, [[2.0, 4.0]])
    np.testing.assert_array_equal(algorithm.second.kernel, [[1.0, 2.0]])
    np.testing.assert_array_equal(algorithm.second.bias, [1 - 0.5 * 2, 1 - 0.5 * 4])


@pytest.mark.parametrize(("clip", "factor"), [(None, 1.0), (1.0, 0.2), (5.5, 1.0)])
def test_a_whole_gradient_longer_than_its_bound_is_scaled_down_to_it(clip, factor):
    """The gradients (3, 0) and (0, 4) have a length of 5 over both variables."""
    algorithm = pair(clip=clip)
    returned = algorithm.apply_gradients(
        "second", [tf.constant([[3.0, 0.0]]), tf.constant([0.0, 4.0])]
    )
    np.testing.assert_allclose(algorithm.second.kernel, [[1 - 0.5 * factor * 3, 2]], rtol=1e-6)
    np.testing.assert_allclose(algorithm.second.bias, [1, 1 - 0.5 * factor * 4], rtol=1e-6)
    np.testing.assert_array_equal(returned[0], [[3.0, 0.0]])


def test_a_steps_own_transform_comes_before_the_bound_and_a_compiled_one_after_it():
    """The gradient (6, 8) is doubled and cut to length 1.

    Then the weights are added, which no bound applies to.
    """
    algorithm = pair(clip=1.0, transforms={"first": lambda g, v: g + v.value})
    algorithm.apply_gradients("first", [tf.constant([[6.0, 8.0]]), None], lambda g, v: 2 * g)
    np.testing.assert_allclose(
        algorithm.first.kernel, [[3 - 0.1 * (0.6 + 3), 4 - 0.1 * (0.8 + 4)]], rtol=1e-6
    )
    algorithm.apply_gradients("second", [tf.constant([[6.0, 8.0]]), None])
    np.testing.assert_allclose(algorithm.second.kernel, [[1 - 0.5 * 0.6, 2 - 0.5 * 0.8]], rtol=1e-6)


# one trace


def counted(algorithm):
    """Counts how often Python runs the update, which is once a trace."""
    calls, update = [], algorithm.update
    algorithm.update = lambda batch, seed: calls.append(batch["image"].shape) or update(batch, seed)
    return calls


def generative(family, shape, **options):
    """Returns a tiny generative ConvNet."""
    algorithm = GenerativeConvNet(
        family.energy(shape, width=0.1),
        image_shape=shape,
        image_mean=[0.0] * shape[-1],
        sigma=0.5,
        chains=4,
        **options,
    )
    algorithm.compile({"energy": keras.optimizers.Adam(1e-3)})
    return algorithm


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"contrastive_divergence": True}, marks=pytest.mark.slow),
        {"rejuvenation": 0.5, "clamp": True},
    ],
)
def test_an_update_is_traced_once_over_batches_epochs_and_fits(options):
    algorithm = generative(toy, (1, 1, 2), **options)
    calls = counted(algorithm)
    fit(algorithm, 3, epochs=3)
    fit(algorithm, 3, start=9)
    assert len(calls) == 1


def test_growth_traces_an_update_once_for_each_depth():
    pictures = Examples(np.zeros((5, 8, 8, 1), np.float32))
    algorithm = generative(generative_convnet_object, (8, 8, 1), layer_iterations=2)
    calls = counted(algorithm)
    algorithm.fit(
        pictures.batches(2, random.root(0)),
        steps_per_epoch=4,
        epochs=2,
        verbose=0,
        shuffle=False,
    )
    assert len(calls) == 3


# what a user of Keras expects


def test_a_role_that_is_missing_or_unknown_is_named():
    algorithm = Pair()
    for given in ({"first": "adam"}, {"first": "adam", "second": "adam", "third": "adam"}):
        with pytest.raises(ValueError, match="Expected optimizers for the roles first, second"):
            algorithm.compile(given)
    with pytest.raises(ValueError, match="Expected clip_norms for the roles first, second"):
        algorithm.compile(dict.fromkeys(RATES, "sgd"), clip_norms={"third": 1.0})


def test_two_roles_do_not_share_an_optimizer():
    shared = keras.optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="optimizer of its own"):
        Pair().compile(dict.fromkeys(RATES, shared))


def test_optimizers_may_be_named():
    algorithm = Pair()
    algorithm.compile({"first": "adam", "second": "sgd"})
    names = {role: type(o).__name__ for role, o in algorithm.optimizers.items()}
    assert names == {"first": "Adam", "second": "SGD"}


def test_the_callers_optimizer_keeps_its_own_clip_bounds():
    optimizer = keras.optimizers.SGD(0.1, global_clipnorm=7.0)
    Pair().compile({"first": optimizer, "second": "sgd"}, clip_norms={"first": 1.0})
    assert optimizer.global_clipnorm == 7.0


class Thrice(Pair):
    """Makes three optimizer steps of the first net an update."""

    def update(self, batch, seed):
        for _ in range(3):
            self.apply_gradients("first", [tf.ones([1, 2]), None])
        return {"zero": tf.constant(0.0)}


def test_a_schedule_counts_updates_and_not_steps_of_the_optimizer():
    """The rate is 1, then 0.5 from the second update on; each update makes three steps."""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [1.0, 0.5])
    algorithm = Thrice()
    algorithm.compile({"first": keras.optimizers.SGD(schedule), "second": "sgd"})
    fit(algorithm, 2)
    np.testing.assert_allclose(algorithm.first.kernel, [[3 - 3 * 1.5, 4 - 3 * 1.5]], rtol=1e-6)


def test_early_stopping_stops():
    algorithm = probe(rate=0.0)
    stopping = keras.callbacks.EarlyStopping("loss", patience=1, mode="min")
    history = algorithm.fit(
        PICTURES.batches(4, random.root(0)),
        steps_per_epoch=1,
        epochs=30,
        verbose=0,
        callbacks=[stopping],
    )
    assert len(history.epoch) < 30


def test_arrays_are_batched_in_the_order_of_the_seed():
    """The same images as a stream give the same weights."""
    arrays, stream = probe(seed=3), probe(seed=3)
    arrays.fit(PICTURES.image, epochs=2, batch_size=4, verbose=0)
    order = random.fold_in(random.root(3), -1)
    stream.fit(PICTURES.batches(4, order), epochs=2, steps_per_epoch=3, verbose=0)
    for a, b in zip(arrays.get_weights(), stream.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["images", "pairs", "batches"])
def test_streams_of_tf_data_are_taken(kind):
    image, label = PICTURES.image, np.arange(10)
    slices = {"images": image, "pairs": (image, label), "batches": {"image": image}}[kind]
    stream = tf.data.Dataset.from_tensor_slices(slices).batch(5, drop_remainder=True)
    algorithm = probe()
    algorithm.fit(stream, epochs=2, verbose=0)
    assert algorithm.num_updates == 4


@pytest.mark.parametrize("image", [np.full((4, 1, 1, 2), 3.0), np.zeros((4, 2), np.float32)])
def test_arrays_that_are_no_images_are_refused_in_a_sentence(image):
    with pytest.raises(UserError, match="expected"):
        probe().fit(image, epochs=1, verbose=0)


def test_an_algorithm_that_was_not_compiled_says_so():
    with pytest.raises(ValueError, match="Expected a compiled algorithm"):
        Pair().fit(PICTURES.image, epochs=1)
