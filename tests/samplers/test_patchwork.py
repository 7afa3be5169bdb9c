"""Images moved by an energy of their patches: which pixels move, how far, by which patches."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, patches, random
from tfgen.samplers import Adam, Annealed, Descent, Langevin, Patchwork, Until, run

SEED = random.root(0)
X = random.normal([3, 6, 7, 2], SEED)
STEEPEST = Langevin(2**0.5, temperature=0.0)
"""x ← x - dU/dx."""


def bowl(x):
    """|x|² / 2 of a patch."""
    return tf.reduce_sum(x**2, axis=[1, 2, 3]) / 2


def sharp(x):
    """An energy whose slope is not the same for a pixel in two patches."""
    return tf.reduce_sum(x, axis=[1, 2, 3]) ** 2 / 8


def places(step, number, x=X, size=3):
    """The patches of a step of a run with SEED."""
    seed, own = random.split(random.fold_in(SEED, step))
    count, height, width, _ = x.shape
    return patches.places(tf.repeat(tf.range(count), number), height, width, size, seed), own


def covered(at, shape=X.shape, size=3):
    """Which pixels the patches cover."""
    found = np.zeros(shape, bool)
    for which, top, left in zip(*at, strict=True):
        found[which, top : top + size, left : left + size] = True
    return found


@pytest.mark.parametrize(
    "kernel",
    [Langevin(0.3), Adam(0.1), Annealed(Adam(0.1), 0.2)],
    ids=["langevin", "adam", "annealed"],
)
def test_a_run_is_its_kernels_steps_under_the_energies_of_each_steps_patches(kernel):
    state = kernel.init(sharp, X)
    for step in range(3):
        at, own = places(step, 4)
        state, info = kernel.step(energies.patchwork(sharp, at, 3), state, own)
    found, summary = run(Patchwork(kernel, 3, 4), sharp, X, SEED, 3)
    np.testing.assert_allclose(found, state.x, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(summary.last.energy, info.energy, rtol=1e-4)


def test_covered_pixels_alone_move():
    """A step down |x|² / 2 leads to 0 where a patch lies, however many, and nowhere else."""
    at, _ = places(0, 2)
    found, _ = run(Patchwork(STEEPEST, 3, 2), bowl, X, SEED, 1)
    inside = covered(at)
    assert 0 < inside.mean() < 1
    np.testing.assert_allclose(found, np.where(inside, 0, X), atol=1e-6)


def test_every_step_draws_other_patches():
    """So that two steps cover more than one, of the pixels that no patch of the first did."""
    inside = covered(places(0, 2)[0]) | covered(places(1, 2)[0])
    assert inside.sum() > covered(places(0, 2)[0]).sum()
    found, _ = run(Patchwork(STEEPEST, 3, 2), bowl, X, SEED, 2)
    np.testing.assert_allclose(found, np.where(inside, 0, X), atol=1e-6)


def test_one_patch_of_the_whole_is_the_kernel_without_patches():
    x = X[:, :, :6]
    ends = [run(k, sharp, x, SEED, 4)[0] for k in (Adam(0.1), Patchwork(Adam(0.1), 6, 1))]
    np.testing.assert_allclose(*ends, rtol=1e-5, atol=1e-6)


def test_images_do_not_touch_each_other():
    other = tf.concat([X[:-1], X[-1:] + 0.3], axis=0)
    ends = [run(Patchwork(Adam(0.1), 3, 4), sharp, x, SEED, 5)[0].numpy() for x in (X, other)]
    np.testing.assert_array_equal(ends[0][:-1], ends[1][:-1])


def test_the_reported_energy_is_the_mean_over_an_images_patches():
    _, summary = run(Patchwork(Adam(0.1), 3, 4), sharp, X, SEED, 1)
    each = sharp(patches.cut(X, places(0, 4)[0], 3)).numpy().reshape(3, 4)
    np.testing.assert_allclose(summary.last.energy, each.mean(axis=1), rtol=1e-5)


def test_what_lies_beside_is_cut_at_the_same_places():
    """A pull towards another picture leads to that picture, where a patch lies."""
    other = random.normal(X.shape, random.root(1))

    def pull(x, beside):
        return bowl(x - beside)

    found, _ = run(Patchwork(STEEPEST, 3, 4, other), pull, X, SEED, 1)
    np.testing.assert_allclose(found, np.where(covered(places(0, 4)[0]), other, X), atol=1e-6)


def test_one_trace_moves_images_of_any_size_by_any_number_of_patches():
    traced = tf.function(
        lambda x, number: run(Patchwork(Adam(0.1), 3, number), sharp, x, SEED, 2)[0],
        autograph=False,
        input_signature=[tf.TensorSpec((None, None, None, 2)), tf.TensorSpec((), tf.int32)],
    )
    for x, number in ((X, 4), (random.normal([2, 3, 9, 2], SEED), 1)):
        expected, _ = run(Patchwork(Adam(0.1), 3, number), sharp, x, SEED, 2)
        np.testing.assert_allclose(traced(x, tf.constant(number)), expected, rtol=1e-5, atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1


def test_an_image_smaller_than_the_patch_is_no_image_to_move():
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(Patchwork(Adam(0.1), 8, 2), sharp, X, SEED, 1)


def test_it_has_finished_when_its_kernel_has():
    """Patches of the whole image, so that one step of descent leads to the bottom.

    A rule for early stopping works inside as it does outside.
    """
    x = X[:, :, :6]
    assert run(Patchwork(Descent(1.0), 6, 1), bowl, x, SEED, 9)[1].num_steps == 1
    inside = run(Patchwork(Until(Adam(0.1), 10.0), 6, 1), bowl, x, SEED, 50)[1].num_steps
    assert (
        1
        < inside
        == run(Until(Patchwork(Adam(0.1), 6, 1), 10.0), bowl, x, SEED, 50)[1].num_steps
        < 50
    )
