"""`trainers.compare`: seeds are grouped, models ranked, and what differs is refused."""

import json
import pathlib

import pytest
from support import command_line
from support.command_line import mistake

from tfgen.models import saved
from trainers import compare
from trainers.run.metrics import Metrics

FLAGS = {"nets": "triangle_digits", "dataset": "digits", "steps": 100, "batch_size": 50}
PROTOCOL = {"features": "pixels", "num_images": 500, "seed": 0, "version": "1"}


def measured(
    directory: pathlib.Path, name: str, values: dict[str, float], protocol=PROTOCOL, **flags
) -> str:
    """Makes a run's directory as training and measuring would leave it.

    It has the flags, and a row for each value.
    """
    workdir = directory / name
    workdir.mkdir(parents=True)
    given = FLAGS | {"algorithm": name.split("-")[0]} | flags
    lines = "".join(f"--{flag}={value}\n" for flag, value in given.items())
    (workdir / "flags.cfg").write_text(lines)
    (workdir / saved.RUN).write_text(json.dumps(saved.describe_run()))
    for metric, value in values.items():
        Metrics(workdir / "metrics.jsonl").append(
            "evaluation", 100, {"metric": metric, "value": value, "protocol": protocol}
        )
    return str(workdir)


@pytest.fixture
def seeds(tmp_path) -> list[str]:
    """Makes runs of three seeds of each of two models."""
    found = []
    for seed in range(3):
        found.append(
            measured(
                tmp_path,
                f"vae-{seed}",
                {"fid/distance": 10 + seed, "accuracy/accuracy": 0.5},
                seed=seed,
            )
        )
        values = {"fid/distance": 4 + 2 * seed, "accuracy/accuracy": 0.9}
        found.append(measured(tmp_path, f"divergence_triangle-{seed}", values, seed=seed))
    return found


def refused(*workdirs: str, metrics: str = "fid/distance") -> str:
    """Returns the sentence that a comparison is refused with."""
    return mistake("trainers.compare", f"--workdirs={','.join(workdirs)}", f"--metrics={metrics}")


def test_seeds_of_one_model_are_one_row_with_their_mean_and_deviation(seeds, capsys):
    command_line.start(
        "trainers.compare",
        f"--workdirs={','.join(seeds)}",
        "--metrics=fid/distance,accuracy/accuracy",
    )
    printed = capsys.readouterr().out
    assert "| divergence_triangle | 6 ± 2 | 3 |" in printed
    assert "| vae | 11 ± 1 | 3 |" in printed
    assert "| vae | 0.5 ± 0 | 3 |" in printed
    assert "features pixels, num_images 500" in printed


def test_one_run_has_no_deviation(seeds, capsys):
    command_line.start(
        "trainers.compare", f"--workdirs={','.join(seeds[:2])}", "--metrics=fid/distance"
    )
    assert "| vae | 10 | 1 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("metric", "best"),
    [
        ("fid/distance", "low"),
        ("reconstruction/test_mse", "low"),
        ("recovery/error", "low"),
        ("accuracy/accuracy", "high"),
        ("accuracy/accuracy_fitted", "high"),
        ("precision_recall/precision", "high"),
        ("precision_recall/recall", "high"),
        ("inception_score/score", "high"),
        ("outliers/auroc_noise", "high"),
        ("importance_bound/nats", "high"),
        ("importance_bound/elbo", "high"),
        ("importance_bound/bits_per_dim", "low"),
        ("likelihood/nats_lower", "high"),
        ("likelihood/nats_upper", "high"),
        ("likelihood/bits_per_dim_lower", "low"),
        ("landscape/purity", "high"),
        ("landscape/purity_shared", "high"),
        ("landscape/agreement", "high"),
        ("landscape/straight_purity", "high"),
        ("landscape/straight_agreement", "high"),
        ("mixing/ess_plain", "high"),
        ("mixing/ess_corrected", "high"),
        ("mixing/rhat_plain", "low"),
        ("completion/error_of_mean", "low"),
        ("recovery/error_of_reconstruction", "low"),
        ("sliced_wasserstein/samples", "low"),
        ("sliced_wasserstein/samples_level_0", "low"),
        ("kid/distance", "low"),
        ("linear_svm/error", "low"),
        ("local_modes/relative_error", "low"),
        ("pieces/total_variation", "low"),
    ],
)
def test_the_best_comes_first_whichever_way_a_value_is_better(tmp_path, metric, best):
    values = {"low": 0.25, "middle": 0.5, "high": 0.75}
    # groups are of runs alike in all but their seed
    rates = {"low": 1e-4, "middle": 2e-4, "high": 3e-4}
    workdirs = []
    for name in ("middle", "low", "high"):
        flags = {"generator.learning_rate": rates[name]}
        workdir = measured(tmp_path, f"vae-{name}", {metric: values[name]}, **flags)
        workdirs.append(pathlib.Path(workdir))
    order = ["low", "middle", "high"] if best == "low" else ["high", "middle", "low"]
    assert [m.values for m in compare.ranked(metric, workdirs)] == [
        [values[name]] for name in order
    ]


