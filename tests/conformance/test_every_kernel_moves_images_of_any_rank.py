"""Every kernel moves vectors, images and videos, one energy an example, and tells of each."""

import pytest
import registry
import tensorflow as tf

from tfgen import random
from tfgen.samplers import run


@pytest.mark.parametrize("cls", registry.KERNELS)
@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 2, 1), (3, 2, 2, 2, 1)], ids=["vector", "image", "video"])
def test_every_kernel_moves_images_of_any_rank(cls, shape):
    x = random.normal(shape, random.root(0))
    axes = list(range(1, len(shape)))
    end, summary = run(registry.kernel(cls), lambda x: tf.reduce_sum(x**2, axis=axes), x, random.root(1), 2)
    assert end.shape == shape
    assert all(field.shape == (3,) for field in summary.mean)
