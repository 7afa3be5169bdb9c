"""A user's mistake ends with exit code 1 and one sentence that names the culprit.

The disk stays as it was.
"""

import errno
import os
import pathlib
import shutil
import subprocess
import sys

import imageio.v3 as iio
import keras
import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import DIGITS, TEXTURE, TOY, content, mistake, numbers, rows, spawned

import tfgen.nets.families.toy
from trainers.run import checkpoints
from trainers.run.dataset import sides

pytestmark = pytest.mark.eager

ROOT = pathlib.Path(__file__).parents[2]

CLASSIFIER = (
    *(f for f in DIGITS if "generative_convnet." not in f),
    "--algorithm=discriminative_convnet",
)


def refused(tmp_path: pathlib.Path, *args: str) -> str:
    """Returns the sentence of a first training command, and checks that it left nothing behind."""
    workdir = tmp_path / "run"
    sentence = mistake("trainers.main", *args, f"--workdir={workdir}")
    assert content(workdir) == {}, "files were left behind"
    return sentence


def test_a_mistake_in_a_process_of_its_own_is_one_line_on_stderr_and_exit_code_1(tmp_path):
    command = [
        sys.executable,
        "-m",
        "trainers.main",
        *TOY,
        "--dataset=toy/gausian",
        f"--workdir={tmp_path / 'run'}",
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert "toy/gaussian" in last
    assert done.stderr.count("error: ") == 1
    assert not (tmp_path / "run").exists()


# what to train


@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("--dataset=minst", ["minst", "did you mean", "mnist"]),
        ("--dataset=toy/gausian", ["toy/gausian", "toy/gaussian"]),
        ("--dataset=textures/brik", ["textures/brik", "textures/brick"]),
        ("--dataset=", ["dataset"]),
        ("--dataset=folder:", ["dataset"]),
        ("--nets=toi", ["--nets", "toi", "did you mean toy"]),
        ("--nets=layers", ["--nets", "layers"]),
        ("--nets=", ["--nets", "nothing"]),
        ("--algorithm=generativ_convnet", ["--algorithm", "did you mean generative_convnet"]),
        ("--algorithm=base", ["--algorithm", "base"]),
        ("--algorithm=", ["--algorithm", "nothing"]),
        ("--stpes=3", ["--stpes", "did you mean --steps"]),
        (
            "--generative_convnet.sigmaa=1",
            ["--generative_convnet.sigmaa", "did you mean --generative_convnet.sigma"],
        ),
        ("--energy.momentun=0.1", ["--energy.momentun", "did you mean --energy.momentum"]),
        ("train", ["train", "flags only"]),
        ("--flagfile=nowhere.flags", ["--flagfile", "nowhere.flags", "tfgen recipes"]),
        ("--flagfile=triangle_digits", ["--flagfile", "did you mean divergence_triangle_digits"]),
        ("--flagfile=other/vae_digits_cpu", ["--flagfile", "other/vae_digits_cpu"]),
    ],
)
def test_an_unknown_name_is_named_and_the_nearest_one_suggested(tmp_path, flag, named):
    sentence = refused(tmp_path, *TOY, flag)
    for words in named:
        assert words in sentence


def test_a_typo_inside_a_flagfile_is_named(tmp_path):
    flagfile = tmp_path / "my.flags"
    flagfile.write_text("\n".join([*TOY, "--stpes=3"]))
    sentence = refused(tmp_path, f"--flagfile={flagfile}")
    assert "--stpes" in sentence
    assert "did you mean --steps" in sentence


def test_a_flagfile_inside_a_flagfile_that_is_missing_is_named(tmp_path):
    flagfile = tmp_path / "my.flags"
    flagfile.write_text("\n".join([*TOY, f"--flagfile={tmp_path}/nowhere.flags"]))
    sentence = refused(tmp_path, f"--flagfile={flagfile}")
    assert "--flagfile" in sentence
    assert "nowhere.flags" in sentence


