"""Langevin steps of tfgen beside those of other libraries: the same nets, weights, shapes, steps and precision.

    python -m benchmarks.against_peers [--rounds=5] [--workloads=texture,dcgan,small] [--page=benchmarks/results.md]

Each library runs in a process of its own that stays warm; `make bench-peers` sets up their environment. Outputs are
checked equal first. Then a run of each is timed in turn, A B C A B C ...; medians are compared, and ratios are taken
within a round. On a machine that does other work meanwhile, `--processors=1 --clock=processor` still compares.
"""

import os
import pathlib
import platform
import statistics
import tempfile
from types import ModuleType
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags

from benchmarks import parts, processes, rates
from benchmarks.peers import workload
from tfgen import random
from tfgen.errors import UserError
from tfgen.nets import dcgan32, generative_convnet_texture, triangle_mnist
from tfgen.nets.scoring import ScoringFunction
from trainers import commands

TOLERANCE = 1e-4
"""Of energies and gradients, root mean square relative to theirs: float32 sums in another order, by which here and
there a ReLU falls to the other side."""


class Case(NamedTuple):
    """What is sampled from."""

    title: str
    family: ModuleType
    shape: tuple[int, int, int]
    chains: int
    steps: int
    """Langevin steps a timed run."""


CASES = {
    "texture": Case("The texture net, 224x224x3, 16 chains", generative_convnet_texture, (224, 224, 3), 16, 2),
    "dcgan": Case("A DCGAN energy, 32x32x3, 100 chains", dcgan32, (32, 32, 3), 100, 10),
    "small": Case("A small energy, 28x28x1, 100 chains", triangle_mnist, (28, 28, 1), 100, 20),
}

OURS, PRODUCT = "tfgen", "matrix product"
CONTENDERS = {
    OURS: ["tfgen_langevin"],
    "PyTorch": ["torch_langevin"],
    "PyTorch, channels last": ["torch_langevin", "--channels_last"],
    "PyTorch, compiled": ["torch_langevin", "--compiled"],
    "torchebm": ["torch_langevin", "--torchebm"],
    "JAX": ["jax_langevin"],
    "blackjax": ["jax_langevin", "--blackjax"],
    "TensorFlow Probability": ["tfp_langevin"],
}
IN_OURS = ("tfgen_langevin", "tfp_langevin")
"""Modules that run in tfgen's own environment."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.against_peers"}
    absl_flags.DEFINE_integer("rounds", 5, "Timed runs of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_list("workloads", list(CASES), f"Some of {','.join(CASES)}.", **where)
    absl_flags.DEFINE_integer("processors", None, "How many to use; all unless given.", lower_bound=1, **where)
    absl_flags.DEFINE_enum(
        "clock",
        "wall",
        processes.CLOCKS,
        "processor: what each process computes, which other programs disturb less; for one processor.",
        **where,
    )
    absl_flags.DEFINE_string("python", ".venv-peers/bin/python", "The peers' own interpreter.", **where)
    absl_flags.DEFINE_string("page", None, "A Markdown page whose part is replaced.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything and prints the tables."""
    for name in set(values.workloads) - set(CASES):
        raise UserError(f"--workloads: expected some of {', '.join(CASES)} and found {name}")
    if not (processes.ROOT / values.python).exists():
        raise UserError(
            f"--python: expected the peers' interpreter and found none at {values.python}; make bench-peers"
        )
    if values.processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: values.processors])
    tables = [compare(CASES[name], values) for name in values.workloads]
    text = "\n\n".join([header(values), *tables])
    print(text)
    if values.page:
        parts.put(pathlib.Path(values.page), "peers", text)


def compare(case: Case, values: absl_flags.FlagValues) -> str:
    """One workload's table."""
    net = net_of(case)
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "workload.npz"
        workload.write(file, workload_of(case, net))
        with processes.started(commands_of(str(file), values.python)) as contenders:
            check(contenders, pathlib.Path(directory))
            seconds = processes.interleaved(contenders, values.rounds, values.clock)
            versions = {name: c.version for name, c in contenders.items()}
    operations = 2 * rates.operations(net, case.shape) * case.chains * case.steps
    return report(case, seconds, operations, versions)


