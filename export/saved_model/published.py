"""The endpoints of an export: a model's own by row, with checks, and their forms for PNG files."""

from export.saved_model import checks, limits, png, rows
from export.saved_model.limits import Limits
from export.saved_model.rows import RowEndpoint
from tfgen.models import Model

DEFAULT = "complete"
"""The endpoint that answers requests that name none, where the model has it."""


def endpoints(model: Model, bounds: Limits | None = None) -> dict[str, RowEndpoint]:
    """Returns a model's endpoints in the form for servers. None is traced yet.

    Args:
        model: trained. No endpoint changes its weights.
        bounds: the largest request that they answer; see `limits.of` for the default.

    Returns:
        By name: the default first, the forms for PNG files last.
    """
    declared = model.endpoints()
    most = limits.of(model) if bounds is None else bounds
    found = {
        name: checks.checked(rows.by_row(declared[name]), most)
        for name in sorted(declared, key=lambda name: (name != DEFAULT, name))
    }
    pictures = png.pictures(model)
    files = {
        png.name_of(name): checks.checked(png.form(endpoint, pictures), most)
        for name, endpoint in found.items()
        if png.has_form(endpoint, pictures)
    }
    return found | files