@pytest.mark.parametrize("missing", ["algorithm", "nets", "dataset"])
def test_a_flag_that_training_needs_is_asked_for(tmp_path, missing):
    given = [flag for flag in TOY if not flag.startswith(f"--{missing}=")]
    assert f"--{missing}" in refused(tmp_path, *given)


def test_a_work_directory_is_asked_for():
    assert "--workdir" in mistake("trainers.main", *TOY)


@pytest.mark.parametrize(
    "flag",
    [
        "--steps=0",
        "--steps=-1",
        "--steps=many",
        "--steps=1.5",
        "--batch_size=0",
        "--log_every=0",
        "--save_every=0",
        "--sample_every=0",
        "--keep=0",
        "--seed=x",
        "--compute_dtype=float16",
        "--strategy=two",
        "--jit_compile=perhaps",
        "--test_fraction=1",
        "--test_fraction=-0.1",
        "--guard_factor=0",
        "--guard_rate=2",
        "--guard_rollbacks=0",
        "--patch_size=0",
        "--channels=2.5",
        "--energy.optimizer=rmsprop",
        "--energy.learning_rate=-1",
        "--energy.learning_rate=nan",
        "--energy.momentum=2",
        "--energy.ema=1",
        "--energy.decay_steps=0",
        "--energy.epsilon=0",
        "--energy.constant_fraction=1.5",
        "--energy.width=0",
        "--energy.width=-1",
        "--energy.outputs=0",
        "--energy.activation=tanh",
        "--generative_convnet.sigma=0",
        "--generative_convnet.sigma=-1",
        "--generative_convnet.sigma=nan",
        "--generative_convnet.sigma=wide",
        "--generative_convnet.chains=0",
        "--generative_convnet.chains=-8",
        "--generative_convnet.step_size=0",
        "--generative_convnet.langevin_steps=0",
        "--generative_convnet.temperature=-1",
        "--generative_convnet.rejuvenation=-0.1",
        "--generative_convnet.rejuvenation=1.5",
        "--generative_convnet.max_grad_norm=-1",
        "--generative_convnet.max_gradient=-1",
        "--generative_convnet.data_noise=-1",
        "--generative_convnet.layer_iterations=-1",
        "--generative_convnet.margin=-1",
        "--generative_convnet.sample_steps=-1",
        "--generative_convnet.denoising_steps=-1",
        "--generative_convnet.clamp=perhaps",
    ],
)
def test_a_value_out_of_its_range_is_refused_by_its_flag(tmp_path, flag):
    name = flag.partition("=")[0].rpartition(".")[2].removeprefix("--")
    assert name in refused(tmp_path, *TOY, flag)


# the net and the data, together


@pytest.mark.parametrize("size", ["0", "-4", "small", "8,8,8", "8,", "8,0", "1.5"])
def test_an_image_size_that_is_no_size_is_refused(tmp_path, size):
    sentence = refused(tmp_path, *DIGITS, f"--image_size={size}")
    assert "--image_size" in sentence
    assert "positive" in sentence


def test_images_too_small_for_the_net_are_refused(tmp_path):
    sentence = refused(tmp_path, *DIGITS, "--image_size=1")
    assert "image_size" in sentence
    assert "1x1" in sentence


def test_a_patch_larger_than_the_images_is_refused(tmp_path):
    assert "patch_size" in refused(tmp_path, *TEXTURE, "--patch_size=65")


@pytest.mark.parametrize(
    ("words", "expected"), [(["7"], (7, 7)), (["7", "9"], (7, 9)), ([], None), (None, None)]
)
def test_one_side_is_a_square_and_two_are_height_and_width(words, expected):
    assert sides("image_size", words) == expected


def test_channels_that_the_pictures_cannot_have_are_refused(tmp_path):
    assert "channels" in refused(tmp_path, *DIGITS, "--channels=2")


def test_an_option_that_the_net_lacks_is_refused(tmp_path):
    sentence = refused(tmp_path, *TOY, "--energy.filters=3")
    assert "--energy.filters" in sentence
    assert "toy" in sentence


