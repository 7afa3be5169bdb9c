"""The model card: what was exported, from what, how well it does, and how to call it."""

import pathlib
from collections.abc import Sequence

import jinja2

from tfgen.version import __version__
from trainers import files
from trainers.experiment import Experiment

TEMPLATE = """\
# {{ algorithm }}

Exported by tfgen {{ version }} from a run of {{ step }} updates.

| | |
|---|---|
| algorithm | {{ algorithm }} |
| nets | {{ nets }} |
| data set | {{ dataset }} |
| image | {{ shape }}, float32 in [-1, 1] |

## Files
{% for path, size in files -%}
- `{{ path }}`: {{ "{:,}".format(size) }} bytes
{% endfor %}
## Endpoints
{% for name, endpoint in endpoints.items() -%}
- `{{ name }}`: {% for spec in endpoint.signature -%}
`{{ spec.name }}` {{ spec.dtype.name }} {{ spec.shape }}{{ ", " if not loop.last }}
{%- else %}no inputs{% endfor %}
{% endfor %}
A LiteRT file takes one image, and an image to start from and noise (a standard normal image a step) where the
SavedModel takes a seed and a number of steps.

## Measurements
{% for row in rows -%}
- {{ row.metric }}: {{ "%.6g" | format(row.value) }} at update {{ row.step }} \
({% for key, value in row.protocol.items() %}{{ key }} {{ value }}{{ ", " if not loop.last }}{% endfor %})
{% else -%}
None was made; see `python -m trainers.evaluate`.
{% endfor %}"""


def write(trained: Experiment, exported: Sequence[pathlib.Path], path: pathlib.Path) -> pathlib.Path:
    """Writes the card.

    Args:
        trained: the run.
        exported: files and directories that were written.
        path: where to.

    Returns:
        The path.
    """
    sizes = [(file.relative_to(path.parent), _size(file)) for file in exported]
    card = jinja2.Template(TEMPLATE).render(
        algorithm=trained.values.algorithm,
        nets=trained.values.nets,
        dataset=trained.values.dataset,
        shape="x".join(map(str, trained.algorithm.image_shape)),
        version=__version__,
        step=trained.algorithm.num_updates,
        files=sizes,
        endpoints=trained.algorithm.endpoints(),
        rows=trained.metrics.rows("evaluation"),
    )
    with files.written_aside(path) as aside:
        aside.write_text(card + "\n")
    return path


def _size(path: pathlib.Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
