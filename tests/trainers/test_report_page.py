"""`trainers.report`: one page that holds its pictures, curves and measurements."""

import base64
import re
import shutil

import imageio.v3 as iio
import pytest
from support import command_line
from support.command_line import content, mistake

from trainers import sample


@pytest.fixture(scope="module")
def page(trained_digits, trained_texture, tmp_path_factory):
    """Writes a report on two runs, one of them measured and drawn."""
    base = tmp_path_factory.mktemp("report")
    digits = shutil.copytree(trained_digits, base / "digits")
    command_line.start("trainers.evaluate", f"--workdir={digits}", "--metrics=reconstruction")
    picture = digits / "pictures" / "generate.png"
    command_line.start(
        "trainers.sample", f"--workdir={digits}", "--task=generate", f"--output={picture}"
    )
    output = base / "out" / "report.html"
    command_line.start(
        "trainers.report", f"--workdirs={digits},{trained_texture}", f"--output={output}"
    )
    return output.read_text(), digits


def pictures_of(html: str) -> list[bytes]:
    return [
        base64.b64decode(data)
        for data in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)
    ]


def test_the_page_holds_its_pictures(page):
    html, digits = page
    held = pictures_of(html)
    assert (digits / "samples" / "chains-00000004.png").read_bytes() in held
    assert (digits / "pictures" / "generate.png").read_bytes() in held
    assert len(held) >= 5  # chains and curves of either run, and the drawn one
    for picture in held:
        assert iio.imread(picture).std() > 0


def test_the_page_needs_nothing_but_itself(page):
    html, _ = page
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", html)


def test_the_page_tells_of_runs_and_measurements(page):
    html, digits = page
    for words in (
        "generative_convnet",
        "generative_convnet_texture",
        "textures/brick",
        "digits",
        str(digits),
    ):
        assert words in html
    assert "reconstruction/test_mse" in html


def test_a_drawing_has_its_own_caption(page):
    html, _ = page
    assert f"<figcaption>{sample.TASKS['generate'].caption}</figcaption>" in html


def test_a_measurement_made_twice_is_shown_once(page, tmp_path):
    _, digits = page
    command_line.start("trainers.evaluate", f"--workdir={digits}", "--metrics=reconstruction")
    command_line.start(
        "trainers.report", f"--workdirs={digits}", f"--output={tmp_path / 'report.html'}"
    )
    assert (tmp_path / "report.html").read_text().count("reconstruction/test_mse<") == 1


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ([], "--workdirs"),
        (["--workdirs=nowhere"], "nowhere"),
        (["--workdirs=nowhere", "--metrics=x"], "--metrics"),
    ],
)
def test_what_cannot_be_reported_is_said(tmp_path, args, named):
    assert named in mistake("trainers.report", *args, f"--output={tmp_path / 'report.html'}")
    assert content(tmp_path) == {}


def test_a_missing_output_is_asked_for(trained_digits):
    assert "--output" in mistake("trainers.report", f"--workdirs={trained_digits}")


def test_a_page_over_a_picture_is_refused(trained_digits, tmp_path):
    sentence = mistake(
        "trainers.report", f"--workdirs={trained_digits}", f"--output={tmp_path / 'report.png'}"
    )
    assert "--output" in sentence
