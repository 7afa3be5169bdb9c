"""Copies of a classifier: each stays what it was when it was kept, whatever becomes of the net."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.models.snapshots import Snapshots
from tfgen.nets.families import dcgan_digits
from trainers.run import checkpoints

X = tf.tanh(random.normal([5, 8, 8, 1], random.root(0)))


def net(seed=0):
    """Returns a small classifier with batch normalization, whose statistics have moved."""
    keras.utils.set_random_seed(seed)
    found = dcgan_digits.discriminator((8, 8, 1), width=0.1)
    move(found, seed)
    return found


def move(classifier, seed):
    """Changes every weight and every statistic."""
    for number, v in enumerate(classifier.variables):
        v.assign(
            v.value
            + 0.1 * tf.abs(random.normal(v.shape, random.fold_in(random.root(seed), number)))
        )


def grow():
    """Returns a cascade of three, its net, and the log-odds of `X` when each was kept."""
    classifier = net()
    cascade, odds = Snapshots(classifier, 4), []
    for stage in range(3):
        cascade.keep(classifier, tf.constant(stage))
        odds.append(classifier(X, training=False).numpy())
        move(classifier, 10 + stage)
    return cascade, classifier, odds


@pytest.fixture(scope="module")
def grown():
    """Returns what `grow` does; no test may change it."""
    return grow()


def test_a_classifier_is_the_net_at_the_time_when_it_was_kept(grown):
    """Log-odds agree bit for bit after the net has moved on, and all differ."""
    cascade, classifier, odds = grown
    for stage, expected in enumerate(odds):
        np.testing.assert_array_equal(cascade.net_at(classifier, stage)(X), expected)
    now = classifier(X, training=False).numpy()
    assert len({o.tobytes() for o in [*odds, now]}) == 4


def test_the_stage_may_be_a_tensor_of_a_loop(grown):
    """The results agree to the rounding of another graph."""
    cascade, classifier, odds = grown
    traced = tf.function(lambda stage: cascade.net_at(classifier, stage)(X), autograph=False)
    for stage, expected in enumerate(odds):
        np.testing.assert_allclose(traced(tf.constant(stage)), expected, rtol=1e-5, atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1


def test_slopes_in_the_image_are_those_of_the_net_then():
    cascade, classifier, _ = grow()

    def slope(call):
        with tf.GradientTape() as tape:
            tape.watch(X)
            odds = tf.reduce_sum(call(X))
        return tape.gradient(odds, X)

    found = slope(cascade.net_at(classifier, 1))
    for v, stack in zip(
        [*classifier.trainable_variables, *classifier.non_trainable_variables],
        cascade.stacks,
        strict=True,
    ):
        v.assign(stack.value[1])
    np.testing.assert_allclose(
        found, slope(lambda x: classifier(x, training=False)), rtol=1e-5, atol=1e-7
    )
    assert np.abs(found).max() > 1e-3


def test_asking_a_classifier_changes_nothing(grown):
    """A call in training mode would move the statistics of the net and of the copies."""
    cascade, classifier, _ = grown
    before = [v.numpy().copy() for v in [*cascade.variables, *classifier.variables]]
    cascade.net_at(classifier, 0)(X)
    for v, value in zip([*cascade.variables, *classifier.variables], before, strict=True):
        np.testing.assert_array_equal(v, value)


def test_there_are_as_many_as_were_kept(grown):
    cascade, classifier, _ = grown
    assert cascade.num_kept == 3
    assert Snapshots(classifier, 4).num_kept == 0


def test_a_stage_kept_again_is_replaced_and_the_others_stay():
    cascade, classifier, odds = grow()
    cascade.keep(classifier, tf.constant(2))
    found = [cascade.net_at(classifier, stage)(X).numpy() for stage in range(3)]
    np.testing.assert_array_equal(found, [*odds[:2], classifier(X, training=False)])
    assert cascade.num_kept == 3


def test_a_classifier_of_another_net_of_the_same_table_is_the_same(grown):
    """The cascade needs only the layers of the net."""
    cascade, _, odds = grown
    np.testing.assert_array_equal(cascade.net_at(net(5), 1)(X), odds[1])


def test_the_net_is_kept_inside_a_compiled_function():
    classifier = net()
    cascade = Snapshots(classifier, 2)
    tf.function(lambda: cascade.keep(classifier, tf.constant(0)), autograph=False)()
    np.testing.assert_array_equal(cascade.net_at(classifier, 0)(X), classifier(X, training=False))
    assert cascade.num_kept == 1


def test_copies_are_not_trained_and_the_net_is_not_part_of_them():
    classifier = net()
    cascade = Snapshots(classifier, 4)
    assert cascade.trainable_variables == []
    assert {tuple(v.shape) for v in cascade.stacks} == {(4, *v.shape) for v in classifier.variables}
    assert len(cascade.variables) == len(classifier.variables) + 1


def test_copies_are_saved_and_restored(grown, tmp_path):
    cascade, _, odds = grown
    checkpoints.save(tmp_path, 7, {v.path: v for v in cascade.weights}, keep=1)
    other = Snapshots(net(5), 4)
    checkpoints.restore(tmp_path, {v.path: v for v in other.weights})
    assert other.num_kept == 3
    np.testing.assert_array_equal(other.net_at(net(5), 2)(X), odds[2])
