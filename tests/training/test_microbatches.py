"""Micro-batches take turns, meet, and fail together."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import microbatches, random
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.algorithms.vae import VAE
from tfgen.data.examples import Examples
from tfgen.errors import UserError
from tfgen.nets.families import toy, triangle_digits
from tfgen.training import batches
from trainers.run import strategy

EXAMPLES = Examples(np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 1)).astype(np.float32))


def vae(accumulate):
    """Returns a small VAE, whose weights are the same each time."""
    keras.utils.set_random_seed(0)
    shape = (8, 8, 1)
    generator = triangle_digits.generator(shape, width=0.25, normalization="none")
    algorithm = VAE(generator, triangle_digits.inference(shape, width=0.25), image_shape=shape)
    optimizers = {role: keras.optimizers.SGD(1e-3) for role in algorithm.nets}
    algorithm.compile(optimizers, clip_norms={"generator": 0.1}, accumulate=accumulate)
    return algorithm


def test_they_take_turns_and_meet_where_they_exchange():
    order = []

    def update(value):
        order.append(("starts", microbatches.number(), microbatches.count()))
        total = microbatches.mean([value], lambda means: means[0])
        order.append(("goes on", microbatches.number()))
        rows = microbatches.gathered(value[tf.newaxis], lambda rows: rows)
        microbatches.once(lambda: order.append("once"))
        return {"mean": total, "last": rows[-1], "own": value}

    logs = microbatches.run(update, [(tf.constant(float(n)),) for n in range(3)])
    begun = [("starts", number, 3) for number in range(3)]
    assert order == [*begun, *[("goes on", number) for number in range(3)], "once"]
    assert {name: float(value) for name, value in logs.items()} == {"mean": 1, "last": 2, "own": 1}
    assert microbatches.count() == 1


def test_a_failure_of_one_is_raised_and_ends_all():
    before = threading.active_count()

    def update(number):
        if number == 1:
            raise UserError("the second fails")
        microbatches.once(lambda: None)
        raise AssertionError("goes on without the second")

    with pytest.raises(UserError, match="the second fails"):
        microbatches.run(update, [(0,), (1,), (2,)])
    assert threading.active_count() == before


def test_a_failure_where_they_meet_is_raised():
    def update(_):
        return microbatches.once(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        microbatches.run(update, [(0,), (1,)])


def test_a_traced_update_clips_and_counts_as_one():
    """Clipping the whole batch's gradient differs from clipping each micro-batch's."""
    algorithm = vae(accumulate=2)
    before = [v.numpy() for v in algorithm.trainable_variables]
    seed = random.fold_in(random.root(0), 0)
    algorithm.fit(EXAMPLES.batches(8, random.root(1)), steps_per_epoch=1, verbose=0)
    assert algorithm.num_updates == 1

    # the same by hand: the mean of two gradients, then one step
    image = next(iter(EXAMPLES.batches(8, random.root(1))))["image"]
    other = vae(accumulate=1)
    found = []
    other.apply_gradients = lambda role, gradients, *_: found.append(gradients) or gradients
    for number in range(2):
        batch = {"image": image[4 * number : 4 * number + 4]}
        other.update(batch, random.fold_in(seed, number))
    for role in (0, 1):
        gradients = [sum(parts) / 2 for parts in zip(*found[role::2], strict=True)]
        if role == 0:
            gradients, _ = tf.clip_by_global_norm(gradients, 0.1)
        variables = algorithm.parameters(("generator", "inference")[role])
        for variable, gradient in zip(variables, gradients, strict=True):
            start = before[[v is variable for v in algorithm.trainable_variables].index(True)]
            moved = variable.numpy() - start
            np.testing.assert_allclose(moved, -1e-3 * gradient, rtol=1e-2, atol=1e-7)


def test_what_cannot_be_shared_evenly_is_refused():
    batch = {"image": tf.zeros([6, 8, 8, 1])}
    with pytest.raises(UserError, match="divisor of the 6 examples of a batch and found 4"):
        batches.parts(batch, 4)
    with pytest.raises(UserError, match=r"multiple of the 4 micro-batches.* found 6; give 4 or 8"):
        strategy.check_batch(tf.distribute.get_strategy(), 6, 4)
    algorithm = GenerativeConvNet(
        toy.energy((1, 1, 2)), image_shape=(1, 1, 2), image_mean=[0.0, 0.0], chains=6
    )
    with pytest.raises(UserError, match=r"multiple of the 4 micro-batches.* found 6; give 4 or 8"):
        algorithm.compile({"energy": "adam"}, accumulate=4)
