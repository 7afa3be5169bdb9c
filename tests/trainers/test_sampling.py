"""`trainers.sample`: each task writes a picture, or images; and refuses what it cannot do."""

import pathlib

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import TOY, mistake

from tfgen import random
from tfgen.data import masks, preprocess
from trainers import sample
from trainers.run import checkpoints, experiment, identity
from trainers.run.trained import restored


def draw(workdir: pathlib.Path, output: pathlib.Path, *args: str) -> np.ndarray:
    """The picture that a task draws."""
    command_line.start("trainers.sample", f"--workdir={workdir}", f"--output={output}", *args)
    return iio.imread(output)


def cells(sheet: np.ndarray, height: int, width: int, scale: int) -> np.ndarray:
    """The images of a grey sheet before they were enlarged, [rows, columns, height, width]."""
    rows, columns = (
        (side + 2) // (scale * n + 2) for side, n in zip(sheet.shape, (height, width), strict=True)
    )
    assert sheet.shape == (rows * (scale * height + 2) - 2, columns * (scale * width + 2) - 2)
    found = np.empty((rows, columns, height, width), sheet.dtype)
    for r in range(rows):
        for c in range(columns):
            top, left = r * (scale * height + 2), c * (scale * width + 2)
            found[r, c] = sheet[
                top : top + scale * height : scale, left : left + scale * width : scale
            ]
    return found


def test_generate_draws_as_many_images_as_asked(trained_digits, tmp_path, capsys):
    found = cells(
        draw(trained_digits, tmp_path / "out.png", "--task=generate", "--count=4"), 8, 8, 8
    )
    assert found.shape[:2] == (2, 2)
    assert len(np.unique(found.reshape(4, -1), axis=0)) == 4
    assert capsys.readouterr().out.strip() == str(tmp_path / "out.png")


def test_the_same_seed_draws_the_same_picture_and_another_another(trained_digits, tmp_path):
    ask = ["--task=generate", "--count=4"]
    first, again, other = (
        draw(trained_digits, tmp_path / f"{i}.png", *ask, f"--seed={seed}")
        for i, seed in enumerate((3, 3, 4))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_more_steps_draw_another_picture(trained_digits, tmp_path):
    ask = ["--task=generate", "--count=4"]
    own = draw(trained_digits, tmp_path / "own.png", *ask)
    same = draw(trained_digits, tmp_path / "same.png", *ask, "--steps=5")  # the run's own
    more = draw(trained_digits, tmp_path / "more.png", *ask, "--steps=6")
    none = draw(trained_digits, tmp_path / "none.png", *ask, "--steps=0")
    assert np.array_equal(own, same)
    assert not np.array_equal(own, more)
    assert none.std() > 0  # the reference itself


def test_generate_takes_each_class_in_turn_or_the_asked_one(trained_classes, tmp_path):
    each = cells(
        draw(trained_classes, tmp_path / "each.png", "--task=generate", "--count=16"), 8, 8, 8
    )
    one = cells(
        draw(trained_classes, tmp_path / "one.png", "--task=generate", "--count=16", "--label=3"),
        8,
        8,
        8,
    )
    each, one = each.reshape(16, 8, 8), one.reshape(16, 8, 8)
    assert np.array_equal(each[3], one[3])
    assert np.array_equal(each[13], one[13])
    assert not np.array_equal(each[4], one[4])


def test_reconstruct_shows_held_out_images_above_their_reconstructions(trained_digits, tmp_path):
    found = cells(
        draw(trained_digits, tmp_path / "out.png", "--task=reconstruct", "--count=3"), 8, 8, 8
    )
    trained = restored(trained_digits)
    image = trained.images.test.shown(3)
    assert np.array_equal(found[0], preprocess.to_uint8(image)[..., 0])
    expected = trained.model.reconstruct(image).numpy()
    assert np.abs(found[1].astype(int) - preprocess.to_uint8(expected)[..., 0]).max() <= 1


@pytest.mark.parametrize(
    "mask",
    [
        "half:bottom",
        "salt_and_pepper:0.5",
        *(pytest.param(m, marks=pytest.mark.slow) for m in ("half:left", "blocks:2x3")),
    ],
)
def test_complete_leaves_known_pixels_and_fills_the_others(trained_digits, tmp_path, mask):
    sheet = draw(
        trained_digits, tmp_path / "out.png", "--task=complete", "--count=5", f"--mask={mask}"
    )
    image, masked, *completed = cells(sheet, 8, 8, 8)
    known = masks.parse(mask, (5, 8, 8), random.fold_in(random.root(0), -1)).numpy()[..., 0] == 1
    assert 0 < known.mean() < 1
    assert np.array_equal(masked[known], image[known])
    assert len(completed) == 2
    for row in completed:
        assert np.array_equal(row[known], image[known])
        assert not np.array_equal(row[~known], image[~known])
        assert not np.array_equal(row[~known], masked[~known])
    assert not np.array_equal(*completed)


def test_complete_takes_a_picture_and_a_mask_of_the_users(trained_digits, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    iio.imwrite(tmp_path / "mine.png", picture)
    drawn = np.zeros((8, 8), np.uint8)
    drawn[:, 2:] = 255
    iio.imwrite(tmp_path / "mask.png", drawn)
    asked = [f"--image={tmp_path / 'mine.png'}", f"--mask={tmp_path / 'mask.png'}"]
    image, _, *completed = cells(
        draw(trained_digits, tmp_path / "out.png", "--task=complete", *asked), 8, 8, 8
    )
    assert len(image) == 1
    for row in completed:
        assert np.array_equal(row[0][:, 2:], image[0][:, 2:])


def test_complete_knows_the_classes_of_held_out_images(trained_classes, tmp_path):
    sheet = draw(trained_classes, tmp_path / "out.png", "--task=complete", "--count=2")
    assert cells(sheet, 8, 8, 8).shape[:2] == (4, 2)


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        pytest.param("32", (64, 64), marks=pytest.mark.slow),
        ("40,52", (40, 52)),
        pytest.param("70", (70, 70), marks=pytest.mark.slow),
    ],
)
def test_synthesize_draws_an_image_of_any_size(trained_texture, tmp_path, size, shape):
    picture = draw(trained_texture, tmp_path / "out.png", "--task=synthesize", f"--size={size}")
    assert picture.shape == shape  # those below 64 pixels are shown enlarged by a whole factor
    assert picture.std() > 0


