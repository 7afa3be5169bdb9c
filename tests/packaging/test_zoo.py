"""The package's pretrained models: found by name, whole, small, and taken by every command."""

import json
import re

import numpy as np
import pytest
from absl import flags as absl_flags

import tfgen
from experiments import zoo, zoo_models
from tfgen import pretrained
from tfgen.errors import UserError
from tfgen.models import saved
from trainers import cli, recipes
from trainers import main as training
from trainers.run import flags, parsing, unpacking
from trainers.run.metrics import Metrics
from trainers.run.trained import restored

NAMES = pretrained.names()
SMALL = "mnist5k-triangle"
ALL = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """Returns the work directory of a pretrained model."""
    place = tmp_path_factory.mktemp("zoo") / "run"
    unpacking.unpack(SMALL, place)
    return place


def test_there_are_models_and_each_is_of_the_table():
    assert NAMES
    assert set(NAMES) <= set(zoo_models.ENTRIES)


@pytest.mark.parametrize("name", zoo_models.ENTRIES)
def test_the_recipe_of_an_entry_parses(name):
    entry = zoo_models.ENTRIES[name]
    assert entry.recipe in recipes.names()
    values = absl_flags.FlagValues()
    parsing.define_shared(values)
    flags.define(values)
    parsing.parse(["", *zoo.training_of(entry), "--workdir=run"], values)


@ALL
def test_a_card_tells_of_the_files_beside_it(name):
    card, place = pretrained.card_of(name), pretrained.path_of(name)
    assert card.sha256 == pretrained.hash_of(place / saved.WEIGHTS)
    description = json.loads((place / saved.DESCRIPTION).read_text(encoding="utf-8"))
    assert card.updates == description["updates"]
    assert card.parameters == sum(int(np.prod(v[1:])) for v in description["variables"].values())
    rows = Metrics(place / unpacking.METRICS).rows("evaluation")
    assert {row["metric"]: row["value"] for row in rows} == {
        metric: row["value"] for metric, row in card.measured.items()
    }
    assert (place / pretrained.SAMPLES).read_bytes().startswith(b"\x89PNG")


@ALL
def test_no_place_of_another_machine_is_in_the_files(name):
    for path in pretrained.path_of(name).iterdir():
        if path.suffix in (".json", ".cfg", ".jsonl"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r'[":=\s](/[\w.-]+){2,}', text), path


def test_all_models_together_are_small():
    files = [path for name in NAMES for path in pretrained.path_of(name).iterdir()]
    assert sum(path.stat().st_size for path in files) <= 40e6


@ALL
def test_a_model_is_loaded_by_its_name(name):
    model = tfgen.load(name)
    assert model.image_shape == pretrained.card_of(name).image_shape
    assert model.updates == pretrained.card_of(name).updates
    for variable in model.variables:
        assert np.isfinite(variable.numpy()).all()


def test_a_directory_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / SMALL).mkdir()
    with pytest.raises(UserError, match="found neither in it"):
        tfgen.load(SMALL)


def test_a_wrong_name_is_told_with_the_nearest():
    with pytest.raises(UserError, match=f"did you mean the pretrained model {SMALL}"):
        tfgen.load("mnist5k-triangl")
    with pytest.raises(UserError, match=f"did you mean {SMALL}"):
        pretrained.card_of("mnist5k-triangl")


def test_a_compact_model_differs_by_the_rounding_to_16_bits_alone(tmp_path):
    model = tfgen.load(SMALL)
    for variable in model.trainable_variables:
        variable.assign(variable + 1e-4)
    model.save(tmp_path / "whole")
    model.save(tmp_path / "compact", compact=True)
    whole, compact = tfgen.load(tmp_path / "whole"), tfgen.load(tmp_path / "compact")
    for ours, theirs in zip(whole.variables, compact.variables, strict=True):
        np.testing.assert_array_equal(
            theirs.numpy(), ours.numpy().astype(np.float16).astype(theirs.dtype)
        )
    sizes = [(tmp_path / kind / saved.WEIGHTS).stat().st_size for kind in ("compact", "whole")]
    assert sizes[0] < 0.55 * sizes[1]


def test_a_weight_too_large_for_16_bits_is_refused(tmp_path):
    model = tfgen.load(SMALL)
    model.trainable_variables[0].assign(model.trainable_variables[0] + 1e5)
    with pytest.raises(UserError, match="expected finite weights"):
        model.save(tmp_path / "compact", compact=True)
    assert not (tmp_path / "compact").exists()


def test_a_work_directory_of_a_model_gives_the_same_samples(workdir):
    trained = restored(workdir)
    assert trained.step == pretrained.card_of(SMALL).updates
    np.testing.assert_array_equal(
        trained.model.generate(count=2, seed=3), tfgen.load(SMALL).generate(count=2, seed=3)
    )
    assert trained.images.test.image.shape[1:] == (28, 28, 1)


def test_training_does_not_go_on_from_a_model_alone(workdir):
    recipe = pretrained.card_of(SMALL).recipe
    values = absl_flags.FlagValues()
    parsing.define_shared(values)
    training.define(values)
    parsing.parse(["", f"--flagfile={recipe}", f"--workdir={workdir}"], values)
    with pytest.raises(UserError, match="without the state of its training"):
        training.main(values)


def test_a_model_is_not_unpacked_over_files(workdir):
    with pytest.raises(UserError, match="expected a new directory and found files"):
        unpacking.unpack(SMALL, workdir)


def test_the_command_lists_shows_and_unpacks(capsys, tmp_path):
    cli.main(["zoo"])
    listed = capsys.readouterr().out
    for name in NAMES:
        assert f"{name}\n    {pretrained.card_of(name).shows}" in listed
    cli.main(["zoo", f"--show={SMALL}"])
    shown = capsys.readouterr().out
    card = pretrained.card_of(SMALL)
    for fact in (card.sha256, card.data_terms, card.command, *card.measured):
        assert fact in shown
    cli.main(["zoo", f"--name={SMALL}", f"--workdir={tmp_path / 'run'}"])
    assert (tmp_path / "run" / saved.RUN).exists()


def test_a_name_without_a_work_directory_is_a_mistake():
    with pytest.raises(SystemExit, match="expected --name and --workdir together"):
        cli.main(["zoo", f"--name={SMALL}"])


def test_numbers_far_from_the_printed_ones_are_told():
    printed = {"a": {"value": 1.0}, "b": {"value": 1.0}, "c": {"value": 1.0}}
    found = {"a": {"value": 1.15}, "b": {"value": 1.2}}
    told = zoo.changed(printed, found, zoo_models.Tolerance(relative=0.1, absolute=0.06))
    assert told == ["b was 1 and is 1.2", "c was 1 and is nan"]


@pytest.mark.slow
@ALL
def test_the_printed_numbers_are_measured_again(name, tmp_path, monkeypatch):
    """A model's data may lie elsewhere; then this cannot be asked."""
    entry, card = zoo_models.ENTRIES[name], pretrained.card_of(name)
    unpacking.unpack(name, tmp_path / "run")
    try:
        restored(tmp_path / "run").images  # noqa: B018
    except UserError as error:
        pytest.skip(str(error))
    zoo.runs.call(
        "trainers.evaluate",
        f"--workdir={tmp_path / 'run'}",
        f"--metrics={','.join(entry.metrics)}",
        *entry.protocol,
    )
    rows = Metrics(tmp_path / "run" / unpacking.METRICS).rows("evaluation")[-len(card.measured) :]
    for row in rows:
        printed = card.measured[row["metric"]]["value"]
        assert row["value"] == pytest.approx(printed, rel=0.02, abs=1e-3), row["metric"]
