"""TensorFlow Probability is optional: who imports it, and what is said where it is missing."""

import subprocess
import sys

import pytest

from tfgen import probability
from tfgen.errors import UserError

LIGHT = """
import sys
import tensorflow as tf
import tfgen
from tfgen import distributions, energies, losses, patches, probability, random, samplers

def bowl(x):
    return tf.reduce_sum(x**2, axis=1)

for kernel in (samplers.Langevin(0.1), samplers.MALA(0.1), samplers.HMC(0.1)):
    samplers.run(kernel, bowl, tf.zeros([2, 3]), random.root(0), 3)
print([name for name in ("tensorflow_probability", "tf_keras") if name in sys.modules])
"""


def test_sampling_imports_neither_tensorflow_probability_nor_tf_keras():
    found = subprocess.run(
        [sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=300, check=True
    )
    assert found.stdout.strip() == "[]"


def test_the_module_has_the_diagnostics():
    module = probability.mcmc()
    assert callable(module.potential_scale_reduction)
    assert callable(module.effective_sample_size)


@pytest.mark.parametrize("missing", ["tensorflow_probability", "tf_keras"])
def test_where_a_package_is_missing_the_extra_is_named(missing, monkeypatch):
    """A module that is None in `sys.modules` cannot be imported."""
    loaded = [name for name in sys.modules if name.split(".")[0] == "tensorflow_probability"]
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UserError) as caught:
        probability.mcmc()
    assert str(caught.value).endswith('needs tensorflow-probability: pip install "tfgen-ebm[mcmc]"')
