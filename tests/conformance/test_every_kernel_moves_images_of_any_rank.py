"""Every kernel moves vectors, images and videos, and reports on each example.

A kernel of patches moves images alone.
"""

import numpy as np
import pytest
import tensorflow as tf
from support import kernels

from tfgen import random
from tfgen.samplers import run

CASES = [
    pytest.param(cls, shape, id=f"{cls.__name__}-{name}")
    for cls in kernels.CLASSES
    for name, shape in kernels.shapes(cls).items()
]


@pytest.mark.parametrize(("cls", "shape"), CASES)
def test_every_kernel_moves_images_of_any_rank(cls, shape):
    x = random.normal(shape, random.root(0))

    def energy(x):
        return tf.reduce_sum(x**2, axis=list(range(1, len(shape))))

    end, summary = run(kernels.build(cls), energy, x, random.root(1), 2)
    assert end.shape == shape
    assert not np.array_equal(end, x)
    assert all(field.shape == (3,) for field in summary.mean)
