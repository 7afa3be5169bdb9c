"""The divergence triangle on linear nets: its steps follow the objective's gradient.

The objective is written out in NumPy in `support/linear_gaussian.py`.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import linear_gaussian as lg
from support.linear_gaussian import agree, build, change, draws, flat, pictures, slope, weights

from tfgen import random
from tfgen.algorithms.divergence_triangle import PRESETS, ROLES, DivergenceTriangle
from tfgen.errors import UserError
from tfgen.nets.families import triangle_digits

NAMES = {"energy": ("S",), "generator": ("A",), "inference": ("B", "c")}
CONSTANTS = {"sigma": 0.4, "temperature": 0.7, "variational_weight": 0.6, "adversarial_weight": 1.3}
SEED = random.root(5)
ORDERS = ("official", "paper")
"""Presets of both orders of the steps; the scaled one has the official one's."""


def triangle(rate=1.0, latent_dim=3, **options):
    """Returns a triangle of linear nets."""
    return build(DivergenceTriangle, ROLES, rate, latent_dim, **options)


def divergence(
    w,
    x,
    z,
    noise,
    *,
    sigma,
    temperature,
    variational_weight,
    adversarial_weight,
    entropy_weight=None,
    mask=1.0,
):
    """Computes D of given draws, up to entropies."""
    q_p = lg.kl_q_p(w, x, noise, sigma, mask)
    d = variational_weight * q_p + adversarial_weight * lg.adversarial(w, x, z, temperature)
    if entropy_weight is not None:
        bound = lg.latent_nll(w, z, z @ w["A"]).mean() + z.shape[1] * np.log(2 * np.pi) / 2
        d += (entropy_weight - adversarial_weight) * bound
    return d


def drawn(count=8, latent_dim=3, seed=SEED):
    """Returns z of the prior, and the noise of one inference or of both."""
    prior, posterior = random.split(seed)
    noises = [posterior, *random.split(posterior)]
    return draws(count, latent_dim, prior), [draws(count, latent_dim, s) for s in noises]


# the gradient is the objective's


def test_paper_ascends_d_in_the_energy_and_descends_it_in_the_others_all_from_the_old_weights():
    algorithm, batch = triangle(preset="paper", **CONSTANTS), pictures()
    z, (noise, *_) = drawn()
    w, x = weights(algorithm), flat(batch["image"])
    gradient = slope(lambda v: divergence(v, x, z, noise, **CONSTANTS), w, w)
    found, logs = change(algorithm, batch, SEED)
    agree(found, {name: g if name == "S" else -g for name, g in gradient.items()})
    assert float(logs["divergence"]) == pytest.approx(
        divergence(w, x, z, noise, **CONSTANTS), rel=1e-5
    )
    assert float(logs["kl_q_p"]) == pytest.approx(lg.kl_q_p(w, x, noise, 0.4), rel=1e-5)
    assert float(logs["energy_data"]) == pytest.approx(lg.energy(w, x).mean() / 0.7, rel=1e-4)
    assert float(logs["energy_samples"]) == pytest.approx(
        lg.energy(w, z @ w["A"]).mean() / 0.7, rel=1e-4
    )
    for role, names in NAMES.items():
        norm = np.sqrt(sum((gradient[name] ** 2).sum() for name in names))
        assert float(logs[f"{role}_grad_norm"]) == pytest.approx(norm, rel=1e-4)


@pytest.mark.parametrize("preset", ORDERS)
@pytest.mark.parametrize("weight", [0.0, 0.4])
def test_the_bound_of_the_entropy_has_a_weight_of_its_own(preset, weight):
    """Each net's step is that of D with the bound weighted apart, at the weights that it meets."""
    constants, rate = CONSTANTS | {"entropy_weight": weight}, 0.1
    algorithm, batch = triangle(rate, preset=preset, **constants), pictures()
    z, (whole, first, second) = drawn()
    start, x = weights(algorithm), flat(batch["image"])
    w = dict(start)
    steps = ((("S",), first, 1), (("B", "c"), first, -1), (("A",), second, -1))
    for names, noise, sign in steps:
        met, drawn_noise = (start, whole) if preset == "paper" else (w, noise)
        gradient = slope(
            lambda v, n=drawn_noise: divergence(v, x, z, n, **constants), dict(met), names
        )
        w |= {name: w[name] + sign * rate * g for name, g in gradient.items()}
    found, logs = change(algorithm, batch, SEED)
    agree(found, {name: w[name] - start[name] for name in w})
    if preset == "paper":
        d = divergence(start, x, z, whole, **constants)
        assert float(logs["divergence"]) == pytest.approx(d, rel=1e-5)


