"""Every flag of an experiment: of the run, of its data, and, read off the catalogue, of algorithms and nets.

A hyperparameter of an algorithm is the flag `--ALGORITHM.PARAMETER`; an option of a role's net, or of its
optimizer, is the flag `--ROLE.OPTION`.
"""

import difflib
import inspect
from collections.abc import Iterator

from absl import flags

from tfgen.data import masks
from tfgen.errors import UserError
from tfgen.nets.convolution import implementations
from trainers.run import catalogue
from trainers.run.catalogue import Parameters

OPTIMIZER = (
    "optimizer",
    "learning_rate",
    "momentum",
    "beta_1",
    "beta_2",
    "decay",
    "decay_steps",
    "warmup_steps",
    "constant_fraction",
    "clip_norm",
    "l2",
    "ema",
)
"""What a role's flags say of its optimizer; all others are options of its net."""


def define(values: flags.FlagValues) -> None:
    """Defines all flags of an experiment.

    Args:
        values: where to.
    """
    _define_run(values)
    _define_computation(values)
    _define_guard(values)
    _define_data(values)
    for name in catalogue.algorithms():
        cls = catalogue.algorithm_class(name)
        define_parameters(values, name, catalogue.hyperparameters(cls), cls)
    for role, options in catalogue.role_options().items():
        define_parameters(values, role, options, None)
        _define_optimizer(values, role)


def _define_run(values: flags.FlagValues) -> None:
    where = {"flag_values": values, "module_name": "trainers.main"}
    flags.DEFINE_string("workdir", None, "Where the run keeps everything it writes.", **where)
    flags.DEFINE_string("algorithm", None, "What to train: a file of tfgen/algorithms.", **where)
    flags.DEFINE_string("nets", None, "The net family: a file of tfgen/nets.", **where)
    flags.DEFINE_integer("steps", 1000, "Updates to make in all.", lower_bound=1, **where)
    flags.DEFINE_integer(
        "batch_size", 32, "Examples an update, over all replicas.", lower_bound=1, **where
    )
    flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)
    flags.DEFINE_integer(
        "log_every", 50, "Updates between two rows of metrics.jsonl.", lower_bound=1, **where
    )
    flags.DEFINE_integer(
        "save_every", 500, "Updates between two checkpoints.", lower_bound=1, **where
    )
    flags.DEFINE_integer(
        "sample_every", 500, "Updates between two pictures.", lower_bound=1, **where
    )
    flags.DEFINE_integer("keep", 3, "Checkpoints to keep.", lower_bound=1, **where)


def _define_computation(values: flags.FlagValues) -> None:
    where = {"flag_values": values, "module_name": "trainers.main"}
    flags.DEFINE_enum(
        "compute_dtype",
        "float32",
        ["float32", "bfloat16"],
        "What nets compute in; weights and energies stay float32.",
        **where,
    )
    flags.DEFINE_enum(
        "convolution",
        "auto",
        implementations.NAMES,
        "How convolutions run: the same numbers but for rounding; auto: the fastest for the device and the shape.",
        **where,
    )
    flags.DEFINE_enum(
        "jit_compile",
        "auto",
        ["auto", "true", "false"],
        "Whether XLA compiles an update; auto: not on a CPU.",
        **where,
    )
    flags.DEFINE_enum(
        "strategy",
        "auto",
        ["auto", "one_device", "mirrored", "tpu"],
        "How an update is spread over devices.",
        **where,
    )


def _define_guard(values: flags.FlagValues) -> None:
    where = {"flag_values": values, "module_name": "trainers.main"}
    flags.DEFINE_float(
        "guard_factor",
        1e3,
        "A gap or norm so many times its recent median is a divergence.",
        lower_bound=1,
        **where,
    )
    flags.DEFINE_float(
        "guard_rate",
        0.5,
        "Factor on the learning rates after a divergence.",
        lower_bound=0,
        upper_bound=1,
        **where,
    )
    flags.DEFINE_integer(
        "guard_rollbacks", 3, "Divergences after which a run stops.", lower_bound=1, **where
    )


def _define_data(values: flags.FlagValues) -> None:
    where = {"flag_values": values, "module_name": "trainers.main"}
    flags.DEFINE_string(
        "dataset",
        None,
        "digits, textures/NAME, toy/NAME, folder:PATH, cifar10:PATH, npz:PATH, image:PATH, video:PATH, or TensorFlow "
        "Datasets' NAME.",
        **where,
    )
    flags.DEFINE_list(
        "image_size", None, "Height,width (or one side) to crop and resize to.", **where
    )
    flags.DEFINE_integer(
        "channels", None, "1 for grey, 3 for colour; the pictures' own by default.", **where
    )
    flags.DEFINE_integer(
        "patch_size", None, "Train on square patches of this side.", lower_bound=1, **where
    )
    flags.DEFINE_integer(
        "max_images", None, "Take at most so many pictures, at random.", lower_bound=1, **where
    )
    flags.DEFINE_string(
        "missing", None, f"Hide pixels of each training image: {masks.NAMES}.", **where
    )
    flags.DEFINE_float(
        "test_fraction",
        0.1,
        "Share held out where a data set has no test split.",
        lower_bound=0,
        upper_bound=0.99,
        **where,
    )
    text = "Training images, at random, that take the test images' place, so that choices are made without these."
    flags.DEFINE_integer("validation", 0, text, lower_bound=0, **where)
    flags.DEFINE_string(
        "data_dir", None, "Where TensorFlow Datasets keeps what it prepared.", **where
    )
    flags.DEFINE_string(
        "manual_dir", None, "Where original files lie that need no download.", **where
    )


