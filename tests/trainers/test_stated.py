"""What flags state about pictures: ranges, and that commands pass it to the decoder."""

import numpy as np
import pytest
from absl import flags as absl_flags
from PIL import Image

from tfgen.data.reading import Reading
from tfgen.errors import UserError
from trainers.run import flags, stated


def values(*words):
    """Returns the flags of a command that reads pictures."""
    found = absl_flags.FlagValues()
    stated.define(found, "test")
    flags.parse(["test", *words], found)
    return found


def test_flags_become_a_reading():
    words = ("--background=grey", "--bit_depth=12", "--value_range=-0.5,2")
    found = stated.reading(values(*words))
    assert found == Reading(background="grey", bit_depth=12, value_range=(-0.5, 2.0))
    assert stated.reading(values()) == Reading()


@pytest.mark.parametrize("words", ["1", "1,0", "0,0", "a,b", "0,inf", "nan,1", "0,1,2"])
def test_ranges_that_are_none_are_refused(words):
    with pytest.raises(UserError, match="--value_range: expected LOW,HIGH"):
        stated.reading(values(f"--value_range={words}"))


@pytest.mark.parametrize("word", ["--background=red", "--bit_depth=0", "--bit_depth=17"])
def test_other_values_are_refused(word):
    with pytest.raises(UserError):
        values(word)


def test_what_is_stated_last_wins():
    run, command = Reading(background="white", bit_depth=12), Reading(background="black")
    assert command.or_else(run) == Reading(background="black", bit_depth=12)


def test_the_bar_passes_all_pictures_on(capsys):
    assert list(stated.shown(iter(range(5)))) == list(range(5))
    assert capsys.readouterr().err == ""  # it was quick


def test_a_transparent_image_to_work_on_needs_a_background(trained_digits, tmp_path, capsys):
    from trainers import sample

    pixels = np.full((8, 8, 4), 0, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    asked = [
        "sample",
        f"--workdir={trained_digits}",
        "--task=complete",
        f"--image={tmp_path / 'a.png'}",
        f"--output={tmp_path / 'out.png'}",
    ]
    with pytest.raises(SystemExit) as caught:
        sample.commands.run(sample.main, sample.define, "", asked)
    assert "--background=white" in str(caught.value)
    sample.commands.run(sample.main, sample.define, "", [*asked, "--background=white"])
    drawn = np.asarray(Image.open(tmp_path / "out.png").convert("L"))
    assert (drawn == 255).mean() > 0.1
