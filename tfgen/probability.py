"""TensorFlow Probability, imported when it is first needed and only here.

It takes seconds to import and needs tf-keras, so it comes with an extra of its own. Only
diagnostics of long chains use it.
"""

import importlib
import types

from tfgen.errors import UserError


def mcmc() -> types.ModuleType:
    """Returns TensorFlow Probability's module of Markov chain methods, `tfp.mcmc`.

    Raises:
        UserError: if the package is not installed.

    Example:
        ```python
        rhat = probability.mcmc().potential_scale_reduction(kept, independent_chain_ndims=1)
        ```
    """
    try:
        return importlib.import_module("tensorflow_probability").mcmc
    except ImportError as error:
        raise UserError(
            "the diagnostics of long chains: needs tensorflow-probability: "
            'pip install "tfgen-ebm[mcmc]"'
        ) from error
