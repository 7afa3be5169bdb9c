"""The model card: what was exported, from what, how well it does, and how to call it."""

import inspect
import pathlib
from collections.abc import Sequence

import jinja2
import tensorflow as tf

from export import tflite
from tfgen.types import Endpoint
from tfgen.version import __version__
from trainers import files
from trainers.experiment import Experiment

TEMPLATE = """\
{% macro list(endpoints) -%}
{% for name, endpoint in endpoints.items() -%}
- `{{ name }}`: {{ named(endpoint.signature) }} gives {{ named(outputs(endpoint)) }}
{% endfor %}
{%- endmacro -%}
# {{ algorithm }}

{{ description }}

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
{% if endpoints -%}
## Endpoints of the SavedModel
{{ list(endpoints) }}
{% endif -%}
{% if lite -%}
## LiteRT files
{{ list(lite) }}
{{ note }}

{% endif -%}
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
    algorithm = trained.algorithm
    lite = any(file.suffix == ".tflite" for file in exported)
    card = jinja2.Template(TEMPLATE).render(
        algorithm=trained.values.algorithm,
        description=inspect.getdoc(inspect.getmodule(type(algorithm))).splitlines()[0],
        nets=trained.values.nets,
        dataset=trained.values.dataset,
        shape="x".join(map(str, algorithm.image_shape)),
        version=__version__,
        step=algorithm.num_updates,
        files=[(file.relative_to(path.parent), _size(file)) for file in exported],
        named=_named,
        outputs=_outputs,
        endpoints=algorithm.endpoints() if any(file.is_dir() for file in exported) else {},
        lite=tflite.endpoints(algorithm) if lite else {},
        note=tflite.note(algorithm) if lite else "",
        rows=trained.metrics.rows("evaluation"),
    )
    with files.written_aside(path) as aside:
        aside.write_text(card + "\n")
    return path


def _named(specs: list[tf.TensorSpec]) -> str:
    return ", ".join(f"`{spec.name}` {spec.dtype.name} {spec.shape}" for spec in specs)


def _outputs(endpoint: Endpoint) -> list[tf.TensorSpec]:
    concrete = tf.function(endpoint.fn, autograph=False).get_concrete_function(*endpoint.signature)
    return [tf.TensorSpec(t.shape, t.dtype, name) for name, t in concrete.structured_outputs.items()]


def _size(path: pathlib.Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