def test_a_net_that_cannot_grow_is_not_grown(tmp_path, monkeypatch):
    def energy(image_shape, *, width: float = 1.0, activation: str = "swish", outputs: int = 1):
        return keras.Sequential(
            [keras.Input(image_shape), keras.layers.Flatten(), keras.layers.Dense(1)]
        )

    monkeypatch.setattr(tfgen.nets.families.toy, "energy", energy)
    assert "layer_iterations" in refused(tmp_path, *TOY, "--generative_convnet.layer_iterations=2")


def test_a_margin_is_refused_for_a_net_of_one_size(tmp_path):
    assert "margin" in refused(tmp_path, *DIGITS, "--generative_convnet.margin=1")


def test_a_rate_for_biases_is_refused_with_adam(tmp_path):
    assert "bias_rate" in refused(tmp_path, *TOY, "--generative_convnet.bias_rate=2")


def test_a_classifier_wants_more_than_one_output(tmp_path):
    assert "outputs" in refused(tmp_path, *CLASSIFIER)


@pytest.mark.parametrize(
    "flags", [(*TOY, "--energy.outputs=2"), (*CLASSIFIER, "--nets=toy", "--energy.outputs=2")]
)
def test_energies_of_classes_want_data_with_labels(tmp_path, flags):
    assert "labels" in refused(tmp_path, *flags, "--dataset=toy/gaussian")


@pytest.mark.parametrize("flags", [DIGITS, CLASSIFIER], ids=["generative", "discriminative"])
def test_labels_beyond_the_classes_of_the_net_are_refused(tmp_path, flags):
    assert "outputs" in refused(tmp_path, *flags, "--energy.outputs=4")


# files


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    """Returns a folder of three readable pictures."""
    path = tmp_path / "pictures"
    path.mkdir()
    for number in range(3):
        picture = np.random.default_rng(number).integers(0, 256, (8, 8), np.uint8)
        iio.imwrite(path / f"{number}.png", picture)
    return path


def damage(path: pathlib.Path, how: str) -> None:
    """Spoils a picture."""
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "text": b"not a picture"}[how])


@pytest.mark.parametrize("how", ["cut", "empty", "text"])
def test_a_corrupt_picture_in_a_folder_is_named(tmp_path, folder, how):
    damage(folder / "1.png", how)
    before = content(folder)
    assert "1.png" in refused(tmp_path, *DIGITS, f"--dataset=folder:{folder}")
    assert content(folder) == before


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "readme.txt").write_text("no picture")
    assert "found none" in refused(tmp_path, *DIGITS, f"--dataset=folder:{tmp_path / 'empty'}")


def test_a_folder_of_pictures_of_several_sizes_wants_an_image_size(tmp_path, folder):
    iio.imwrite(folder / "9.png", np.zeros((9, 8), np.uint8))
    sentence = refused(tmp_path, *DIGITS, f"--dataset=folder:{folder}")
    assert "image_size" in sentence
    assert "(9, 8, 1)" in sentence


@pytest.mark.parametrize("kind", ["folder", "cifar10", "npz", "image", "video"])
def test_a_path_where_nothing_is_is_named(tmp_path, kind):
    assert str(tmp_path / "nowhere") in refused(
        tmp_path, *DIGITS, f"--dataset={kind}:{tmp_path / 'nowhere'}"
    )


def test_a_folder_that_is_a_file_is_refused(tmp_path, folder):
    assert "0.png" in refused(tmp_path, *DIGITS, f"--dataset=folder:{folder / '0.png'}")


def test_a_picture_that_is_a_folder_is_refused(tmp_path, folder):
    assert str(folder) in refused(tmp_path, *DIGITS, f"--dataset=image:{folder}")


