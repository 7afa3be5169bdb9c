"""Computes what an update exchanges, keeps and reads on 8 to 256 devices, from a recipe's nets.

    python -m benchmarks.speed.scale_on_paper [--recipe=divergence_triangle_lsun64] \
        [--image_shape=64,64,3] [--devices=8,16,32,64,128,256] [--share=N] [--seconds=1] \
        [--page=PAGE]

Each device takes --share examples, by default the recipe's batch, so the batch grows with the
devices. Nothing is trained and nothing is timed: the nets and optimizers are built, and the bytes
of their variables are counted.

- Sent: what a device sends in an update. A ring sends 2 (n - 1) / n times the bytes of what is
  reduced, and each gradient is reduced twice: to be clipped as a whole, and by Keras's optimizer.
  Chains are gathered, for which it sends (n - 1) / n times the bytes of all.
- State: weights, what the optimizers keep of each, and all persistent chains, as float32. Every
  device has all of it, and moves its share of the chains.
- Read: the bytes of uint8 pictures that all devices take in a second, if an update takes --seconds.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
from absl import flags as absl_flags

from benchmarks.speed import options
from experiments import command_flags, pages
from trainers.run import catalogue, commands, flags, optimizers, parsing

REDUCTIONS = 2
"""How often each gradient is reduced in an update."""

FLOAT = 4
"""Bytes of a float32."""

COLUMNS = (
    "devices",
    "batch",
    "sent by a device, MiB an update",
    "chains of a device",
    "read, MB/s",
)


class Counted(NamedTuple):
    """The bytes of a training.

    Attributes:
        gradients: of all nets that optimizers train.
        weights: of all nets, with what is not trained.
        slots: what the optimizers keep.
        chains: all persistent chains.
        num_chains: how many there are.
        picture: of one example as uint8.
        batch: examples an update of the recipe.
    """

    gradients: int
    weights: int
    slots: int
    chains: int
    num_chains: int
    picture: int
    batch: int


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.scale_on_paper")
    text = "The recipe whose nets are counted."
    absl_flags.DEFINE_string("recipe", "divergence_triangle_lsun64", text, **place)
    text = "Height, width and channels of an example; before these, frames of clips."
    absl_flags.DEFINE_list("image_shape", ["64", "64", "3"], text, **place)
    text = "Numbers of devices."
    absl_flags.DEFINE_list("devices", ["8", "16", "32", "64", "128", "256"], text, **place)
    text = "Examples of a device in an update; the recipe's batch unless given."
    absl_flags.DEFINE_integer("share", None, text, lower_bound=1, **place)
    text = "Seconds of an update."
    absl_flags.DEFINE_float("seconds", 1.0, text, lower_bound=1e-6, **place)
    options.define_page(place)


def counted(recipe: str, shape: Sequence[int]) -> Counted:
    """Returns the bytes of a recipe's training.

    Args:
        recipe: its name, or a path.
        shape: of an example.
    """
    values = absl_flags.FlagValues()
    flags.define(values)
    parsing.parse(["", f"--flagfile={recipe}"], values)
    gradients = weights = slots = 0
    for role in catalogue.roles(values.algorithm):
        net, optimizer = built(values, role, shape)
        gradients += size(net.trainable_variables)
        weights += size(net.variables)
        slots += size(optimizer.variables)
    chains = num_chains(values)
    return Counted(
        gradients=gradients,
        weights=weights,
        slots=slots,
        chains=chains * math.prod(shape) * FLOAT,
        num_chains=chains,
        picture=math.prod(shape),
        batch=values.batch_size,
    )


def built(
    values: absl_flags.FlagValues, role: str, shape: Sequence[int]
) -> tuple[keras.Model, keras.optimizers.Optimizer]:
    """Returns the net of a role and its optimizer, as a run has them.

    Args:
        values: the flags of the run.
        role: of the net.
        shape: of an example.
    """
    given = flags.net_options(values, role)
    chosen = {name: option for name, option in given.items() if option is not None}
    net = catalogue.net_function(values.nets, role)(tuple(shape), **chosen)
    optimizer = optimizers.build(values, role).optimizer
    optimizer.build(net.trainable_variables)
    return net, optimizer


def size(variables: Sequence[keras.Variable]) -> int:
    """Returns the bytes of variables as they are kept; numbers without a shape do not count."""
    return sum(math.prod(v.shape) * v.value.dtype.size for v in variables if v.shape)


def num_chains(values: absl_flags.FlagValues) -> int:
    """Returns how many persistent chains a run of these flags keeps."""
    name = values.algorithm
    if "chains" not in catalogue.hyperparameters(catalogue.algorithm_class(name)):
        return 0
    if values[f"{name}.contrastive_divergence"].value:
        return 0
    return values[f"{name}.chains"].value or 0


def rows(found: Counted, devices: Sequence[int], share: int | None, seconds: float) -> list[list]:
    """Returns the rows of the table.

    Args:
        found: the bytes of a training.
        devices: the numbers of devices.
        share: examples of a device in an update; None takes the recipe's batch.
        seconds: of an update.
    """
    made = []
    for count in devices:
        batch = count * (share or found.batch)
        others = (count - 1) / count
        sent = others * (REDUCTIONS * 2 * found.gradients + found.chains) / 2**20
        read = batch * found.picture / seconds / 1e6
        chains = f"{-(-found.num_chains // count)}" if found.num_chains else "-"
        made.append([count, f"{batch:,}", f"{sent:,.0f}", chains, f"{read:,.1f}"])
    return made


def main(values: absl_flags.FlagValues) -> None:
    """Counts, and prints the table."""
    shape = [int(side) for side in values.image_shape]
    found = counted(values.recipe, shape)
    state = [found.weights, found.slots, found.chains]
    kept = ", ".join(f"{bytes_ / 2**20:,.1f} MiB" for bytes_ in state)
    caption = (
        f"`{values.recipe}` at {'x'.join(values.image_shape)}, if an update took "
        f"{values.seconds:g} s. On each device, weights, the optimizers' slots and chains take "
        f"{kept}; gradients take {found.gradients / 2**20:,.1f} MiB."
    )
    counts = [int(count) for count in values.devices]
    table = pages.table(COLUMNS, rows(found, counts, values.share, values.seconds))
    pages.publish(f"scale-{values.recipe}", f"{caption}\n\n{table}", values.page)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
