"""`--help`: the flags of what is chosen, with ranges and defaults, and none of the others'."""

import inspect

import pytest
from absl import flags as absl_flags

from trainers.run import catalogue, flags, optimizers, parsing, usage

DOC = "Trains."


def page(*words: str) -> str:
    """The help of training beside which these flags stand."""
    values = absl_flags.FlagValues()
    flags.define(values)
    parsing.define_shared(values)
    return usage.page(values, DOC, ["trainers.main", *words])


def entries(text: str) -> dict[str, str]:
    """What is said of each flag, by its name."""
    found = {}
    for entry in text.split("\n  --")[1:]:
        name, _, said = entry.partition(": ")
        found[name] = " ".join(said.partition("\n\n")[0].split())
    return found


def test_without_a_choice_it_lists_algorithms_and_families_and_no_flag_of_theirs():
    text = page()
    assert text.startswith(DOC)
    assert not [name for name in entries(text) if "." in name]
    words = text.replace(",", " ").replace(".", " ").split()
    assert {*catalogue.algorithms(), *catalogue.families()} <= {*words}
    assert "--help --algorithm=NAME --nets=NAME" in text
    assert {"steps", "dataset", "guard_rate", "convolution"} <= entries(text).keys()


@pytest.mark.parametrize("name", catalogue.algorithms())
def test_it_shows_the_flags_of_the_chosen_algorithm_and_of_no_other(name):
    cls = catalogue.algorithm_class(name)
    shown = {flag for flag in entries(page(f"--algorithm={name}")) if "." in flag}
    own = {f"{name}.{parameter}" for parameter in catalogue.hyperparameters(cls)}
    for role in catalogue.roles(name):
        own |= {f"{role}.{option}" for option in optimizers.NAMES}
    assert shown == own


def test_it_shows_defaults_and_ranges_of_hyperparameters():
    found = entries(page("--algorithm=generative_convnet"))
    default = inspect.signature(catalogue.algorithm_class("generative_convnet")).parameters
    sigma = found["generative_convnet.sigma"]
    assert sigma.startswith(f"a number above 0; default {default['sigma'].default:g} ")
    assert found["energy.beta_1"].startswith("a number at least 0 and at most 1; default 0.9 ")
    assert found["energy.optimizer"].startswith("one of adam, sgd; default adam ")
    assert found["steps"].startswith(
        "a whole number at least 1 and at most 1000000000000; default 1000 "
    )


def test_it_shows_the_options_of_the_chosen_nets_with_their_own_defaults():
    words = ("--algorithm=generative_convnet", "--nets=generative_convnet_digits")
    found = entries(page(*words))
    function = catalogue.net_function("generative_convnet_digits", "energy")
    for name, parameter in catalogue.hyperparameters(function).items():
        shown = f"{parameter.default:g}" if name == "width" else parameter.default
        assert f"default {shown} " in found[f"energy.{name}"]
    assert "energy.spectral_norm" not in found, "an option of other families"


@pytest.mark.parametrize("name", ["vae_digits_cpu", "divergence_triangle_digits_cpu"])
def test_a_recipe_chooses_and_its_values_are_shown_beside_the_defaults(name):
    found = entries(page(f"--flagfile={name}"))
    assert f"here {name.removesuffix('_digits_cpu')} " in found["algorithm"]
    assert found["batch_size"].startswith(
        "a whole number at least 1 and at most 16777216; default 32; here 100 "
    )
    assert "generator.latent_dim" in found


def test_a_mistake_beside_help_is_said_and_help_is_given_all_the_same():
    text = page("--algorithm=vae", "--stpes=3")
    assert "did you mean --steps?" in text
    assert "steps" in entries(text)


@pytest.mark.parametrize("name", catalogue.algorithms())
def test_every_flag_has_a_meaning(name):
    values = absl_flags.FlagValues()
    flags.define(values)
    for flag in entries(page(f"--algorithm={name}")).keys() & {*values}:
        assert values[flag].help
