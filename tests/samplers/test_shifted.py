"""Images that a net with strides sees at other places: all pixels alike, known ones as they are."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.models import Sampling
from tfgen.samplers import MALA, Langevin, Shifted, run
from tfgen.types import Hole

X = random.normal([2, 6, 9, 2], random.root(0))
STEEPEST = Langevin(2**0.5, temperature=0.0)
"""x ← x - dU/dx."""
FILL = (0.5, -0.5)


def strided(x):
    """Sees each third row and column alone."""
    return tf.reduce_sum(x[:, ::3, ::3], axis=[1, 2, 3])


def test_all_places_together_see_each_pixel_once():
    """By the chain rule, the energies of all nine places add up to the sum of all pixels.

    Border pixels have the value of `fill` and no slope.
    """
    moved, _ = run(Shifted(STEEPEST, 3, FILL), strided, X, random.root(0), 9)
    np.testing.assert_allclose(moved, X - 1, rtol=1e-5, atol=1e-6)
    fixed, _ = run(STEEPEST, strided, X, random.root(0), 9)
    assert len(np.unique(np.round(fixed - X, 4))) == 2


def test_a_place_is_a_border_of_so_many_pixels():
    top, left = 1, 2
    border = [(0, 0), (top, 2 - top), (left, 2 - left), (0, 0)]
    by_hand = np.stack(
        [np.pad(X[..., c], border[:3], constant_values=FILL[c]) for c in range(2)], axis=-1
    )
    number = top + 3 * left
    found = energies.shifted(tf.identity, number + 9, 3, np.array(FILL, np.float32))(X)
    np.testing.assert_allclose(found, by_hand, atol=1e-6)


def test_one_place_is_the_kernel_itself():
    kernel = Langevin(0.1)
    found = [run(k, strided, X, random.root(1), 3)[0] for k in (kernel, Shifted(kernel, 1))]
    np.testing.assert_array_equal(*found)


def test_known_pixels_count_as_they_are():
    mask = tf.cast(random.uniform([2, 6, 9, 1], random.root(2)) < 0.5, tf.float32)
    hole = Hole(mask * X, mask)

    def square(x):
        return strided(x) ** 2

    found, _ = run(Shifted(Langevin(0.1, 0.0), 3, hole=hole), square, X, random.root(0), 3)
    state = X
    for number in range(3):
        energy = energies.clamped(energies.shifted(square, number, 3), *hole)
        state, _ = run(Langevin(0.1, 0.0), energy, state, random.root(0), 1)
    np.testing.assert_allclose(found, state, rtol=1e-5)


def test_a_kernel_that_keeps_its_gradient_is_refused():
    with pytest.raises(UserError, match="shifts: expected 1 for a kernel that rejects moves"):
        Sampling(MALA(0.1), shifts=3)