GOOD = np.zeros((4, 8, 8), np.float32)


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"image": np.where(np.arange(4)[:, None, None] == 2, np.nan, GOOD)}, ["NaN", "image[2]"]),
        (
            {"image": np.where(np.arange(4)[:, None, None] == 1, np.inf, GOOD)},
            ["infinity", "image[1]"],
        ),
        ({"image": GOOD + 255}, ["[-1, 1]", "255"]),
        ({"image": GOOD.astype(np.int64)}, ["int64"]),
        ({"image": GOOD[0]}, ["[8, 8]"]),
        ({"image": GOOD[:0]}, ["[0, 8, 8]"]),
        ({"pictures": GOOD}, ["image", "pictures"]),
        ({"image": GOOD, "label": np.arange(3)}, ["4 labels", "[3]"]),
    ],
)
def test_an_archive_with_wrong_numbers_is_refused(tmp_path, arrays, named):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    sentence = refused(tmp_path, *DIGITS, f"--dataset=npz:{path}")
    for words in ["data.npz", *named]:
        assert words in sentence


def test_an_archive_that_is_cut_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, image=GOOD)
    path.write_bytes(path.read_bytes()[:300])
    assert "data.npz" in refused(tmp_path, *DIGITS, f"--dataset=npz:{path}")


def test_a_video_is_refused_by_a_net_of_images(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez(path, clip=np.zeros((5, 8, 8, 1), np.uint8))
    assert "found clips" in refused(tmp_path, *DIGITS, f"--dataset=video:{path}")


# work directories


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ([*TOY, "--seed=1"], "--seed"),
        ([*TOY, "--dataset=toy/mixture"], "--dataset"),
        ([*TOY, "--energy.width=0.25"], "--energy.width"),
        ([*TOY, "--nets=prototype"], "--nets"),
        ([*TOY, "--algorithm=discriminative_convnet", "--energy.outputs=2"], "--algorithm"),
        (TEXTURE, "--nets"),
        (DIGITS, "--nets"),
    ],
    ids=["seed", "data", "width", "net", "algorithm", "texture", "digits"],
)
def test_a_work_directory_of_another_run_is_refused(toy, flags, named):
    before = content(toy)
    sentence = mistake("trainers.main", *flags, f"--workdir={toy}")
    assert named in sentence
    assert str(toy) in sentence
    assert content(toy) == before


@pytest.mark.parametrize(
    "flag",
    ["--generative_convnet.chains=4", "--energy.optimizer=sgd", "--energy.ema=0"],
)
def test_a_change_that_the_checkpoint_does_not_fit_is_refused_and_changes_nothing(toy, flag):
    before = content(toy)
    sentence = mistake(
        "trainers.main", *TOY, "--energy.ema=0.5", "--steps=6", flag, f"--workdir={toy}"
    )
    assert str(toy) in sentence
    assert content(toy) == before


def test_a_work_directory_with_foreign_files_is_refused(tmp_path):
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.txt").write_text("all I have")
    assert str(foreign) in mistake("trainers.main", *TOY, f"--workdir={foreign}")
    assert content(foreign) == {"chapter.txt": b"all I have"}


def test_a_work_directory_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    assert str(tmp_path / "file") in mistake(
        "trainers.main", *TOY, f"--workdir={tmp_path / 'file'}"
    )


