"""Lists the pretrained models, shows the card of one, or makes a work directory of it.

    python -m trainers.zoo [--show=NAME]
    python -m trainers.zoo --name=NAME --workdir=DIR

`tfgen.load("NAME")` gives the model in Python. The work directory serves `trainers.sample`,
`trainers.evaluate`, `export.main` and `export.web` like that of a run.
"""

import pathlib
from typing import Any

from absl import flags

from tfgen import pretrained
from tfgen.errors import UserError
from tfgen.pretrained import Card
from trainers import quiet


def define(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "trainers.zoo"}
    flags.DEFINE_string("show", None, "Print the card of this model.", **where)
    flags.DEFINE_string("name", None, "Make a work directory of this model.", **where)
    flags.DEFINE_string("workdir", None, "The directory to make, new or empty.", **where)


def main(values: flags.FlagValues) -> None:
    """Prints the list or a card, or unpacks a model."""
    if values.show is not None:
        print(shown(pretrained.card_of(values.show)))
    elif values.name is not None or values.workdir is not None:
        if values.name is None or values.workdir is None:
            raise UserError("--name: expected --name and --workdir together and found one of them")
        # the list does without TensorFlow, which this imports
        quiet.start(["--verbose"] if values.verbose else [])
        from trainers.run import unpacking

        unpacking.unpack(values.name, pathlib.Path(values.workdir))
        print(values.workdir)
    else:
        print("\n".join(line(pretrained.card_of(name)) for name in pretrained.names()))


def line(card: Card) -> str:
    """Returns a model's entry in the list: what it shows, and how large it is."""
    size = sum(file.stat().st_size for file in pretrained.path_of(card.name).iterdir())
    shape = "x".join(map(str, card.image_shape))
    return f"{card.name}\n    {card.shows}\n    {shape}, {card.dataset}, {size / 1e6:.1f} MB"


def shown(card: Card) -> str:
    """Returns the card as text."""
    facts = {
        "images": "x".join(map(str, card.image_shape)),
        "algorithm": card.algorithm,
        "nets": f"{card.nets} ({card.parameters:,} parameters)",
        "data": card.dataset,
        "terms of the data": card.data_terms,
        "trained by": card.command,
        "updates": f"{card.updates:,}, seed {card.seed}",
        "samples": card.samples,
        "weights": f"SHA-256 {card.sha256}",
    }
    lines = [f"{card.name}: {card.shows}", ""]
    lines += [f"  {name:18} {fact}" for name, fact in facts.items()]
    lines += ["", "  measured:"]
    lines += [f"    {name:40} {row['value']:.4g}" for name, row in card.measured.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    from trainers.run import commands

    commands.run(main, define, __doc__ or "")
