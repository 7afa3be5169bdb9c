"""The wheel, installed outside of a clone: recipes, training, samples and exports by `tfgen`."""

import configparser
import tarfile
import zipfile

import pytest
from support import registry

from tfgen.version import __version__

pytestmark = pytest.mark.slow

QUICK = ("--steps=4", "--log_every=2", "--save_every=4", "--sample_every=4")


def test_the_sdist_holds_what_a_developer_needs(installed):
    with tarfile.open(installed.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for wanted in (
        *("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "Makefile", "MANIFEST.in"),
        *(".importlinter", "constraints-lowest.txt", ".ci/run", "docs/results.md"),
        *("benchmarks/results.md", "colab/generative_convnet.ipynb", "export/web/package.json"),
        "trainers/flagfiles/vae_digits_cpu.flags",
    ):
        assert wanted in names
    tests = {str(p.relative_to(registry.ROOT)) for p in (registry.ROOT / "tests").rglob("*.py")}
    assert tests <= names


def test_the_wheel_holds_the_packages_their_data_and_nothing_else(installed):
    with zipfile.ZipFile(installed.wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"tfgen", "trainers", "export", f"tfgen_ebm-{__version__}.dist-info"}
    for package in ("tfgen", "trainers", "export"):
        for path in (registry.ROOT / package).rglob("*"):
            if (
                path.suffix in (".py", ".flags", ".html", ".md")
                and "node_modules" not in path.parts
            ):
                assert str(path.relative_to(registry.ROOT)) in names


def test_the_metadata_is_that_of_the_declaration(installed):
    config = configparser.ConfigParser()
    config.read(registry.ROOT / "setup.cfg")
    with zipfile.ZipFile(installed.wheel) as archive:
        text = archive.read(f"tfgen_ebm-{__version__}.dist-info/METADATA").decode()
    assert "Name: tfgen-ebm" in text
    assert "License: MIT" in text
    assert f"Author: {config['metadata']['author']}" in text
    for line in config["options"]["install_requires"].split():
        assert line[0] in "<>=,0123456789" or f"Requires-Dist: {line}" in text


def test_a_recipe_is_trained_sampled_and_exported_outside_of_a_clone(installed, tmp_path):
    said = installed.run("tfgen", "recipes", cwd=tmp_path)
    assert "divergence_triangle_digits_cpu" in said
    name = "divergence_triangle_digits_cpu"
    installed.run("tfgen", "train", name, "--workdir=w", *QUICK, cwd=tmp_path)
    installed.run(
        *("tfgen", "sample", "--workdir=w", "--task=generate", "--count=4", "--output=g.png"),
        cwd=tmp_path,
    )
    assert (tmp_path / "g.png").stat().st_size > 0
    installed.run(
        *("tfgen", "export", "--workdir=w", "--formats=saved_model", "--nomeasure"),
        *("--output=out",),
        cwd=tmp_path,
    )
    assert list((tmp_path / "out").rglob("saved_model.pb"))
    installed.run("tfgen", "report", "--workdirs=w", "--output=report.html", cwd=tmp_path)
    assert name.rpartition("_digits")[0] in (tmp_path / "report.html").read_text()


def test_python_finds_the_installed_package_and_its_commands(installed, tmp_path):
    program = "import tfgen, trainers, export; print(tfgen.__file__, trainers.__file__)"
    said = installed.run("python", "-c", program, cwd=tmp_path)
    assert said.count(str(installed.environment)) >= 2
    assert "--algorithm" in installed.run("python", "-m", "trainers.main", "--help", cwd=tmp_path)


def test_the_page_says_what_it_lacks_and_how_to_get_it(installed, tmp_path):
    said = installed.run("tfgen", "page", "--workdir=w", cwd=tmp_path, code=1)
    sentence = said.splitlines()[-1]
    for words in ("error: ", "LiteRT.js", "npm ci --prefix", str(installed.environment)):
        assert words in sentence