def test_memories_shows_training_images_above_their_modes(trained_digits, tmp_path):
    sheet = draw(trained_digits, tmp_path / "out.png", "--task=memories", "--count=3", "--steps=5")
    image, modes = cells(sheet, 8, 8, 8)
    assert len(image) == 3
    assert not np.array_equal(image, modes)


def test_pieces_draws_three_panels(trained_toy, tmp_path):
    picture = draw(trained_toy, tmp_path / "out.png", "--task=pieces")
    assert picture.shape == (400, 1200, 3)
    for panel in np.split(picture, 3, axis=1):
        assert len(np.unique(panel.reshape(-1, 3), axis=0)) > 10


def test_a_run_with_averaged_weights_is_sampled_with_the_averages(toy):
    plain = experiment.Experiment(identity.flags_of(toy))
    checkpoints.restore(plain.checkpoints, plain.state)
    ours = restored(toy).model.energy_net.trainable_variables
    raw = plain.algorithm.model.energy_net.trainable_variables
    averages = plain.algorithm.optimizers["energy"]._model_variables_moving_average
    assert any(not np.array_equal(a.numpy(), b.numpy()) for a, b in zip(ours, raw, strict=True))
    for variable, average in zip(ours, averages, strict=True):
        assert np.array_equal(variable.numpy(), average.numpy())


def test_a_picture_is_written_into_a_new_directory(trained_digits, tmp_path):
    assert draw(
        trained_digits, tmp_path / "a" / "b" / "out.png", "--task=generate", "--count=1"
    ).shape == (64, 64)


def test_an_older_checkpoint_can_be_used(digits, tmp_path):
    command_line.train(digits, *command_line.DIGITS, "--steps=6", "--save_every=2")
    ask = ["--task=reconstruct", "--count=2"]
    newest = draw(digits, tmp_path / "newest.png", *ask)
    assert np.array_equal(draw(digits, tmp_path / "6.png", *ask, "--step=6"), newest)
    assert not np.array_equal(draw(digits, tmp_path / "4.png", *ask, "--step=4"), newest)
    asked = (f"--workdir={digits}", f"--output={tmp_path / 'out.png'}", "--step=5")
    sentence = mistake("trainers.sample", *asked, *ask)
    assert "step: expected one of" in sentence and "found 5" in sentence


def test_the_help_says_of_every_task_what_it_draws(capsys):
    command_line.start("trainers.sample", "--help")
    said = " ".join(capsys.readouterr().out.split())
    assert len(sample.TASKS) == 15
    for name, drawing in sample.TASKS.items():
        assert drawing.caption.endswith("."), name
        assert f" {name} {drawing.caption}" in said


def test_a_run_stopped_in_its_growth_is_used_as_deep_as_it_had_grown(tmp_path):
    command_line.train(
        tmp_path / "run", *TOY, "--steps=4", "--generative_convnet.layer_iterations=3"
    )
    assert restored(tmp_path / "run").model.energy_net.depth == 2
    command_line.train(
        tmp_path / "young", *TOY, "--steps=2", "--generative_convnet.layer_iterations=3"
    )
    assert restored(tmp_path / "young").model.energy_net.depth == 1