def test_negative_likelihoods_are_ranked_by_their_numbers(tmp_path):
    """60 nats above -50 above -900."""
    runs = []
    for name, nats in (("vae", -900.0), ("acd", 60.0), ("abp", -50.0)):
        runs.append(pathlib.Path(measured(tmp_path, name, {"likelihood/nats_lower": nats})))
    ranks = [group.name for group in compare.ranked("likelihood/nats_lower", runs)]
    assert ranks == ["acd", "abp", "vae"]


@pytest.mark.parametrize(
    "metric",
    [
        "mixing/energy_data",
        "mixing/drift_plain",
        "mixing/step_size_corrected",
        "likelihood/log_z_lower",
        "likelihood/gap",
        "landscape/minima",
        "landscape/basins",
        "seams/ratio",
        "pieces/pieces",
        "sliced_wasserstein/phase_noise",
        "kid/spread",
        "completion/mean_image",
    ],
)
def test_what_is_no_quality_is_listed_and_not_ranked(tmp_path, capsys, metric):
    """In the order of the runs, with a sentence."""
    numbers = {"vae": 2.0, "acd": 3.0, "abp": 1.0}
    runs = [measured(tmp_path, name, {metric: value}) for name, value in numbers.items()]
    listed = compare.ranked(metric, [pathlib.Path(run) for run in runs])
    assert [group.name for group in listed] == ["vae", "acd", "abp"]
    command_line.start("trainers.compare", f"--workdirs={','.join(runs)}", f"--metrics={metric}")
    assert f"Not ranked: {metric} is no quality of a model." in capsys.readouterr().out


def test_a_ranked_table_says_which_way_is_better(seeds, capsys):
    metrics = "--metrics=fid/distance,accuracy/accuracy"
    command_line.start("trainers.compare", f"--workdirs={','.join(seeds)}", metrics)
    fid, accuracy = capsys.readouterr().out.split("| | accuracy/accuracy")
    assert "lower is better" in fid
    assert "higher is better" in accuracy


def test_runs_of_one_algorithm_are_named_by_the_flags_in_which_they_differ(tmp_path, capsys):
    """Two sigmas and two rates of a VAE with two seeds each, beside a triangle."""
    runs = [measured(tmp_path, "divergence_triangle", {"fid/distance": 9.0})]
    for number, (sigma, rate) in enumerate([(0.1, 1e-3), (0.1, 1e-4), (0.2, 1e-3)]):
        for seed in (0, 1):
            flags = {"vae.sigma": sigma, "generator.learning_rate": rate, "seed": seed}
            value = {"fid/distance": 1.0 + number + seed / 2}
            runs.append(measured(tmp_path, f"vae-{number}-{seed}", value, **flags))
    groups = compare.ranked("fid/distance", [pathlib.Path(run) for run in runs])
    assert [(group.name, group.algorithm, len(group.values)) for group in groups] == [
        ("vae (sigma=0.1, generator.learning_rate=0.001)", "vae", 2),
        ("vae (sigma=0.1, generator.learning_rate=0.0001)", "vae", 2),
        ("vae (sigma=0.2, generator.learning_rate=0.001)", "vae", 2),
        ("divergence_triangle", "divergence_triangle", 1),
    ]
    command_line.start("trainers.compare", f"--workdirs={','.join(runs)}", "--metrics=fid/distance")
    printed = capsys.readouterr().out
    assert "| vae (sigma=0.1, generator.learning_rate=0.001) | 1.25 ± 0.35 | 2 |" in printed


