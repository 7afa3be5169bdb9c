"""LiteRT files: built-in operators only, and the answers of the library."""

import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import DIGITS, TEXTURE
from support.litert import built_in

from export.litert import convert
from tfgen import energies
from tfgen.errors import UserError
from tfgen.models import Endpoint, Model, inputs
from trainers.run.experiment import Experiment
from trainers.run.trained import restored

FLAGS = {
    "swish": DIGITS,
    "relu": (*DIGITS, "--energy.activation=relu"),
    # swish, several classes, and all that bends the path of a chain at once
    "classes": (
        *DIGITS,
        "--energy.outputs=10",
        "--generative_convnet.denoising_steps=3",
        "--generative_convnet.clamp",
        "--generative_convnet.max_grad_norm=5",
    ),
    "denoising": (*DIGITS, "--generative_convnet.denoising_steps=3"),
    "clamp": (*DIGITS, "--generative_convnet.clamp"),
    "clipped": (*DIGITS, "--generative_convnet.max_grad_norm=5"),
    "cold": (*DIGITS, "--generative_convnet.temperature=0.25"),
    "texture": (*TEXTURE, "--generative_convnet.margin=3"),
}
"""A model of each kind that the files must follow."""

FAST = ("relu", "texture")


def built(name: str, directory) -> tuple[Model, dict]:
    """Returns a model with weights of a good size, and its files by endpoint."""
    values = command_line.values("trainers.main", *FLAGS[name], f"--workdir={directory / 'run'}")
    model = Experiment(values).algorithm.model
    # biases too; as far from linear as trained ones
    for variable in model.energy_net.trainable_variables:
        noise = np.random.default_rng(len(variable.shape)).standard_normal(variable.shape)
        variable.assign(variable + 0.05 * noise)
    written = convert.write(model, directory / "tflite")
    return model, {path.stem: path for path in written}


@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in FLAGS],
)
def files(request, tmp_path_factory):
    return built(request.param, tmp_path_factory.mktemp(request.param))


def given(model, rng, steps: int = 4) -> dict[str, np.ndarray]:
    """Inputs of all endpoints."""
    shape = model.image_shape
    return {
        "image": rng.uniform(-1, 1, (1, *shape)).astype(np.float32),
        "mask": (rng.uniform(size=(1, *shape[:2], 1)) < 0.5).astype(np.float32),
        "start": rng.uniform(-1, 1, (1, *shape)).astype(np.float32),
        "noise": rng.standard_normal((steps, *shape)).astype(np.float32),
        "label": np.array([3], np.int32),
    }


def labels(model, inputs) -> dict[str, np.ndarray]:
    return {"label": inputs["label"]} if model.num_classes > 1 else {}


def langevin(model, x, noise, unknown, label) -> np.ndarray:
    """Equation 19 with given noise, by automatic differentiation."""
    kernel, energy = model.sampling.kernel, model.energy_fn(label)
    for draw in [*noise, *[None] * model.sampling.denoising_steps]:
        _, gradient = energies.value_and_grad(energy, tf.constant(x, tf.float32))
        gradient = gradient.numpy() * unknown
        if kernel.max_grad_norm is not None:
            gradient *= min(1.0, kernel.max_grad_norm / np.linalg.norm(gradient))
        x = x - kernel.step_size**2 / 2 * gradient
        if draw is not None:
            x = x + kernel.step_size * kernel.temperature**0.5 * draw[None] * unknown
        if kernel.bounds is not None:
            x = np.clip(x, *kernel.bounds)
    return np.clip(x, -1, 1)


def test_the_energy_is_the_librarys(files):
    model, paths = files
    inputs = given(model, np.random.default_rng(0))
    label = labels(model, inputs)
    found = convert.run(paths["energy"], image=inputs["image"], **label)["energy"]
    expected = model.energy(tf.constant(inputs["image"]), *map(tf.constant, label.values()))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_reconstruction_is_the_librarys(files):
    model, paths = files
    inputs = given(model, np.random.default_rng(1))
    label = labels(model, inputs)
    found = convert.run(paths["reconstruct"], image=inputs["image"], **label)["image"]
    expected = model.reconstruct(
        tf.constant(inputs["image"]), *map(tf.constant, label.values())
    ).numpy()
    assert found.shape == inputs["image"].shape
    np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, np.abs(expected).max()))


def test_samples_are_langevin_dynamics_with_the_given_noise(files):
    model, paths = files
    inputs = given(model, np.random.default_rng(2))
    label = labels(model, inputs)
    start, noise = inputs["start"], inputs["noise"]
    found = convert.run(paths["generate"], start=start, noise=noise, **label)["image"]
    expected = langevin(model, start, noise, 1.0, tf.constant(inputs["label"]) if label else None)
    margin = model.margin
    expected = expected[:, margin:-margin, margin:-margin] if margin else expected
    height, width, channels = model.image_shape
    assert found.shape == (1, height - 2 * margin, width - 2 * margin, channels)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.std() > 0.01