@pytest.mark.parametrize(
    "how",
    [
        "cut",
        pytest.param("flipped", marks=pytest.mark.slow),
        pytest.param("gone", marks=pytest.mark.slow),
    ],
)
def test_a_damaged_checkpoint_is_set_aside_and_training_goes_on_from_the_one_before(
    toy, how, capsys
):
    whole_run = numbers(toy)
    path = toy / "checkpoints" / "step-0000000004" / "state.data-00000-of-00001"
    whole = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "flipped":
        whole[len(whole) // 8] ^= 255
        path.write_bytes(whole)
    else:
        path.unlink()
    capsys.readouterr()
    command_line.train(toy, *TOY, "--energy.ema=0.5")
    said = capsys.readouterr().err
    assert "damaged-step-0000000004; step-0000000000 is used in its place" in said
    assert [row["step"] for row in rows(toy, "train")] == [2, 4]
    found = numbers(toy)
    assert all(found[name].tobytes() == array.tobytes() for name, array in whole_run.items())


@pytest.mark.parametrize("file", ["model.json", "weights.npz"])
def test_a_damaged_model_is_set_aside_and_the_one_before_is_used(toy, tmp_path, file, capsys):
    path = toy / "checkpoints" / "step-0000000004" / "model" / file
    path.write_bytes(path.read_bytes()[:100])
    ask = ("trainers.sample", f"--workdir={toy}", "--task=generate", f"--output={tmp_path}/out.png")
    sentence = mistake(*ask, "--step=4")
    assert f"step-0000000004: model/{file} is damaged" in sentence
    assert not (tmp_path / "out.png").exists()
    command_line.start(*ask)
    said = capsys.readouterr().err
    assert f"model/{file} is damaged" in said
    assert "step-0000000000 is used in its place" in said
    assert (tmp_path / "out.png").exists()
    assert (toy / "checkpoints" / "damaged-step-0000000004").is_dir()


@pytest.mark.parametrize("file", ["flags.cfg", "data.json"])
def test_a_damaged_file_of_a_work_directory_is_named(toy, file):
    (toy / file).write_text('{"image_sh')
    before = content(toy)
    sentence = mistake("trainers.main", *TOY, "--energy.ema=0.5", "--steps=6", f"--workdir={toy}")
    assert file in sentence or str(toy) in sentence
    assert content(toy) == before


@pytest.mark.parametrize("command", ["trainers.sample", "trainers.evaluate", "export.main"])
@pytest.mark.parametrize("state", ["missing", "empty", "without a checkpoint"])
def test_a_directory_without_a_trained_model_is_refused(toy, tmp_path, command, state):
    workdir = toy
    if state == "without a checkpoint":
        for path in (toy / "checkpoints").iterdir():
            shutil.rmtree(path)
    else:
        workdir = tmp_path / state
        if state == "empty":
            workdir.mkdir()
    wanted = {
        "trainers.sample": ["--task=generate", f"--output={tmp_path / 'out.png'}"],
        "trainers.evaluate": ["--metrics=reconstruction"],
        "export.main": [f"--output={tmp_path / 'out'}"],
    }[command]
    sentence = mistake(command, *wanted, f"--workdir={workdir}")
    assert "--workdir" in sentence
    assert str(workdir) in sentence
    assert not (tmp_path / "out.png").exists()
    assert not (tmp_path / "out").exists()


# the disk


FAILURES = [
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "disk"),
    tf.errors.ResourceExhaustedError(None, None, "state.data; No space left on device"),
]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(FAILURES[0], id="of Python's", marks=pytest.mark.slow),
        pytest.param(FAILURES[1], id="of TensorFlow's"),
    ],
)
def test_a_full_disk_is_said_and_the_checkpoints_before_stay(toy, monkeypatch, failure):
    def write(self, path, options=None):
        pathlib.Path(path).parent.mkdir()
        pathlib.Path(path + ".data-00000-of-00001").write_bytes(b"half")
        raise failure

    before = content(toy / "checkpoints")
    monkeypatch.setattr(tf.train.Checkpoint, "write", write)
    sentence = mistake("trainers.main", *TOY, "--energy.ema=0.5", "--steps=6", f"--workdir={toy}")
    assert "space" in sentence
    assert content(toy / "checkpoints") == before
    monkeypatch.undo()
    command_line.train(toy, *TOY, "--energy.ema=0.5", "--steps=6")
    assert checkpoints.steps(toy / "checkpoints") == [0, 4, 6]


def test_a_disk_that_takes_no_more_ends_a_run_with_one_sentence(toy, tmp_path):
    before = content(toy / "checkpoints")
    largest = max((toy / "metrics.jsonl").stat().st_size, (toy / "flags.cfg").stat().st_size) + 1500
    assert largest < max(len(data) for data in before.values())
    run = ("trainers.main", *TOY, "--energy.ema=0.5", "--steps=6", f"--workdir={toy}")
    assert spawned(*run, log=tmp_path / "log", largest_file=largest) == 1
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("error: ")
    assert content(toy / "checkpoints") == before


def test_a_work_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    assert str(tmp_path / "file") in mistake(
        "trainers.main", *TOY, f"--workdir={tmp_path / 'file' / 'run'}"
    )
