"""What an export publishes of a model: its endpoints by row, checked, and their forms for files."""

from export.saved_model import checks, png, rows
from export.saved_model.rows import RowEndpoint
from tfgen.models import Model

DEFAULT = "complete"
"""What a server answers by that is asked for no endpoint, where the model has it."""


def endpoints(model: Model) -> dict[str, RowEndpoint]:
    """Returns a model's endpoints as servers want them; none is traced yet.

    Args:
        model: trained. Its weights are those of the export: nothing here changes them.

    Returns:
        By name, the default first, and last the twins that take and give PNG files.
    """
    declared = model.endpoints()
    found = {
        name: checks.checked(rows.by_row(declared[name]))
        for name in sorted(declared, key=lambda name: (name != DEFAULT, name))
    }
    pictures = png.pictures(model)
    twins = {
        png.name_of(name): checks.checked(png.twin(endpoint, pictures))
        for name, endpoint in found.items()
        if png.has_twin(endpoint, pictures)
    }
    return found | twins
