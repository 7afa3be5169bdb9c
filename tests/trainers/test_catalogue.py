"""The catalogue of nets: the library's families, and a user's own modules that --nets names."""

import inspect
import sys
import textwrap

import keras
import pytest

from tfgen.errors import UserError
from tfgen.nets.architectures.scoring import ScoringFunction
from trainers.run import catalogue

OWN = '''
"""A user's nets."""

from typing import Annotated

import keras

from tfgen.errors import AtLeastOne


def energy(image_shape, *, units: Annotated[int, AtLeastOne] = 4, slope: float | None = None):
    """An energy.

    Args:
        image_shape: height, width, channels.
        units: hidden ones.
        slope: of nothing.
    """
    dense = keras.layers.Dense(units, name="dense")
    layers = [keras.layers.Flatten(), dense, keras.layers.Dense(1, name="top")]
    return keras.Sequential([keras.Input(image_shape), *layers])


def discriminator(image_shape):
    return "a word"


def classifier(image_shape, *, widths: dict = None):
    return None


def inference(image_shape, *, width=1.0):
    return None


def generator(image_shape, *, width: float):
    return None
'''


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a module of a new name into an empty current directory, and returns its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def written(text, name):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return name

    return written


def test_the_families_are_the_files_of_their_folder():
    assert {"toy", "triangle_digits", "convnet_classifier"} <= set(catalogue.families())
    assert not {"scoring", "layers", "__init__"} & set(catalogue.families())


def test_every_family_has_a_net_for_some_role():
    options = catalogue.role_options()
    for family in catalogue.families():
        module = catalogue._net_module(family)
        assert any(inspect.isfunction(vars(module).get(role)) for role in options)


def test_a_users_module_builds_nets(write):
    name = write(OWN, "own_nets")
    net = catalogue.net_function(name, "energy")((4, 4, 1), units=3)
    assert isinstance(net, keras.Sequential)
    assert net.count_params() == 16 * 3 + 3 + 3 + 1


def test_a_module_of_a_package_in_the_current_directory_is_found(write, tmp_path):
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "own_module.py").write_text(OWN)
    assert catalogue.net_function("own_package.own_module", "energy")((2, 2, 1))


def test_a_module_of_the_current_directory_is_found_if_python_does_not_look_there(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    (tmp_path / "own_here.py").write_text(OWN)
    assert catalogue.net_function("own_here", "energy")((2, 2, 1))


def test_a_users_options_are_read_with_ranges_defaults_and_meanings(write):
    name = write(OWN, "own_options")
    units, slope = catalogue.role_parameters(name, "energy")
    assert (units.name, units.kind, units.default, units.meaning) == (
        "units",
        int,
        4,
        "hidden ones.",
    )
    assert units.words == "a whole number at least 1"
    assert (slope.kind, slope.default) == (float, None)


def test_a_users_options_stand_beside_those_of_the_families(write):
    name = write(OWN.partition("def discriminator")[0], "own_energy_alone")
    found = catalogue.role_options(name)
    assert {"units", "width", "activation"} <= set(found["energy"])
    assert "units" not in catalogue.role_options()["energy"]
    assert found["generator"] == catalogue.role_options()["generator"]


def test_a_familys_own_defaults_are_shown():
    (activation,) = (
        option
        for option in catalogue.role_parameters("generative_convnet_digits", "energy")
        if option.name == "activation"
    )
    assert activation.default == "swish"
    assert activation.meaning


def test_a_family_comes_before_a_users_module_of_its_name(write):
    assert isinstance(
        catalogue.net_function(write(OWN, "toy"), "energy")((1, 1, 2)), ScoringFunction
    )


@pytest.mark.parametrize("name", ["", "triangle_digit", "no_such_module_at_all", "toy.nothing"])
def test_an_unknown_name_is_told_the_families(name):
    with pytest.raises(UserError, match=r"--nets: expected one of .*toy.* or a Python module") as e:
        catalogue.net_function(name, "energy")
    assert f"found {name or 'nothing'}" in str(e.value)


def test_a_close_name_is_suggested():
    with pytest.raises(UserError, match=r"did you mean triangle_digits\?"):
        catalogue.net_function("triangle_digit", "energy")


@pytest.mark.parametrize("nets", ["prototype", "json"])
def test_a_module_without_the_role_is_named(nets):
    with pytest.raises(
        UserError, match=rf"--nets: expected a function generator\(image_shape.* in {nets}, .*none"
    ):
        catalogue.net_function(nets, "generator")


def test_a_module_that_fails_is_told_with_its_error(write):
    with pytest.raises(UserError, match=r"own_zero failed with ZeroDivisionError: division by"):
        catalogue.net_function(write("1 / 0", "own_zero"), "energy")
    with pytest.raises(UserError, match=r"own_syntax failed with SyntaxError"):
        catalogue.net_function(write("def", "own_syntax"), "energy")
    with pytest.raises(UserError, match=r"own_lacking failed with ModuleNotFoundError: .*nowhere_"):
        catalogue.net_function(write("import nowhere_to_be_found", "own_lacking"), "energy")


def test_what_is_no_model_is_refused_when_it_is_built(write):
    function = catalogue.net_function(write(OWN, "own_word"), "discriminator")
    with pytest.raises(
        UserError, match=r"expected a keras.Model from own_word.discriminator and found a str"
    ):
        function((4, 4, 1))


@pytest.mark.parametrize("role", ["classifier", "inference"])
def test_options_that_no_flag_can_hold_are_refused(write, role):
    with pytest.raises(
        UserError, match=rf"each keyword option of own_{role}.{role} to be annotated with bool, int"
    ):
        catalogue.net_function(write(OWN, f"own_{role}"), role)


def test_an_option_without_a_default_is_refused(write):
    with pytest.raises(
        UserError, match=r"expected a default of own_default.generator's option width"
    ):
        catalogue.net_function(write(OWN, "own_default"), "generator")


def test_an_unknown_algorithm_is_told_the_others():
    with pytest.raises(UserError, match=r"--algorithm: expected one of .*vae.* found va; did you"):
        catalogue.algorithm_class("va")