def test_official_makes_the_same_steps_in_turn_each_at_the_weights_as_just_updated():
    """α moves first, then φ, then θ, which meets new draws of the inferred latents."""
    rate = 0.1
    algorithm, batch = triangle(rate, preset="official", **CONSTANTS), pictures()
    z, (_, first, second) = drawn()
    start, x = weights(algorithm), flat(batch["image"])
    w = dict(start)
    for names, noise, sign in ((("S",), first, 1), (("B", "c"), first, -1), (("A",), second, -1)):
        gradient = slope(lambda v, noise=noise: divergence(v, x, z, noise, **CONSTANTS), w, names)
        w |= {name: w[name] + sign * rate * g for name, g in gradient.items()}
    found, _ = change(algorithm, batch, SEED)
    agree(found, {name: w[name] - start[name] for name in w})
    # and not at the old ones
    stale = slope(lambda v: divergence(v, x, z, second, **CONSTANTS), start, ("A",))["A"]
    assert np.abs(found["A"] + rate * stale).max() > 0.05 * np.abs(found["A"]).max()


def test_steps_of_paper_averaged_over_all_noise_are_those_of_d_in_closed_form():
    """The mean of 25 updates of 3,000 draws agrees with the expected gradient.

    Of 43 numbers, one is 6 standard errors off by chance in 1 of 7,000 runs.
    """
    algorithm, four = triangle(preset="paper", **CONSTANTS), pictures(4)
    batch = {"image": tf.tile(four["image"], (750, 1, 1, 1)), "index": tf.range(3000)}
    w, x = weights(algorithm), flat(four["image"])

    def expected(v):
        q_p = lg.expected_kl_q_p(v, x, CONSTANTS["sigma"])
        return 0.6 * q_p + 1.3 * lg.expected_adversarial(v, x, CONSTANTS["temperature"])

    gradient, start, runs = slope(expected, w, w), algorithm.get_weights(), []
    for seed in range(25):
        algorithm.set_weights(start)
        runs.append(change(algorithm, batch, random.root(seed))[0])
    for name, g in gradient.items():
        found = np.stack([run[name] for run in runs])
        error = found.std(axis=0, ddof=1) / len(found) ** 0.5
        assert error.max() < 0.03 * np.abs(g).max()
        assert (np.abs(found.mean(axis=0) - (g if name == "S" else -g)) < 6 * error + 1e-6).all(), (
            name
        )


def test_official_is_the_released_script_with_a_hundred_latents():
    """The losses and their order are those of the released script.

    E moves first, then I, then G, with one z. Each net has a new forward pass after its update.
    """
    rate, dim = 0.01, 100
    algorithm, batch = triangle(rate, dim), pictures()
    z, (_, first, second) = drawn(latent_dim=dim)
    start, x = weights(algorithm), flat(batch["image"])
    w = dict(start)

    def sse(v, noise):
        return ((x - lg.decoded(v, x, noise)) ** 2).sum(axis=1).mean()

    def nll(v, dreamt):
        return lg.latent_nll(v, z, dreamt).mean()

    def loss_e(v):
        return lg.energy(v, x).mean() - lg.energy(v, z @ start["A"]).mean()

    def loss_i(v):
        return sse(v, first) + lg.kl_to_prior(v, x).mean() + 0.1 * nll(v, z @ start["A"])

    def loss_g(v):
        return sse(v, second) + lg.energy(v, z @ v["A"]).mean() + 0.1 * nll(v, z @ v["A"])

    for loss, names in ((loss_e, ("S",)), (loss_i, ("B", "c")), (loss_g, ("A",))):
        w |= {name: w[name] - rate * g for name, g in slope(loss, w, names).items()}
    found, _ = change(algorithm, batch, SEED)
    agree(
        found, {name: w[name] - start[name] for name in w}, tolerance=1e-3
    )  # a rate of 0.01 leaves fewer digits


@pytest.mark.parametrize("preset", ORDERS)
def test_the_generator_meets_the_others_as_they_were_or_as_they_have_become(preset):
    def of(**rates):
        return change(
            triangle({"generator": 0.1, "energy": 0.1, "inference": 0.1} | rates, preset=preset),
            pictures(),
            SEED,
        )[0]

    usual = of()
    for role in ("energy", "inference"):
        assert np.array_equal(of(**{role: 0.0})["A"], usual["A"]) == (preset == "paper")
    frozen = of(generator=0.0)
    assert all(np.array_equal(frozen[name], usual[name]) for name in ("S", "B", "c"))
    assert np.array_equal(of(energy=0.0)["B"], usual["B"])


# missing pixels


