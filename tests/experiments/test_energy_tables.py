"""The part of the results page about energies: every value in its row and column, blanks where none was measured."""

import pathlib

import pytest
from absl import flags as absl_flags

from experiments import energy_tables
from tfgen.errors import UserError
from trainers.run.metrics import Metrics

PROTOCOL = {"seed": 0, "num_images": 5}


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs, the second without a landscape."""
    monkeypatch.setattr(energy_tables, "title", lambda workdir: f"model {workdir.name}")
    for name in ("first", "second"):
        metrics = Metrics(tmp_path / name / "metrics.jsonl")
        metrics.append(
            "evaluation", 4, {"metric": "mixing/rhat_plain", "value": 1.25, "protocol": PROTOCOL}
        )
        metrics.append(
            "verdict", 4, {"metric": "mixing", "verdict": f"{name} mixes.", "protocol": PROTOCOL}
        )
    landscape = {"metric": "landscape/minima", "value": 7.0, "protocol": PROTOCOL}
    Metrics(tmp_path / "first" / "metrics.jsonl").append("evaluation", 4, landscape)
    (tmp_path / "first" / "landscape.png").write_bytes(b"picture")
    return tmp_path


def written(runs, *names):
    """The page."""
    values = absl_flags.FlagValues()
    energy_tables.define(values)
    output = runs / "docs" / "results.md"
    values(["", "--workdirs=" + ",".join(str(runs / name) for name in names), f"--output={output}"])
    energy_tables.main(values)
    return output.read_text()


def test_values_stand_in_their_rows_and_columns(runs):
    page = written(runs, "first", "second")
    assert "| | model first | model second |" in page
    assert "| minima | 7 |  |" in page
    assert "| rhat_plain | 1.25 | 1.25 |" in page
    assert "model second: second mixes." in page
    assert "seed 0, num_images 5" in page


def test_landscapes_are_copied_beside_the_page(runs):
    page = written(runs, "first", "second")
    assert "![](landscape_first.png)" in page
    assert "landscape_second.png" not in page
    assert (runs / "docs" / "landscape_first.png").read_bytes() == b"picture"


def test_what_nobody_measured_has_no_table(runs):
    assert "Likelihood" not in written(runs, "first")


def test_no_runs_are_refused(tmp_path):
    values = absl_flags.FlagValues()
    energy_tables.define(values)
    values([""])
    with pytest.raises(UserError, match="--workdirs"):
        energy_tables.main(values)


def test_a_real_runs_title_tells_its_model_and_data(tmp_path):
    workdir = pathlib.Path(tmp_path)
    (workdir / "flags.cfg").write_text(
        "--algorithm=vae\n--nets=triangle_digits\n--dataset=digits\n"
    )
    assert energy_tables.title(workdir) == "vae on digits, 0 updates"
