"""An export limits what one request costs, and answers with finite numbers or not at all."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from support import tiny_models
from support.command_line import content, mistake
from support.rows import answer, endpoint_of

from export.clients.exported import refusal
from export.saved_model import archive, checks, description, limits, published
from export.saved_model.limits import Limits
from tfgen.errors import UserError
from tfgen.models import inputs
from trainers.run.trained import restored

MOST = Limits(steps=40, count=7, side=6, rows=3)


def refused(call, *args) -> str:
    """Returns the sentence that a graph refuses a request with."""
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call(*args)
    return refusal(caught.value.message)


@pytest.fixture(scope="session")
def triangle_limits(triangle) -> Limits:
    """Returns the limits of the triangle's export."""
    return limits.of(restored(triangle).model)


LARGE = {
    "steps": ("complete", "num_steps", 2**31 - 1, "num_steps: expected at most {steps} and found"),
    "some": ("generate", "num_steps", 20_000, "num_steps: expected at most {steps} and found"),
    "draws": ("uncertainty", "draws", 65, "draws: expected at most 64 and found [65]"),
    "all draws": ("uncertainty", "draws", 2**31 - 1, "draws: expected at most 64 and found"),
    "below": ("interpolate", "position", -0.01, "position: expected numbers from 0 to 1"),
    "beyond": ("interpolate", "position", 1.5, "position: expected numbers from 0 to 1"),
    "second": ("interpolate", "second", 2, "second: expected numbers in [-1, 1] and found [2]"),
    "bright": ("complete", "image", 1.02, "image: expected numbers in [-1, 1] and found [1.02]"),
    "dark": ("energy", "image", -1.5, "image: expected numbers in [-1, 1] and found [-1.5]"),
    "levels": ("reconstruct", "image", 255, "image: expected numbers in [-1, 1] and found [255]"),
    "huge": ("complete", "image", 1e10, "image: expected numbers in [-1, 1] and found [1e+10]"),
    "largest": ("anomaly", "image", 3e38, "image: expected numbers in [-1, 1] and found [3e+38]"),
}
"""Endpoint, input, a value that it refuses, and what is said."""


@pytest.mark.parametrize("kind", LARGE)
def test_a_request_that_costs_too_much_is_refused_by_the_name_of_its_input(
    triangle_signatures, triangle_rows, triangle_limits, kind
):
    name, culprit, value, said = LARGE[kind]
    given = triangle_rows(name)
    given[culprit] = np.full_like(given[culprit], value)
    assert said.format(steps=triangle_limits.steps) in refused(
        answer, triangle_signatures[name], given
    )


def test_what_rounding_adds_to_an_image_passes(triangle_signatures, triangle_rows):
    given = triangle_rows("energy")
    given["image"] = np.full_like(given["image"], 1.005)
    assert np.isfinite(answer(triangle_signatures["energy"], given)["energy"]).all()


def test_rows_are_limited_also_where_they_count_images(triangle_signatures):
    """One sentence at once, where a million rows would take minutes."""
    seeds = np.zeros((1_000_000, 2), np.int32)
    for name in ("generate", "generate_png"):
        known = triangle_signatures[name].structured_input_signature[1]
        given = {
            key: np.zeros((len(seeds), *spec.shape[1:]), spec.dtype.as_numpy_dtype)
            for key, spec in known.items()
        }
        said = refused(answer, triangle_signatures[name], given)
        assert said.endswith(": expected at most 256 rows and found [1000000]")


def test_a_wrong_rank_is_named_before_its_numbers(triangle_signatures):
    """A test of numbers of another rank fails within itself, without the input's name."""
    for wrong in (np.zeros((), np.float32), np.zeros((2, 8, 8, 1, 1), np.float32)):
        said = refused(answer, triangle_signatures["energy"], {"image": wrong})
        assert said.startswith("image: expected the shape [any, 8, 8, 1] and found [")


def made_up(known, bounds=MOST):
    """Returns the graph of an endpoint that answers the first number of an input of any shape."""

    def first(**given):
        return {"energy": tf.cast(tf.reshape(given[known.name], [-1])[:1], tf.float32)}

    checked = checks.checked(endpoint_of(first, known), bounds)
    return tf.function(
        lambda value: checked.fn(**{known.name: value}),
        input_signature=[tf.TensorSpec(None, known.dtype)],
        autograph=False,
    )


SIDES = [
    ((1, 4, 4, 1), None),
    ((1, 6, 6, 1), None),
    ((1, 3, 4, 1), "canvas: expected at least 4 pixels a side and found [3]"),
    ((1, 4, 7, 1), "canvas: expected at most 6 pixels a side and found [7]"),
    ((1, 0, 4, 1), "canvas: expected at least 4 pixels a side and found [0]"),
    ((0, 4, 4, 1), "canvas: expected at least 1 row and found [0]"),
    ((4, 4, 4, 1), "canvas: expected at most 3 rows and found [4]"),
    ((1, 4, 4, 2), "canvas: expected the shape [any, any, any, 1] and found [1 4 4 2]"),
    ((1, 4, 4), "canvas: expected the shape [any, any, any, 1] and found [1 4 4]"),
]


