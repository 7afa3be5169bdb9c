"""Every kernel moves vectors, images and videos (one of patches, images), an energy each, and tells of each."""

import numpy as np
import pytest
import tensorflow as tf
from support import registry

from tfgen import random
from tfgen.samplers import run

CASES = [
    pytest.param(cls, shape, id=f"{cls.__name__}-{name}")
    for cls in registry.KERNELS
    for name, shape in registry.shapes(cls).items()
]


@pytest.mark.parametrize(("cls", "shape"), CASES)
def test_every_kernel_moves_images_of_any_rank(cls, shape):
    x = random.normal(shape, random.root(0))

    def energy(x):
        return tf.reduce_sum(x**2, axis=list(range(1, len(shape))))

    end, summary = run(registry.kernel(cls), energy, x, random.root(1), 2)
    assert end.shape == shape
    assert not np.array_equal(end, x)
    assert all(field.shape == (3,) for field in summary.mean)
