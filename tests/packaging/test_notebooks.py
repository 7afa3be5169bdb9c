"""Every notebook runs from its first cell to its last against the installed wheel."""

import pathlib

import nbformat
import pytest
from support import registry

NOTEBOOKS = sorted((registry.ROOT / "colab").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code(path: pathlib.Path) -> list[str]:
    """Returns the text of a notebook's code cells."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@every_notebook
def test_tfgen_is_imported_before_tensorflow_and_installed_by_the_name_it_has(path):
    lines = "\n".join(code(path)).splitlines()
    slow = ("import tensorflow", "import keras", "from tensorflow", "from keras")
    first = next(i for i, line in enumerate(lines) if line.strip().startswith("import tfgen"))
    assert not [line for line in lines[:first] if line.strip().startswith(slow)]
    installing = [line for line in lines if "pip install" in line]
    assert all("tfgen-ebm" in line for line in installing)


@every_notebook
def test_a_notebook_holds_no_output(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
@every_notebook
def test_a_notebook_runs_against_the_installed_wheel(path, installed, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("TFGEN_NOTEBOOK_EPOCHS", "1")
    monkeypatch.setenv("TFGEN_NOTEBOOK_STEPS", "50")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    words = ("-m", "ipykernel", "install", "--prefix", tmp_path, "--name", "wheel")
    installed.run("python", *words, cwd=tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    notebook = nbformat.read(path, as_version=4)
    where = "import tfgen; print(tfgen.__file__)"
    notebook.cells.append(nbformat.v4.new_code_cell(where))
    client = NotebookClient(
        notebook, timeout=600, kernel_name="wheel", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    (output,) = notebook.cells[-1].outputs
    assert str(installed.environment) in output.text
