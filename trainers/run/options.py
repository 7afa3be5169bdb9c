"""The flags of a run: each field of a class here is one, with its default, range and help.

To add one is to add a field. `signatures` reads them, `flags` defines them.
"""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Annotated, TypeVar

from absl import flags

from tfgen.data import reading
from tfgen.errors import AtLeastOne, Fraction, NotNegative, OneOf, Range, Seed
from tfgen.nets.convolution import implementations
from trainers.run.strategy import NAMES as STRATEGIES

Declared = TypeVar("Declared")


def read(declared: Callable[..., Declared], values: flags.FlagValues, prefix: str = "") -> Declared:
    """Reads the flags that a class of options declares.

    Args:
        declared: a dataclass whose fields are flags.
        values: the flags, set.
        prefix: what the flags' names have before the fields', such as `energy.`.

    Returns:
        An instance with the values of the flags.
    """
    names = inspect.signature(declared).parameters
    return declared(**{name: values[prefix + name].value for name in names})


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of the run: what to train, where, and for how long."""

    workdir: str | None = None
    """Directory of everything that the run writes."""
    algorithm: str | None = None
    """What to train: a file of tfgen/algorithms."""
    nets: str | None = None
    """The nets: a file of tfgen/nets/families, or a Python module of your own."""
    steps: Annotated[int, Range(least=1, most=10**12)] = 1000
    """Updates in all."""
    batch_size: Annotated[int, Range(least=1, most=2**24)] = 32
    """Examples per update, over all replicas."""
    seed: Annotated[int, Seed] = 0
    """Root of all random numbers."""
    log_every: Annotated[int, AtLeastOne] = 50
    """Updates between two rows of metrics.jsonl."""
    save_every: Annotated[int, AtLeastOne] = 500
    """Updates between two checkpoints."""
    sample_every: Annotated[int, AtLeastOne] = 500
    """Updates between two pictures."""
    keep: Annotated[int, AtLeastOne] = 3
    """Checkpoints to keep, beside the newest one after which training went on well."""
    keep_best: str | None = None
    """Also keep the best checkpoint by this number: logged, such as reconstruction_error, or
    evaluated, such as fid/distance; with :lower or :higher where its better direction is
    unknown."""
    stop_at_gap: Annotated[int | None, AtLeastOne] = None
    """Stop once the mean energy gap of so many updates, none before the newest layer, is zero or
    below; while a net grows, it keeps the layers that it has then."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComputationOptions:
    """Options of the computation of an update."""

    compute_dtype: Annotated[str, OneOf("float32", "bfloat16")] = "float32"
    """Precision of the nets' computations; weights and energies stay float32."""
    convolution: Annotated[str, OneOf(*implementations.NAMES)] = "auto"
    """Implementation of convolutions, all equal but for rounding; auto: the fastest for the device
    and the shape."""
    jit_compile: Annotated[str, OneOf("auto", "true", "false")] = "auto"
    """Whether XLA compiles an update; auto: not on a CPU."""
    steps_per_execution: Annotated[int, Range(least=1, most=10**6)] = 1
    """Updates that one call of the graph makes, which a small net gains by; log_every and steps are
    multiples of it."""
    strategy: Annotated[str, OneOf(*STRATEGIES)] = "auto"
    """Distribution of an update over devices; auto: the workers of TF_CONFIG, a TPU, or all GPUs,
    where there are some. multi_worker also takes SLURM's tasks."""
    tpu: str | None = None
    """Name or address of the TPU; by default this machine's."""
    accumulate: Annotated[int, Range(least=1, most=256)] = 1
    """Micro-batches that each replica takes its part of a batch in, one after the other, for less
    memory; an update is still one step by the gradient of the whole batch."""
    workers: Annotated[int, Range(least=1, most=1024)] = 1
    """Processes to start on this machine, which share each update."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """Options of the guard, which rolls a diverging run back."""

    guard: bool = True
    """Roll a diverging run back; without it a run goes on, and ends where a number to be saved is
    not finite."""
    guard_factor: Annotated[float, AtLeastOne] = 1e3
    """An energy gap, norm or weight of so many times its recent median counts as a divergence."""
    guard_rate: Annotated[float, Fraction] = 0.5
    """Factor on all learning rates after a divergence, or on the sampler's step size where that is
    to blame."""
    guard_rollbacks: Annotated[int, AtLeastOne] = 8
    """Divergences without progress after which a run stops."""
    guard_reset: Annotated[int, NotNegative] = 50
    """Logging intervals without a divergence after which earlier ones count no more, and lowered
    rates rise by one factor; 0: never."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Options of the data set."""

    dataset: str | None = None
    """digits, mnist5k, textures/NAME, toy/NAME, folder:PATH, cifar10:PATH, npz:PATH, image:PATH,
    video:PATH, or TensorFlow Datasets' NAME."""
    crop: list[str] | None = None
    """LEFT,TOP,RIGHT,BOTTOM in pixels: the part of a single picture to take, without a caption."""
    image_size: list[str] | None = None
    """Height,width (or one side) to crop and resize to."""
    channels: int | None = None
    """1 for grey, 3 for colour; the pictures' own by default."""
    patch_size: Annotated[int, AtLeastOne] | None = None
    """Train on square patches of this side."""
    clip_length: Annotated[int, AtLeastOne] | None = None
    """Frames of the clips that films are cut into; by default each film whole is a clip."""
    clip_stride: Annotated[int, AtLeastOne] = 1
    """Frames from the start of a clip to that of the next."""
    max_images: Annotated[int, AtLeastOne] | None = None
    """Take at most so many pictures, at random."""
    missing: str | None = None
    """Hide pixels of each training image: half:SIDE, salt_and_pepper:RATE, blocks:NUMBERxSIZE, a
    pattern of the divergence triangle's paper such as B20, or an image file."""
    test_fraction: Annotated[float, Range(least=0, most=0.99)] = 0.1
    """Share of the images that is held out, where a data set has no test split."""
    validation: Annotated[int, NotNegative] = 0
    """Training images, at random, that take the test images' place; choices are then made without
    these."""
    data_dir: str | None = None
    """Directory of prepared data, in prepared/, and of those of TensorFlow Datasets; by default in
    the user's cache folder and in TensorFlow Datasets' own."""
    manual_dir: str | None = None
    """Directory of original files that TensorFlow Datasets cannot download."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """Options of what picture files and arrays do not say themselves; see docs/data.md."""

    background: Annotated[str | None, OneOf(*reading.BACKGROUNDS)] = None
    """Lay transparent pictures on this background; without it they are refused."""
    bit_depth: Annotated[int | None, Range(least=1, most=16)] = None
    """Bits that samples of 16 bits really have; by default what the file declares, else the least
    of 8, 10, 12, 14 and 16 that holds the largest sample."""
    value_range: list[str] | None = None
    """LOW,HIGH: the numbers of arrays that stand for black and white; by default 0,255 of bytes and
    -1,1 of floats."""
