"""The project as a user gets it: built from a clean copy, and installed."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
from typing import NamedTuple

import pytest
from support import registry

LEFT_OUT = (
    *(".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info"),
    *("build", "dist", "runs", "node_modules"),
)
"""What a fresh clone does not hold."""


class Installed(NamedTuple):
    """An environment that holds the wheel, and the archives."""

    sdist: pathlib.Path
    wheel: pathlib.Path
    environment: pathlib.Path

    @property
    def python(self) -> pathlib.Path:
        """Its interpreter."""
        return self.environment / "bin" / "python"

    def run(self, *words: object, cwd: pathlib.Path, code: int = 0) -> str:
        """Runs a program of the environment, and returns what it printed, stderr last.

        Args:
            words: the program, a file of the environment's bin, and its arguments.
            cwd: where, outside of a clone.
            code: the exit code that is expected.
        """
        command = [str(self.environment / "bin" / str(words[0])), *map(str, words[1:])]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def installed(tmp_path_factory) -> Installed:
    """Builds the wheel from the sdist and installs it."""
    clone = tmp_path_factory.mktemp("clone") / "tfgen"
    shutil.copytree(registry.ROOT, clone, ignore=shutil.ignore_patterns(*LEFT_OUT))
    archives = tmp_path_factory.mktemp("archives")
    build = [sys.executable, "-m", "build", "--outdir", str(archives), str(clone)]
    subprocess.run(build, check=True, capture_output=True)
    (sdist,), (wheel,) = archives.glob("*.tar.gz"), archives.glob("*.whl")
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    found = Installed(sdist, wheel, environment)
    # the dependencies are those of the environment that runs the tests
    (site_packages,) = environment.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    found.run("pip", "install", "--quiet", "--no-deps", wheel, cwd=archives)
    return found