@pytest.mark.parametrize(("shape", "said"), SIDES)
def test_sides_that_a_request_chooses_are_limited(shape, said):
    graph = made_up(inputs.image((None, None, 1), "canvas", "images", (4, 4), least_side=4))
    images = tf.zeros(shape)
    if said is None:
        assert graph(images)["energy"] == 0
    else:
        assert refused(graph, images) == said


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        ([6, 3], None),
        ([7, 3], "size: expected at most 6 pixels a side and found [7]"),
        ([3, 2], "size: expected at least 3 pixels a side and found [2]"),
        ([-1, 3], "size: expected at least 3 pixels a side and found [-1]"),
        ([2**31 - 1, 3], "size: expected at most 6 pixels a side and found [2147483647]"),
    ],
)
def test_sizes_are_limited(sides, said):
    graph = made_up(inputs.size((4, 4), 3))
    size = tf.constant([sides])
    if said is None:
        assert graph(size)["energy"] == sides[0]
    else:
        assert refused(graph, size) == said


def test_an_answer_that_is_not_finite_is_refused_by_the_name_of_the_output():
    image = inputs.image((1, 1, 1))

    def inverse(image):
        return {"energy": 1 / image[:, 0, 0, 0]}

    graph = checks.checked(endpoint_of(inverse, image), MOST).graph
    assert graph(tf.fill((2, 1, 1, 1), 0.5))["energy"].numpy().tolist() == [2, 2]
    said = refused(graph, tf.zeros((2, 1, 1, 1)))
    assert said.startswith("energy: expected an answer of finite numbers, which these inputs do")


def test_limits_are_four_times_the_models_own(triangle):
    model = restored(triangle).model
    own = limits.of(model)
    assert model.sampling.steps == 0  # refinement is a wish: no number of the model's own
    assert own == Limits(steps=1000, count=64, side=32, rows=256)
    assert limits.of(model, {"rows": 5, "steps": None}) == dataclasses.replace(own, rows=5)
    with pytest.raises(UserError, match=r"--most_count: expected at least 20, which .* found 3"):
        limits.of(model, {"count": 3})
    with pytest.raises(UserError, match=r"--most_side: expected at least 8, .* found 7"):
        limits.of(model, {"side": 7})


def test_steps_are_limited_by_the_models_own_number(digits):
    model = restored(digits).model
    assert (model.sampling.steps, model.sampling.learning_steps) == (5, 2)
    assert limits.of(model).steps == 20


def test_limits_stand_in_the_description(tmp_path):
    version = archive.write(tiny_models.Weather(), tmp_path / "weather", bounds=MOST)
    said = description.parsed((version / description.PLACE).read_text())
    assert said.facts["limits"] == {"steps": 40, "count": 7, "side": 6, "rows": 3}
    entries = said.endpoints["forecast"].inputs
    assert entries["image"].check == "numbers in [-1, 1]"
    assert (entries["image"].low, entries["image"].high) == (-1.01, 1.01)
    assert entries["day"].check == "days from 1 to 366"
    rows = {"image": tf.zeros((4, 8, 8, 1)), "day": [1] * 4, "seed": [[0, 0]] * 4}
    found = tf.saved_model.load(str(version)).signatures["forecast"]
    assert "at most 3 rows" in refused(
        lambda: found(**{k: tf.constant(v) for k, v in rows.items()})
    )


@pytest.mark.parametrize("light", [np.nan, np.inf, 3e38])
def test_a_model_whose_answers_are_not_finite_is_not_exported(tmp_path, light):
    model = tiny_models.Weather()
    model.light.assign(light)
    model.light.assign(light * 10)
    with pytest.raises(UserError, match=r"expected .*finite numbers"):
        archive.write(model, tmp_path / "weather")
    assert content(tmp_path) == {}


def test_limits_that_are_none_are_refused(digits, tmp_path):
    given = (f"--workdir={digits}", f"--output={tmp_path}")
    assert "most_rows" in mistake("export.main", *given, "--most_rows=0")
    said = mistake("export.main", *given, "--most_steps=2")
    assert (
        "--most_steps: expected at least 5, which the model takes by default, and found 2" in said
    )
    assert content(tmp_path) == {}


def test_an_exports_own_description_is_json_without_nan(exported):
    def refuse(word):
        raise AssertionError(word)

    for path in exported.rglob("*.json"):
        json.loads(path.read_text(), parse_constant=refuse)


def test_every_declared_limit_is_one_that_exports_have():
    for known in (inputs.num_steps(5), inputs.count(), inputs.draws(), inputs.size((4, 4))):
        assert known.limited in limits.names()
        assert [rule.high for rule in limits.on_numbers(known, MOST)] == [
            dataclasses.asdict(MOST)[known.limited]
        ]


def test_the_largest_request_is_answered(tmp_path):
    """The limits themselves pass."""
    graph = made_up(inputs.num_steps(5))
    assert graph(tf.constant([40, 0, 40]))["energy"] == 40
    assert "at most 40" in refused(graph, tf.constant([40, 0, 41]))


def test_the_description_refuses_rows_that_it_does_not_have():
    endpoint = published.endpoints(tiny_models.Weather())
    assert set(endpoint) == {"forecast", "forecast_png"}
    describe = description.endpoint("{}").graph
    assert describe(tf.constant([0, 0]))["description"].numpy().tolist() == [b"{}", b"{}"]
    for index in ([-1], [0, 7]):
        assert refused(describe, tf.constant(index)).startswith("index: expected")
