"""LiteRT files of models with latents: built-in operators only, and the library's answers."""

import pathlib
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from support import latent_models
from support.litert import built_in

from export.litert import convert
from tfgen.models import Endpoint, LatentModel, Model, inputs
from tfgen.nets.convolution.adjoint import convolve
from tfgen.nets.convolution.layers import ConvTranspose
from tfgen.types import Noise

INFERRED = {"decode", "encode", "reconstruct", "interpolate", "complete", "complete_step"}
FILES = {"vae": INFERRED, "wake_sleep": INFERRED, "abp": INFERRED}
REFINED = INFERRED | {"energy", "anomaly", "refine_step"}


class Written(NamedTuple):
    """A model and its files, by endpoint."""

    kind: str
    model: Model
    files: dict[str, pathlib.Path]

    def close(self, name: str, output: str, expected: tf.Tensor, **inputs: np.ndarray) -> None:
        """Checks that a file answers within 1e-4 of the range: float32 in another order of sums."""
        found = convert.run(self.files[name], **inputs)[output]
        assert found.shape == expected.shape
        assert np.ptp(expected) > 0.1 or expected.shape == (1,)
        size = np.ptp(expected) if np.ptp(expected) > 0 else np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * size)

    def given(self, *names: str) -> list[np.ndarray]:
        """Returns the inputs of an endpoint: one image or latent each."""
        return [latent_models.given(self.model, batch=1)[name] for name in names]


def models(*having: str):
    """Asks a test of the models that have these endpoints without sampling; all have `decode`."""
    kinds = latent_models.every("divergence_triangle", "abp")
    able = [kind for kind in kinds if set(having) <= FILES.get(kind.values[0], REFINED)]
    return pytest.mark.parametrize("model", able, indirect=True)