@pytest.mark.parametrize("preset", ORDERS)
def test_missing_pixels_count_for_the_energy_as_they_were_filled_and_not_for_the_likelihood(preset):
    """Compares the first step alone.

    In turn, the steps of the inference net and the generator follow from it.
    """
    role = NAMES if preset == "paper" else {"energy": ("S",)}
    algorithm, batch = triangle(preset=preset, num_incomplete=20, **CONSTANTS), pictures(hidden=0)
    before = np.random.default_rng(2).normal(size=(20, *lg.SHAPE)).astype(np.float16)
    algorithm.missing.rows.assign(before)
    mask = flat(batch["mask"])
    x = flat(batch["image"]) + (1 - mask) * flat(before[:8])
    z, (noise, *_) = drawn()
    gradient = slope(
        lambda v: divergence(v, x, z, noise, mask=mask, **CONSTANTS),
        weights(algorithm),
        sum(role.values(), ()),
    )
    found, _ = change(algorithm, batch, SEED)
    agree(found, {name: g if name == "S" else -g for name, g in gradient.items()})


def test_what_stands_in_for_missing_pixels_is_what_was_decoded_and_known_pixels_stay():
    """Half precision keeps 11 bits, so that a number near 2 is rounded by at most 2^-10."""
    algorithm, batch = triangle(preset="paper", num_incomplete=20), pictures(hidden=1)
    batch["index"] = batch["index"] * 2 + 1
    w, x = weights(algorithm), flat(batch["image"])
    _, (noise, *_) = drawn()
    assert np.array_equal(algorithm.missing.fill(batch), batch["image"])  # zeros, to begin with
    algorithm.update(batch, SEED)
    filled = flat(algorithm.missing.fill(batch))
    known = flat(batch["mask"]) == 1
    assert np.array_equal(filled[known], x[known])
    np.testing.assert_allclose(filled[~known], lg.decoded(w, x, noise)[~known], atol=4 * 2**-11)
    others = np.delete(algorithm.missing.rows.numpy(), batch["index"], axis=0)
    assert len(others) == 12
    assert not others.any()


# regularisers, constants, mistakes


@pytest.mark.parametrize("preset", ORDERS)
@pytest.mark.parametrize("name", ["energy_decay", "gradient_penalty"])
def test_regularizers_pull_on_the_energy_alone_and_are_off_by_default(preset, name):
    """The energy's change differs by the regularizer's gradient, and the other nets' by nothing.

    The energy itself stands still while the other nets are compared.
    """
    x, (z, _) = flat(pictures()["image"]), drawn()
    w = weights(triangle())

    def penalty(v):
        if name == "energy_decay":
            return (lg.energy(v, x) ** 2).mean() + (lg.energy(v, z @ v["A"]) ** 2).mean()
        return ((x @ (v["S"] + v["S"].T) / 2) ** 2).sum(axis=1).mean() / 2

    def of(rate, **options):
        return change(triangle({"energy": rate}, preset=preset, **options), pictures(), SEED)[0]

    assert getattr(triangle(), name) == 0
    pull = of(1.0, **{name: 0.2})["S"] - of(1.0)["S"]
    agree({"S": pull}, {"S": -0.2 * slope(penalty, w, ["S"])["S"]}, tolerance=1e-3)
    still, plain = of(0.0, **{name: 0.2}), of(0.0)
    assert all(np.array_equal(still[matrix], plain[matrix]) for matrix in w)


@pytest.mark.parametrize(
    ("preset", "constants"), [("official", (0.005**0.5, 0.1, 0.01, 0.1)), ("paper", (0.3, 1, 1, 1))]
)
def test_constants_that_are_not_given_are_the_presets_and_others_replace_them(preset, constants):
    names = ("sigma", "temperature", "variational_weight", "adversarial_weight")

    def found(**given):
        algorithm = triangle(preset=preset, **given)
        model, weights = (
            algorithm.model,
            (algorithm.variational_weight, algorithm.adversarial_weight),
        )
        return (model.sigma, model.temperature, *weights)

    assert found() == constants
    for number, name in enumerate(names):
        assert found(**{name: 7.0}) == (*constants[:number], 7.0, *constants[number + 1 :])


def test_a_weight_of_zero_is_zero():
    assert triangle(adversarial_weight=0.0).adversarial_weight == 0
    assert triangle(variational_weight=0.0).variational_weight == 0
    assert triangle(entropy_weight=0.0).entropy_weight == 0


def test_the_entropys_weight_is_the_adversarial_sides_unless_it_is_given():
    assert triangle().entropy_weight == 0.1
    assert triangle(adversarial_weight=0.7).entropy_weight == 0.7
    assert triangle(adversarial_weight=0.7, entropy_weight=0.2).entropy_weight == 0.2