def net_of(case: Case) -> ScoringFunction:
    """The net, with weights that let signals through: He's normal ones, and biases of a tenth."""
    net = case.family.energy(case.shape)
    for number, weight in enumerate(net.trainable_variables):
        scale = (2 / np.prod(weight.shape[:-1])) ** 0.5 if len(weight.shape) == 4 else 0.1
        weight.assign(scale * random.normal(weight.shape, random.root(number)))
    return net


def workload_of(case: Case, net: ScoringFunction) -> workload.Workload:
    """What all contenders are given."""
    layers = [
        workload.Layer(conv.kernel.numpy(), conv.bias.numpy() if conv.use_bias else None, conv.strides, conv.padding)
        for conv in net.convs
    ]
    return workload.Workload(
        net=case.family.__name__.rpartition(".")[2],
        layers=layers,
        top=None if net.top is None else net.top.kernel.numpy(),
        activation=net.activation,
        sigma=1 / 127.5,
        step_size=0.3 / 127.5,
        start=random.normal((case.chains, *case.shape), random.root(0)).numpy() / 2,
        steps=case.steps,
    )


def commands_of(file: str, python: str) -> dict[str, list[str]]:
    """What starts the matrix product and each contender."""
    found = {PRODUCT: processes.command_of("matrix_product")}
    for name, (module, *options) in CONTENDERS.items():
        own = None if module in IN_OURS else python
        found[name] = processes.command_of(module, file, *options, python=own)
    return found


def check(contenders: dict[str, processes.Contender], directory: pathlib.Path) -> None:
    """Raises UserError unless all find the same energies and gradients."""
    outputs = {
        name: contender.outputs(directory / f"{number}.npz")
        for number, (name, contender) in enumerate(contenders.items())
        if name != PRODUCT
    }
    for name, found in outputs.items():
        for what, a, b in zip(("energies", "gradients"), found, outputs[OURS], strict=True):
            error = np.linalg.norm(a - b) / np.linalg.norm(b)
            if not error < TOLERANCE:
                raise UserError(f"{name}: expected tfgen's {what} and found some that differ by {error:.1e} of them")


def header(values: absl_flags.FlagValues) -> str:
    """What was run, and where."""
    given = [f"--rounds={values.rounds}", f"--workloads={','.join(values.workloads)}"]
    given += [f"--processors={values.processors}"] if values.processors else []
    given += [f"--clock={values.clock}"] if values.clock != "wall" else []
    return (
        "# Langevin dynamics beside other libraries\n\n"
        f"Command: `make bench-peers`, which is `python -m benchmarks.against_peers {' '.join(given)}`; "
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} processors, float32. Every library runs in a process of "
        f"its own; energies and gradients agreed to {TOLERANCE:g} first. Medians of {values.rounds} interleaved runs; "
        "shares and ratios are medians of those within a round. GFLOP/s count the operations of direct convolutions, "
        "forward and in the input's gradient, whatever is computed."
    )


def report(case: Case, seconds: dict[str, list[float]], operations: float, versions: dict[str, str]) -> str:
    """One workload's table as Markdown."""
    product = [rates.PRODUCT_OPERATIONS / s for s in seconds.pop(PRODUCT)]
    lines = [
        f"## {case.title}",
        "",
        f"Matrix product: {statistics.median(product) / 1e9:.0f} GFLOP/s.",
        "",
        "| library | milliseconds a step | GFLOP/s | of the matrix product | tfgen's speed relative to it |",
        "|---|---|---|---|---|",
    ]
    for name, times in seconds.items():
        milliseconds = 1e3 * statistics.median(times) / case.steps
        share = statistics.median(operations / s / p for s, p in zip(times, product, strict=True))
        relative = statistics.median(s / o for s, o in zip(times, seconds[OURS], strict=True))
        lines.append(
            f"| {name} {versions[name]} | {milliseconds:.1f} | {operations / statistics.median(times) / 1e9:.0f} "
            f"| {share:.2f} | {relative:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
