"""What the package's pretrained models are: recipe, measurements and samples of each."""

import dataclasses
from typing import NamedTuple

TEXTURES = "image:../shared/data/textures.zip/"
TEXTURE = (
    "--image_size=128",
    "--steps=700",
    "--generative_convnet.layer_iterations=150",
    "--energy.decay_steps=150",
    "--stop_at_gap=20",
    "--generative_convnet.sample_from_chains",
    "--generative_convnet.sample_steps=100",
)
"""The same for all textures; elements of 20 to 30 pixels, by `--crop`."""

GENERATE = ("--task=generate", "--count=64")
LATENT = ("reconstruction", "completion", "outliers")


class Tolerance(NamedTuple):
    """How far a number of a model that is trained anew may be from the printed one.

    Attributes:
        relative: as a share of the printed number.
        absolute: beside that.
    """

    relative: float
    absolute: float


CLOSE = Tolerance(relative=0.15, absolute=0.02)
FAR = Tolerance(relative=0.5, absolute=0.02)
"""Of chains, which are other pictures after another training."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """A pretrained model, before it is trained.

    Attributes:
        shows: one sentence on what it is for.
        recipe: a packaged flagfile.
        changes: flags that differ from the recipe's.
        step: the checkpoint that is kept; None: the last.
        metrics: what is measured, and flags of the protocols.
        sample: flags of `trainers.sample` for the picture of unchosen samples.
        tolerance: of the numbers of a model that is trained anew.
        data: the set that the pictures are from, whose terms hold, where they are given as files.
    """

    shows: str
    recipe: str
    changes: tuple[str, ...] = ()
    step: int | None = None
    metrics: tuple[str, ...] = LATENT
    protocol: tuple[str, ...] = ()
    sample: tuple[str, ...] = GENERATE
    tolerance: Tolerance = CLOSE
    data: str | None = None


def texture(shows: str, picture: str, *changes: str, step: int | None = None) -> Entry:
    """Returns the entry of a generative ConvNet on one picture of 128x128 pixels.

    Args:
        shows: one sentence on it.
        picture: its place in the archive of textures.
        *changes: flags beside.
        step: the checkpoint that is kept; None: the last.
    """
    return Entry(
        shows=shows,
        recipe="generative_convnet_texture_cpu",
        changes=(f"--dataset={TEXTURES}{picture}", *TEXTURE, *changes),
        step=step,
        metrics=("texture_statistics",),
        sample=("--task=chains",),
        tolerance=FAR,
    )


def heads(shows: str, folder: str) -> Entry:
    """Returns the entry of a generative ConvNet on ten heads of animals.

    Args:
        shows: one sentence on it.
        folder: of the ten pictures, in the archive of heads.
    """
    return Entry(
        shows=shows,
        recipe="generative_convnet_cats_cpu",
        changes=(f"--dataset=folder:../shared/data/afhq_ref_cat_wild.zip/afhq/ref/{folder}",),
        metrics=("texture_statistics",),
        sample=("--task=chains",),
        tolerance=FAR,
        data="afhq",
    )


ENTRIES = {
    "mnist5k-triangle": Entry(
        shows="A divergence triangle on 5,000 digits: generates, reconstructs, completes, scores.",
        recipe="divergence_triangle_mnist5k_cpu",
    ),
    "mnist-triangle": Entry(
        shows="A divergence triangle on MNIST's 60,000 digits.",
        recipe="divergence_triangle_mnist_cpu",
        changes=("--steps=6000",),
        metrics=("reconstruction", "completion"),
    ),
    "mnist-vae": Entry(
        shows="A variational auto-encoder with mnist-triangle's nets, to compare: "
        "its samples are less like digits.",
        recipe="vae_mnist_cpu",
        metrics=("reconstruction", "completion"),
    ),
    "faces-triangle": Entry(
        shows="A divergence triangle on 3,600 faces at 32x32.",
        recipe="divergence_triangle_celeba32_cpu",
        metrics=("reconstruction", "completion"),
        data="celeb_a",
    ),
    "cats-convnet": heads("A generative ConvNet on ten heads of cats: its chains mix them.", "cat"),
    "wild-convnet": heads(
        "A generative ConvNet on the heads of nine big cats and a wolf, mixed in its chains.",
        "wild",
    ),
    "pebbles-convnet": texture(
        "A generative ConvNet on one picture of pebbles.",
        "inn_jlazarow/pebbles.png",
        "--crop=0,0,246,246",
    ),
    "wall-convnet": texture(
        "A generative ConvNet on one picture of a stone wall.",
        "inn_jlazarow/wall.png",
        "--crop=0,0,160,160",
        "--steps=560",
    ),
    "pebbles-patchwise": Entry(
        shows="Energies of the patches of one picture of pebbles: samples of any size from noise.",
        recipe="patchwise_convnet_pebbles_cpu",
        changes=("--steps=450",),
        metrics=("texture_statistics",),
        protocol=("--texture_statistics.source=generate", "--texture_statistics.num_samples=2"),
        sample=("--task=synthesize", "--size=256", "--count=1"),
        tolerance=FAR,
    ),
    "pebbles-winn": Entry(
        shows="60 critics on one picture of pebbles: synthesize and tile at any size, fill holes.",
        recipe="winn_pebbles_cpu",
        changes=("--winn.stages=60", "--steps=480"),
        metrics=("texture_statistics",),
        protocol=("--texture_statistics.source=generate", "--texture_statistics.num_samples=2"),
        sample=("--task=synthesize", "--size=256", "--count=1"),
        tolerance=FAR,
    ),
}
"""By name, in the order of the page."""