@pytest.fixture(scope="module")
def model(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    built = latent_models.build(request.param, place / "run")
    return Written(
        request.param,
        built,
        {path.stem: path for path in convert.write(built, place / "tflite")},
    )


@models()
def test_there_is_a_file_for_all_that_needs_no_seed(model):
    assert set(model.files) == FILES.get(model.kind, REFINED)


@models()
def test_all_operators_are_built_in(model):
    for path in model.files.values():
        assert built_in(path)


@models()
def test_a_latent_is_decoded_as_the_library_does(model):
    (latent,) = model.given("latent")
    model.close("decode", "image", model.model.decode(tf.constant(latent)), latent=latent)


@models("encode")
def test_an_image_is_encoded_as_the_library_does(model):
    (image,) = model.given("image")
    model.close("encode", "latent", model.model.encode(tf.constant(image)), image=image)


@models("reconstruct")
def test_an_image_is_reconstructed_as_the_library_does(model):
    (image,) = model.given("image")
    model.close("reconstruct", "image", model.model.reconstruct(tf.constant(image)), image=image)


@models("energy")
def test_the_energy_is_the_librarys(model):
    (image,) = model.given("image")
    model.close("energy", "energy", model.model.energy(tf.constant(image)), image=image)


@models("interpolate")
@pytest.mark.parametrize("spherical", [True, False])
def test_the_way_between_two_images_is_the_librarys(model, spherical):
    first, second = model.given("first", "second")
    for t in np.float32([[0.0], [0.3], [1.0]]):
        given = {"first": first, "second": second, "position": t, "spherical": np.array(spherical)}
        expected = model.model.interpolate(*map(tf.constant, given.values()))
        model.close("interpolate", "image", expected, **given)


def latent_noise(model: LatentModel, seed: int) -> np.ndarray:
    """Returns draws for each round; where latents are sampled, for a start and each step too."""
    sampling = model.inference_sampling
    draws = () if sampling is None else (1 + sampling.steps,)
    shape = (model.completion_rounds, *draws, *model.generator.latent_shape)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def refining(model: LatentModel, steps: int) -> dict[str, np.ndarray]:
    """Returns noise for steps under the energy, where a model has one."""
    if model.energy_net is None:
        return {}
    noise = np.random.default_rng(7).standard_normal((steps, *model.image_shape))
    return {"noise": noise.astype(np.float32)}


@models("complete")
@pytest.mark.parametrize("steps", [0, 3])
def test_a_completion_is_the_librarys_with_its_noise(model, steps):
    """The library's own sampler, given the same noise."""
    image, mask = model.given("image", "mask")
    latents, noise = latent_noise(model.model, 1), refining(model.model, steps)
    given = Noise(tf.constant(noise.get("noise", np.zeros((0, 1), np.float32))))
    pictures = tf.constant(image), tf.constant(mask)
    expected = model.model.complete_by(*pictures, Noise(tf.constant(latents)), given, steps)
    found = {"image": image, "mask": mask, "latent_noise": latents, **noise}
    model.close("complete", "image", expected, **found)


@models("complete")
def test_rounds_and_steps_taken_one_at_a_time_are_the_completion(model):
    """The next round sees what stands at missing pixels, the first one zeros."""
    image, mask = model.given("image", "mask")
    latents, noise = latent_noise(model.model, 1), refining(model.model, 2)
    x = mask * image
    for draw in latents:
        given = {"image": x, "mask": mask, "latent_noise": draw[None]}
        x = convert.run(model.files["complete_step"], **given)["image"]
    for draw in noise.get("noise", []):
        given = {"image": x, "mask": mask, "noise": draw[None]}
        x = convert.run(model.files["refine_step"], **given)["image"]
    given = {"image": image, "mask": mask, "latent_noise": latents, **noise}
    expected = convert.run(model.files["complete"], **given)["image"]
    np.testing.assert_allclose(x, expected, atol=1e-5)


@models("complete")
def test_a_completion_keeps_known_pixels_and_follows_the_noise(model):
    image, mask = model.given("image", "mask")
    first, second = (
        convert.run(
            model.files["complete"],
            image=image,
            mask=mask,
            latent_noise=latent_noise(model.model, seed),
            **refining(model.model, 0),
        )["image"]
        for seed in (0, 1)
    )
    known = np.broadcast_to(mask == 1, image.shape)
    assert np.array_equal(first[known], image[known])
    assert np.abs(first - second)[~known].max() > 0.01


# what the converter does not understand by itself


def converted(function, place: pathlib.Path, **given: np.ndarray) -> np.ndarray:
    """Returns what a function answers out of a file."""
    content = convert.convert(endpoint(function, **given))["float32"]
    (place / "f.tflite").write_bytes(content)
    assert built_in(place / "f.tflite")
    return convert.run(place / "f.tflite", **given)["y"]


def endpoint(function, **given: np.ndarray) -> Endpoint:
    """Returns a function of arrays of fixed shapes as an endpoint."""
    taken = tuple(
        inputs.Input(name, value.shape, tf.float32, "numbers", batched=False)
        for name, value in given.items()
    )
    return Endpoint("f", lambda **x: {"y": function(*(x[name] for name in given))}, taken, ("y",))


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_an_endpoint_is_traced_once_for_all_variants():
    traces = []

    def answer(x: tf.Tensor) -> tf.Tensor:
        traces.append(x)
        return 2 * x

    made = convert.convert(endpoint(answer, x=normal(1, 3)), convert.VARIANTS)
    assert len(traces) == 1
    assert set(made) == set(convert.VARIANTS)


def test_a_custom_gradient_is_no_hindrance(tmp_path):
    x, kernel = normal(1, 5, 5, 2), normal(3, 3, 2, 4)
    np.testing.assert_allclose(
        converted(convolve, tmp_path, x=x, k=kernel), convolve(x, kernel), atol=1e-5
    )


@pytest.mark.parametrize(
    ("size", "strides", "padding"),
    [
        (4, 2, 1),
        (3, 1, 1),
        (5, 2, 2),
        ((4, 5), 3, 1),
        (4, 1, 0),
        (2, 3, 0),
        (5, 2, 1),
        (4, 1, 1),
        ((4, 5), 2, 1),
    ],
)
def test_transposed_convolutions_keep_their_padding(tmp_path, size, strides, padding):
    x, layer = normal(1, 3, 4, 2), ConvTranspose(3, size, strides, padding, initializer_scale=1.0)
    expected = layer(tf.constant(x))
    np.testing.assert_allclose(converted(layer, tmp_path, x=x), expected, atol=1e-5)
