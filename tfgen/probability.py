"""TensorFlow Probability, imported when it is first needed and only here.

It takes seconds to import and needs tf-keras, so it comes with an extra of its own. Only
diagnostics of long chains use it.
"""

import importlib
import types
import warnings

from tfgen.errors import UserError


def package() -> types.ModuleType:
    """Returns the package `tensorflow_probability`.

    Raises:
        UserError: if it is not installed.
    """
    try:
        # it warns of versions and of GPUs, which users can do nothing about
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("tensorflow_probability")
    except ImportError as error:
        raise UserError(
            "the diagnostics of long chains: needs tensorflow-probability: "
            'pip install "tfgen-ebm[mcmc]"'
        ) from error


def mcmc() -> types.ModuleType:
    """Returns TensorFlow Probability's Markov chain methods, `tfp.mcmc`.

    Raises:
        UserError: if the package is not installed.

    Example:
        ```python
        rhat = probability.mcmc().potential_scale_reduction(kept, independent_chain_ndims=1)
        ```
    """
    return package().mcmc
