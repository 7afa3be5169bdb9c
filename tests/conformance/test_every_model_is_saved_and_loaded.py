"""Every algorithm's model is the same on disk: it answers bit for bit as before it was saved."""

import json

import numpy as np
import pytest
import tensorflow as tf
from support import registry

import tfgen
from tfgen import random
from tfgen.errors import UserError
from tfgen.models import MODELS, saved

pytestmark = pytest.mark.eager


def answers(model):
    """Returns what each task answers to the examples of its inputs, two of each."""
    found = {}
    for name, endpoint in model.endpoints().items():
        given = {}
        for known in endpoint.inputs:
            value = np.asarray(known.example, known.dtype.as_numpy_dtype)
            given[known.name] = np.stack([value] * 2) if known.batched else value
        found[name] = endpoint.traced()(**given | {"seed": random.root(3)})
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Returns a function from an algorithm's name to its model, and the same read from disk."""
    base = tmp_path_factory.mktemp("models")

    def pair(name):
        model = registry.updated(name).algorithm.model
        if not (base / name).exists():
            model.save(base / name)
        return model, tfgen.load(base / name), base / name

    return pair


def test_every_class_of_models_is_asked():
    found = {type(registry.updated(name).algorithm.model) for name in registry.ALGORITHMS}
    assert found == set(MODELS)


@pytest.mark.parametrize("name", registry.per_model())
def test_a_model_that_was_saved_answers_as_before(name, models):
    model, loaded, _ = models(name)
    assert type(loaded) is type(model)
    assert loaded.capabilities() == model.capabilities()
    expected = answers(model)
    for task, outputs in answers(loaded).items():
        for output, value in outputs.items():
            np.testing.assert_array_equal(value, expected[task][output], err_msg=task)


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_variables_are_named_alike_and_equal(name, models):
    model, loaded, _ = models(name)
    before, after = saved.named_variables(model), saved.named_variables(loaded)
    assert before.keys() == after.keys()
    for variable, value in after.items():
        np.testing.assert_array_equal(value, before[variable], err_msg=variable)


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_a_config_is_json_and_makes_the_same_config_again(name, models):
    model, loaded, _ = models(name)
    assert json.loads(json.dumps(loaded.get_config())) == json.loads(json.dumps(model.get_config()))


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_optimizers_are_not_saved(name, models):
    _, _, path = models(name)
    kept = json.loads((path / saved.DESCRIPTION).read_text())["variables"]
    assert not any("momentum" in key or "velocity" in key or "iteration" in key for key in kept)


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_capabilities_are_the_endpoints(name):
    model = registry.updated(name).algorithm.model
    assert model.capabilities() == model.endpoints().keys()
    for task, endpoint in model.endpoints().items():
        assert endpoint.name == task
        assert set(endpoint.input_names) <= model.inputs().keys()


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_what_a_model_cannot_do_is_said(name):
    with pytest.raises(UserError, match="cannot fly"):
        registry.updated(name).algorithm.model.endpoint("fly")


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_a_weight_that_is_not_finite_is_not_written(name, tmp_path):
    model = registry.updated(name).algorithm.model
    variable = next(iter(saved.named_variables(model).values()))
    before = variable.numpy()
    variable.assign(tf.fill(variable.shape, float("nan")))
    try:
        with pytest.raises(UserError, match="expected finite weights"):
            model.save(tmp_path / "model")
    finally:
        variable.assign(before)  # other tests ask this model
    assert not (tmp_path / "model").exists()
