"""Tests of the results page's part about energies: values in their cells, blanks where none is."""

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
        value = {"metric": "mixing/rhat_plain", "value": 1.25, "protocol": PROTOCOL}
        metrics.append("evaluation", 4, value)
        verdict = {"metric": "mixing", "verdict": f"{name} mixes.", "protocol": PROTOCOL}
        metrics.append("verdict", 4, verdict)
    landscape = {"metric": "landscape/minima", "value": 7.0, "protocol": PROTOCOL}
    Metrics(tmp_path / "first" / "metrics.jsonl").append("evaluation", 4, landscape)
    (tmp_path / "first" / "landscape.png").write_bytes(b"picture")
    return tmp_path


def written(runs, *names):
    """Returns the page that the command writes of some runs."""
    values = absl_flags.FlagValues()
    energy_tables.define(values)
    output = runs / "docs" / "results.md"
    workdirs = ",".join(str(runs / name) for name in names)
    values(["", f"--workdirs={workdirs}", f"--output={output}"])
    energy_tables.main(values)
    return output.read_text()


def test_values_stand_in_their_rows_and_columns(runs):
    page = written(runs, "first", "second")
    assert "| value | meaning | model first | model second |" in page
    assert "| minima | local minima that training images descend to | 7 |  |" in page
    assert "chains differ | 1.25 | 1.25 |" in page
    assert "model second: second mixes." in page
    assert "seed 0, num_images 5" in page


def test_landscapes_are_copied_to_the_pages_images(runs):
    page = written(runs, "first", "second")
    assert "![Disconnectivity graph of model first](images/landscape_first.png)" in page
    assert "landscape_second.png" not in page
    assert (runs / "docs" / "images" / "landscape_first.png").read_bytes() == b"picture"


def test_what_nobody_measured_has_no_table(runs):
    assert "Likelihood" not in written(runs, "first")


def test_no_runs_are_refused():
    values = absl_flags.FlagValues()
    energy_tables.define(values)
    values([""])
    with pytest.raises(UserError, match="--workdirs"):
        energy_tables.main(values)


def test_a_real_runs_title_tells_its_model_and_data(tmp_path, leave_run):
    leave_run(tmp_path, ["--algorithm=vae", "--nets=triangle_digits", "--dataset=digits"])
    assert energy_tables.title(tmp_path) == "vae on digits, 0 updates"