def test_a_completion_leaves_known_pixels_and_samples_the_others(files):
    model, paths = files
    inputs = given(model, np.random.default_rng(3))
    label = labels(model, inputs)
    image, mask = inputs["image"], inputs["mask"]
    start, noise = inputs["start"], inputs["noise"]
    found = convert.run(
        paths["complete"], image=image, mask=mask, start=start, noise=noise, **label
    )["image"]
    known = np.broadcast_to(mask == 1, image.shape)
    assert np.array_equal(found[known], image[known])
    start = mask * image + (1 - mask) * start
    expected = langevin(
        model, start, noise, 1 - mask, tf.constant(inputs["label"]) if label else None
    )
    np.testing.assert_allclose(found[~known], expected[~known], atol=1e-5)


def test_steps_taken_one_at_a_time_are_the_completion(files):
    """The noise-free ones at the end too, by noise of zeros."""
    model, paths = files
    inputs = given(model, np.random.default_rng(6))
    label, image, mask = labels(model, inputs), inputs["image"], inputs["mask"]
    x = mask * image + (1 - mask) * inputs["start"]
    still = np.zeros((model.sampling.denoising_steps, *model.image_shape), np.float32)
    for draw in [*inputs["noise"], *still]:
        x = convert.run(paths["complete_step"], image=x, mask=mask, noise=draw[None], **label)[
            "image"
        ]
    whole = convert.run(
        paths["complete"], **{n: inputs[n] for n in ("image", "mask", "start", "noise")}, **label
    )
    np.testing.assert_allclose(
        np.where(mask == 1, image, np.clip(x, -1, 1)), whole["image"], atol=1e-5
    )


def test_the_number_of_steps_is_the_noises(files):
    model, paths = files
    inputs = given(model, np.random.default_rng(4), steps=6)
    start, noise = inputs["start"], inputs["noise"]
    short, long = (
        convert.run(paths["generate"], start=start, noise=noise[:n], **labels(model, inputs))[
            "image"
        ]
        for n in (1, 6)
    )
    assert not np.array_equal(short, long)


def test_all_operators_are_built_in(files):
    _, paths = files
    made = {"complete", "complete_step", "generate"}
    assert set(paths) == made | {"anomaly", "energy", "reconstruct"}
    for path in paths.values():
        assert built_in(path)


def test_files_of_the_command_are_those_of_the_run(digits, exported):
    model = restored(digits).model
    image = np.random.default_rng(5).uniform(-1, 1, (1, 8, 8, 1)).astype(np.float32)
    found = convert.run(exported / "tflite" / "energy.tflite", image=image)["energy"]
    np.testing.assert_allclose(found, model.energy(tf.constant(image)), rtol=1e-5)


def test_every_file_refuses_several_examples_and_images_of_another_size(exported):
    """An interpreter would write beyond the memory of one example otherwise."""
    paths = sorted((exported / "tflite").glob("*.tflite"))
    assert len(paths) >= 5
    for path in paths:
        interpreter = tf.lite.Interpreter(str(path))
        for details in interpreter.get_signature_runner().get_input_details().values():
            free = details["shape_signature"]
            for axis in np.flatnonzero(free > 0):
                shape = np.where(free < 0, 1, free)
                shape[axis] *= 2
                fresh = tf.lite.Interpreter(str(path))
                fresh.resize_tensor_input(details["index"], shape)
                with pytest.raises(RuntimeError, match="size_splits must sum to the dimension"):
                    fresh.allocate_tensors()


def test_a_file_that_is_run_with_another_shape_is_refused_by_name(exported):
    path = exported / "tflite" / "energy.tflite"
    one = convert.run(path, image=np.zeros((1, 8, 8, 1), np.float32))
    assert one["energy"].shape == (1,)
    with pytest.raises(UserError, match=r"image: expected the shape \[1, 8, 8, 1\], .* \[4, 8, 8"):
        convert.run(path, image=np.zeros((4, 8, 8, 1), np.float32))


def test_a_file_whose_answers_are_not_finite_is_not_made():
    known = inputs.Input("x", (1,), tf.float32, "a number", example=[0.0])
    inverse = Endpoint("inverse", lambda x: {"y": 1 / x}, (known,), ("y",), "Computes 1 / x.")
    with pytest.raises(UserError, match="inverse: expected finite numbers of y"):
        convert.convert(inverse)