def test_the_newest_measurement_counts(tmp_path):
    first = measured(tmp_path, "vae", {"fid/distance": 3.0})
    for value in (2.0, 1.0):
        row = {"metric": "fid/distance", "value": value, "protocol": PROTOCOL}
        Metrics(pathlib.Path(first) / "metrics.jsonl").append("evaluation", 100, row)
    second = measured(tmp_path, "acd", {"fid/distance": 1.5})
    runs = [pathlib.Path(second), pathlib.Path(first)]
    assert [group.name for group in compare.ranked("fid/distance", runs)] == ["vae", "acd"]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("dataset", "mnist"),
        ("steps", 101),
        ("batch_size", 51),
        ("nets", "triangle_mnist"),
        ("missing", "B20"),
        ("max_images", 10),
        ("image_size", 16),
        ("test_fraction", 0.2),
        ("validation", 5),
        ("channels", 3),
    ],
)
def test_runs_on_other_data_or_of_another_length_are_refused_by_the_flag(tmp_path, flag, value):
    one = measured(tmp_path, "vae", {"fid/distance": 1.0})
    other = measured(tmp_path, "acd", {"fid/distance": 2.0}, **{flag: value})
    sentence = refused(one, other)
    for words in (f"--{flag} ", str(value), one, other):
        assert words in sentence


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"num_images": 100}, "num_images 500 and 100"),
        ({"features": "random"}, "features pixels and random"),
        ({"version": "2"}, "version 1 and 2"),
        ({"splits": 10}, "splits None and 10"),
    ],
)
def test_other_protocols_are_refused_by_what_differs(tmp_path, changed, named):
    one = measured(tmp_path, "vae", {"fid/distance": 1.0})
    other = measured(tmp_path, "acd", {"fid/distance": 2.0}, protocol=PROTOCOL | changed)
    sentence = refused(one, other)
    assert "--metrics" in sentence
    assert "fid/distance" in sentence
    assert named in sentence


def test_seeds_of_one_model_under_two_protocols_are_refused_too(tmp_path):
    one = measured(tmp_path, "vae-0", {"fid/distance": 1.0}, seed=0)
    other = measured(
        tmp_path, "vae-1", {"fid/distance": 2.0}, protocol=PROTOCOL | {"seed": 1}, seed=1
    )
    assert "seed 0 and 1" in refused(one, other)


def test_a_run_that_was_not_measured_is_named(seeds, tmp_path):
    bare = measured(tmp_path, "acd", {"kid/distance": 1.0})
    sentence = refused(seeds[0], bare)
    assert "--metrics" in sentence
    assert bare in sentence
    assert "trainers.evaluate" in sentence


def test_a_directory_that_is_no_run_is_named(seeds, tmp_path):
    sentence = refused(seeds[0], str(tmp_path / "nowhere"))
    assert "--workdir" in sentence
    assert "nowhere" in sentence


@pytest.mark.parametrize("metric", ["beauty/of_samples", "fid/beauty", "fid"])
def test_a_value_that_no_measurement_yields_is_refused(seeds, metric):
    sentence = refused(*seeds[:2], metrics=metric)
    assert "--metrics" in sentence
    assert metric in sentence


def test_one_run_or_no_metric_is_too_little(seeds):
    assert "--workdirs" in refused(seeds[0])
    assert "--metrics" in refused(*seeds, metrics="")
