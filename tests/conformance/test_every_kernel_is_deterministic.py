"""Every kernel is a frozen dataclass, its runs repeat with their seed, its state begins with x."""

import dataclasses

import numpy as np
import pytest
from support import kernels

from tfgen import random, samplers
from tfgen.data.toy import Gaussian
from tfgen.samplers import run


@pytest.mark.parametrize("cls", kernels.CLASSES)
def test_every_kernel_is_deterministic(cls):
    kernel = kernels.build(cls)
    with pytest.raises(dataclasses.FrozenInstanceError):
        kernel.step_size = 1.0
    x = random.normal([3, 1, 1, 2], random.root(0))
    ends = [run(kernel, Gaussian().energy, x, random.root(4), 5)[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*ends)
    state = kernel.init(Gaussian().energy, x)
    assert state._fields[0] == "x"
    np.testing.assert_array_equal(state.x, x)


def test_the_package_exports_every_kernel():
    assert {cls.__name__ for cls in kernels.CLASSES} <= set(samplers.__all__)