def test_the_scaled_preset_is_the_official_one_at_the_scripts_size():
    assert PRESETS["scaled"].of(3072, 100)[:5] == pytest.approx(PRESETS["official"][:5])
    assert PRESETS["official"].of(64, 16) == PRESETS["official"]


@pytest.mark.parametrize(("pixels", "latents"), [(784, 16), (64, 16), (12_288, 100)])
def test_the_scaled_preset_weighs_errors_by_pixel_and_latents_by_number(pixels, latents):
    """In the script's terms: squared error, KL averaged over latents, and 0.1 -log q."""
    found = PRESETS["scaled"].of(pixels, latents)
    squared_error = found.variational / (2 * found.sigma**2)
    assert squared_error * pixels == pytest.approx(3072)
    assert found.variational * latents == pytest.approx(1)
    assert found.entropy * latents == pytest.approx(10)
    assert (found.adversarial, found.temperature) == (0.1, 0.1)


def test_an_algorithm_of_the_scaled_preset_has_the_constants_of_its_images_and_latents():
    algorithm, expected = triangle(preset="scaled"), PRESETS["scaled"].of(4, 3)
    assert algorithm.model.sigma == algorithm.sigma == expected.sigma
    assert algorithm.variational_weight == expected.variational
    assert algorithm.entropy_weight == expected.entropy


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("preset", "offical"),
        *((name, -1.0) for name in CONSTANTS),
        ("entropy_weight", -1.0),
        ("sigma", float("nan")),
        ("energy_decay", -0.1),
        ("gradient_penalty", -0.1),
        ("step_size", 0.0),
        ("sample_steps", -1),
        ("completion_rounds", 0),
    ],
)
def test_a_constant_out_of_its_range_is_named(option, value):
    with pytest.raises(UserError, match=option):
        triangle(**{option: value})


def test_the_density_is_the_energy_over_the_temperature():
    algorithm, x = triangle(temperature=0.25), pictures()["image"]
    u = algorithm.nets["energy"](x)
    np.testing.assert_allclose(algorithm.model.energy_fn()(x), 4 * u, rtol=1e-6)


def test_batch_normalization_learns_from_all_that_a_net_sees_while_training():
    """Running means move with an update, and a net in inference mode would leave them."""
    keras.utils.set_random_seed(0)
    shape = (8, 8, 1)
    options = {"energy": {"batch_norm": True}, "inference": {"batch_norm": True}, "generator": {}}
    built = [getattr(triangle_digits, r)(shape, width=0.1, **options[r]) for r in ROLES]
    algorithm = DivergenceTriangle(*built, image_shape=shape)
    algorithm.compile({role: keras.optimizers.SGD(0.0) for role in ROLES})
    before = {
        role: [v.numpy() for v in algorithm.nets[role].non_trainable_variables] for role in ROLES
    }
    algorithm.update({"image": random.normal((6, *shape), SEED), "index": np.arange(6)}, SEED)
    for role in ROLES:
        after = algorithm.nets[role].non_trainable_variables
        assert before[role]
        assert not any(
            np.array_equal(old, new.numpy()) for old, new in zip(before[role], after, strict=True)
        )


def test_drawn_and_inferred_latents_have_running_statistics_of_their_own():
    """Each set follows by a tenth a batch that only latents of its own kind are in."""
    keras.utils.set_random_seed(0)
    shape = (8, 8, 1)
    generator = triangle_digits.generator(shape, width=0.1, normalization="dual_batch")
    others = {r: getattr(triangle_digits, r)(shape, width=0.1) for r in ("energy", "inference")}
    # far from the prior: means of 3
    others["inference"].mean.bias.assign(3 * tf.ones(16))
    algorithm = DivergenceTriangle(
        generator=generator, **others, image_shape=shape, preset="paper", seed=0
    )
    algorithm.compile({role: keras.optimizers.SGD(0.0) for role in ROLES})
    batch = {"image": random.normal((6, *shape), SEED), "index": np.arange(6)}
    algorithm.update(batch, SEED)
    z = random.normal((6, 16), random.split(SEED)[0])
    response = generator.stack[0](tf.reshape(z, [6, 1, 1, 16]))
    norm = generator.norms[0]
    expected = tf.reduce_mean(response, axis=[0, 1, 2]) / 10
    np.testing.assert_allclose(norm.drawn.moving_mean, expected, rtol=1e-4, atol=1e-6)
    assert np.abs(norm.inferred.moving_mean - norm.drawn.moving_mean).max() > np.abs(expected).max()