def define_parameters(
    values: flags.FlagValues, prefix: str, parameters: Parameters, owner: type | None
) -> None:
    """Defines a flag `--prefix.name` for each parameter.

    Args:
        values: where to.
        prefix: before the dot.
        parameters: bool, int, float or str.
        owner: the class whose signature and docstring give defaults and help; a net's options have none of
            their own, since they differ from family to family.
    """
    module = owner.__module__ if owner else "tfgen.nets"
    help_of = dict(_argument_docs(owner)) if owner else {}
    for name, parameter in parameters.items():
        default = parameter.default if owner else None
        kind = next(t for t in (bool, int, float, str) if parameter.annotation is t)
        define_flag = {
            bool: flags.DEFINE_boolean,
            int: flags.DEFINE_integer,
            float: flags.DEFINE_float,
            str: flags.DEFINE_string,
        }[kind]
        text = help_of.get(name, "The net's own default unless given.")
        define_flag(f"{prefix}.{name}", default, text, flag_values=values, module_name=module)


def _define_optimizer(values: flags.FlagValues, role: str) -> None:
    where = {"flag_values": values, "module_name": "tfgen.nets"}
    flags.DEFINE_enum(
        f"{role}.optimizer", "adam", ["adam", "sgd"], f"How the {role} net is updated.", **where
    )
    flags.DEFINE_float(f"{role}.learning_rate", 1e-4, "Its learning rate.", lower_bound=0, **where)
    flags.DEFINE_float(f"{role}.momentum", 0.0, "Of sgd.", lower_bound=0, upper_bound=1, **where)
    flags.DEFINE_float(f"{role}.beta_1", 0.9, "Of adam.", lower_bound=0, upper_bound=1, **where)
    flags.DEFINE_float(f"{role}.beta_2", 0.999, "Of adam.", lower_bound=0, upper_bound=1, **where)
    flags.DEFINE_float(
        f"{role}.decay",
        1.0,
        "Factor on the rate every decay_steps updates.",
        lower_bound=0,
        **where,
    )
    flags.DEFINE_integer(f"{role}.decay_steps", 1000, "See decay.", lower_bound=1, **where)
    flags.DEFINE_integer(
        f"{role}.warmup_steps", 0, "Updates over which the rate rises.", lower_bound=0, **where
    )
    flags.DEFINE_float(
        f"{role}.constant_fraction",
        1.0,
        "Share of the steps before the rate falls linearly to zero.",
        lower_bound=0,
        upper_bound=1,
        **where,
    )
    flags.DEFINE_float(
        f"{role}.clip_norm",
        0.0,
        "Largest norm of the whole gradient; 0: no bound.",
        lower_bound=0,
        **where,
    )
    flags.DEFINE_float(
        f"{role}.l2",
        0.0,
        "Times each weight, added to its clipped gradient (L2).",
        lower_bound=0,
        **where,
    )
    flags.DEFINE_float(
        f"{role}.ema",
        0.0,
        "Momentum of the weights' moving average, which sampling and export then use.",
        lower_bound=0,
        upper_bound=0.999999,
        **where,
    )


def _argument_docs(owner: type) -> Iterator[tuple[str, str]]:
    """(name, text) of each argument in a class's docstring."""
    lines = inspect.getdoc(owner).splitlines()
    section = lines[lines.index("Args:") + 1 :] if "Args:" in lines else []
    name, text = None, ""
    for line in section:
        if line and not line.startswith(" "):
            break
        if line.startswith("    ") and not line.startswith("     "):
            if name:
                yield name, text
            name, _, text = line.strip().partition(": ")
        else:
            text += " " + line.strip()
    if name:
        yield name, text.strip()


def net_options(values: flags.FlagValues, role: str) -> dict[str, object]:
    """The options given for a role's net, by name."""
    prefix = f"{role}."
    given = {
        name.removeprefix(prefix): values[name].value for name in values if name.startswith(prefix)
    }
    # a role may share its name with an algorithm, whose hyperparameters are no options of the net
    homonym = role in catalogue.algorithms()
    others = {
        *OPTIMIZER,
        *(catalogue.hyperparameters(catalogue.algorithm_class(role)) if homonym else ()),
    }
    return {name: value for name, value in given.items() if name not in others}


def parse(argv: list[str], values: flags.FlagValues) -> flags.FlagValues:
    """Reads a command line.

    Args:
        argv: the program's name first.
        values: holds the definitions.

    Returns:
        The same values, set.

    Raises:
        UserError: if a flag is unknown or out of its range, or a word is not a flag.
    """
    try:
        rest = values(argv)
    except flags.UnrecognizedFlagError as error:
        close = difflib.get_close_matches(
            error.flagname, [n for n in values if "." in n or len(n) > 2], n=1
        )
        hint = f"; did you mean --{close[0]}?" if close else ""
        raise UserError(f"--{error.flagname}: there is no such flag{hint}") from error
    except flags.CantOpenFlagFileError as error:
        raise UserError(
            f"--flagfile: could not read the file ({' '.join(str(error).split())})"
        ) from error
    except flags.Error as error:
        raise UserError(" ".join(str(error).split())) from error
    if rest[1:]:
        raise UserError(f"expected flags only and found {rest[1]}")
    return values


def written(values: flags.FlagValues) -> str:
    """The flags of a run as a flagfile: its own algorithm's and roles', and none of the others'."""
    own = {values.algorithm, *catalogue.roles(values.algorithm)}
    given = (values[name] for name in values if "." not in name or name.partition(".")[0] in own)
    lines = {flag.serialize() for flag in given if flag.value is not None}
    return "\n".join(sorted(lines, key=lambda line: ("." in line, line))) + "\n"


def require(values: flags.FlagValues, *names: str) -> None:
    """Raises UserError unless all of the flags were given."""
    for name in names:
        if values[name].value is None:
            raise UserError(f"--{name}: expected a value and found none")
