"""Lists the packaged recipes: what each trains, how long it takes, whether it was run.

    tfgen recipes [--show=NAME]

`tfgen train NAME --workdir=DIR` trains one.
"""

import dataclasses
import difflib
import pathlib
import re

from absl import flags

from tfgen.errors import UserError

DIRECTORY = pathlib.Path(__file__).parent / "flagfiles"
IN_A_CLONE = pathlib.PurePath("trainers", "flagfiles")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A packaged flagfile with the lab note that stands in its header.

    Args:
        path: of the flagfile.
        what: the first sentence of the note, which says what is trained.
        notes: the note's other entries by their names: Paper, Command, Time, Run, Expect, ...
    """

    path: pathlib.Path
    what: str
    notes: dict[str, str]

    @property
    def name(self) -> str:
        """Its name for `tfgen train` and `--flagfile`."""
        return self.path.stem


def names() -> list[str]:
    """Returns the names of all packaged recipes."""
    return sorted(path.stem for path in DIRECTORY.glob("*.flags"))


def read(path: pathlib.Path) -> Recipe:
    """Reads the lab note of a flagfile: the comments before its first flag.

    Args:
        path: of the flagfile. Its first comment says what it trains; an entry of the note is
            `# NAME: TEXT`, and goes on in lines that are indented further.
    """
    header = path.read_text(encoding="utf-8").partition("\n--")[0]
    lines = [line.removeprefix("#").rstrip() for line in header.splitlines()]
    what, _, rest = "\n".join(lines).partition("\n\n")
    entries = re.split(r"^ (?=[A-Z][^:\n]*: )", rest, flags=re.MULTILINE)
    found = (entry.partition(": ") for entry in entries if entry)
    return Recipe(path, _one_line(what), {name.strip(): _one_line(text) for name, _, text in found})


def resolve(flagfile: str) -> str:
    """Returns the path of a flagfile: the user's file, or else the packaged recipe of that name.

    Args:
        flagfile: a path, or a recipe's name with or without `.flags`. Outside of a clone too,
            `trainers/flagfiles/NAME.flags` names a recipe.

    Raises:
        UserError: if there is neither.
    """
    given = pathlib.PurePath(flagfile)
    if pathlib.Path(flagfile).is_file():
        return flagfile
    packaged = DIRECTORY / f"{given.name.removesuffix('.flags')}.flags"
    if given.parent in (pathlib.PurePath(), IN_A_CLONE) and packaged.is_file():
        return str(packaged)
    raise UserError(
        f"--flagfile: expected a file or a packaged recipe and found no {flagfile}{_hint(given)}"
    )


def _hint(given: pathlib.PurePath) -> str:
    close = difflib.get_close_matches(given.name.removesuffix(".flags"), names(), n=1)
    return f"; did you mean {close[0]}?" if close else "; `tfgen recipes` lists them"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def define(values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    text = "Print this recipe: its lab note and its flags."
    flags.DEFINE_string("show", None, text, values, module_name="trainers.recipes")


def main(values: flags.FlagValues) -> None:
    """Prints the list, or one recipe."""
    if values.show is not None:
        print(pathlib.Path(resolve(values.show)).read_text(encoding="utf-8"), end="")
        return
    for name in names():
        recipe = read(DIRECTORY / f"{name}.flags")
        print(f"{name}\n    {recipe.what}")
        print(f"    Time: {recipe.notes['Time']} Run: {recipe.notes['Run']}")


if __name__ == "__main__":
    from trainers.run import commands

    commands.run(main, define, __doc__ or "")
