"""Uses a trained model and draws what comes out.

    python -m trainers.sample --workdir=DIR --task=TASK --output=FILE.png

| task | picture |
|------|---------|
| generate | samples (of each class in turn, or of --label) |
| reconstruct | held-out images above their reconstructions |
| complete | held-out images (or --image), masked by --mask, completions below, and how far they differ |
| interpolate | rows of images between two held-out ones, straight or --spherical in latent space |
| encode | the latents of held-out images on their two principal axes, by class |
| anomaly | held-out images (or --image) above which of their pixels the energy hangs on |
| score | held-out images in the order of their energies |
| synthesize | a sample of any --size, of a net that takes images of any size |
| stylize | --image at --size, and it in the style of the texture that a cascade of classifiers learned |
| stages | a sample of a cascade growing from noise, classifier by classifier |
| memories | training images above the local modes that noise-free descent takes them to |
| pieces | a model of two numbers: its Gaussian pieces, its density, its samples |
"""

import pathlib

from absl import flags as absl_flags

from tfgen.data import masks
from tfgen.errors import UserError
from trainers.drawings import pictures, pieces, tasks
from trainers.run import commands, experiment, flags

TASKS = {
    "generate": tasks.generate,
    "reconstruct": tasks.reconstruct,
    "complete": tasks.complete,
    "interpolate": tasks.interpolate,
    "encode": tasks.encode,
    "anomaly": tasks.anomaly,
    "score": tasks.score,
    "synthesize": tasks.synthesize,
    "stylize": tasks.stylize,
    "stages": tasks.stages,
    "memories": tasks.memories,
    "pieces": pieces.draw,
}


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "trainers.sample"}
    absl_flags.DEFINE_string("workdir", None, "The run whose model to use.", **where)
    absl_flags.DEFINE_enum("task", None, sorted(TASKS), "What to do.", **where)
    absl_flags.DEFINE_string("output", None, "The picture to write, a .png file.", **where)
    absl_flags.DEFINE_integer("count", 16, "How many images.", lower_bound=1, **where)
    absl_flags.DEFINE_integer(
        "steps", None, "Sampling steps; the run's own by default.", lower_bound=0, **where
    )
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)
    absl_flags.DEFINE_integer(
        "label", None, "A class, of a model that has classes.", lower_bound=0, **where
    )
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_string(
        "image", None, "An image file to complete, reconstruct or stylize.", **where
    )
    absl_flags.DEFINE_boolean("spherical", False, "Interpolate along the great circle.", **where)
    absl_flags.DEFINE_float(
        "gamma", 0.3, "How near to --image a stylized picture stays.", 0, 1, **where
    )
    absl_flags.DEFINE_list(
        "size", ["256"], "Height,width (or one side) to synthesize or stylize.", **where
    )


def main(values: absl_flags.FlagValues) -> None:
    """Does the task."""
    flags.require(values, "workdir", "task", "output")
    output = pathlib.Path(values.output)
    if output.suffix != ".png":
        raise UserError(f"--output: expected a .png file and found {output}")
    trained = experiment.restored(pathlib.Path(values.workdir))
    pictures.save(output, TASKS[values.task](trained, values))
    print(output)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
