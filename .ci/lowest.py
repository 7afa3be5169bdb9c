"""Writes constraints-lowest.txt: the lowest versions that setup.cfg allows.

python .ci/lowest.py
"""

import configparser
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints-lowest.txt"
HEADER = "# The lowest versions that setup.cfg allows; written by .ci/lowest.py."


def constraints() -> str:
    """Returns the text of the constraints file: each requirement at its lower bound."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    requirements = config["options"]["install_requires"].split("\n")
    found = [re.match(r"([\w.-]+) >= ([\w.]+)", line) for line in requirements]
    pins = [f"{match[1]}=={match[2]}" for match in found if match]
    return "\n".join([HEADER, *pins]) + "\n"


if __name__ == "__main__":
    CONSTRAINTS.write_text(constraints())
