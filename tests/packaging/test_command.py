"""The command `tfgen`: what it starts, what it says, and what it says to a wrong word."""

import subprocess
import sys

import pytest

from tfgen.version import __version__
from trainers import cli, recipes
from trainers.run import commands


def said(capsys, *words: str) -> str:
    """What the command prints."""
    cli.main(words)
    return capsys.readouterr().out


def refusal(*words: str) -> str:
    """The one sentence that the command ends with."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert isinstance(stopped.value.code, str), "exit code 1 comes of a sentence"
    assert "\n" not in stopped.value.code
    return stopped.value.code


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_alone_and_for_help_it_lists_each_subcommand_in_a_line(capsys, words):
    text = said(capsys, *words)
    for name in cli.COMMANDS:
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {name} ")]
        assert len(line.split()) > 4, "says what it does"


@pytest.mark.parametrize(("word", "near"), [("trian", "train"), ("reports", "report")])
def test_a_wrong_subcommand_is_named_with_the_nearest(word, near):
    sentence = refusal(word)
    assert word in sentence
    assert f"did you mean {near}?" in sentence


def test_the_version_is_the_librarys(capsys):
    assert said(capsys, "--version") == f"{__version__}\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_subcommand_runs_the_main_of_its_module(monkeypatch, name):
    started = []
    monkeypatch.setattr(commands, "run", lambda *args: started.append(args))
    cli.main([name, "--flag=3"])
    ((main, define, doc, argv),) = started
    assert main.__module__ == define.__module__ or name == "train"
    assert main.__module__ == cli.COMMANDS[name]
    assert argv == [f"tfgen {name}", "--flag=3"]
    assert "python -m " + cli.COMMANDS[name] not in doc


def test_train_takes_a_recipe_by_its_name():
    module, arguments = cli.module_and_arguments("train", ["vae_digits_cpu", "--steps=3"])
    assert module == "trainers.main"
    assert arguments == ["--flagfile=vae_digits_cpu", "--steps=3"]
    assert cli.module_and_arguments("train", ["--steps=3"])[1] == ["--steps=3"]


def test_a_wrong_recipe_is_named_with_the_nearest(tmp_path):
    sentence = refusal("train", "divergence_triangle_digit_cpu", f"--workdir={tmp_path / 'w'}")
    assert sentence.startswith("error: --flagfile: ")
    assert "did you mean divergence_triangle_digits_cpu?" in sentence


def test_recipes_are_listed_with_what_they_train_their_time_and_whether_they_were_run(capsys):
    text = said(capsys, "recipes")
    for name in recipes.names():
        recipe = recipes.read(recipes.DIRECTORY / f"{name}.flags")
        _, _, entry = f"\n{text}".partition(f"\n{name}\n")
        assert entry.startswith(f"    {recipe.what}\n    Time: {recipe.notes['Time']}")
    assert "Run: not run yet." in text


def test_a_recipe_is_shown_with_its_note_and_flags(capsys):
    path = recipes.DIRECTORY / "vae_digits_cpu.flags"
    assert said(capsys, "recipes", "--show=vae_digits_cpu") == path.read_text()


@pytest.mark.parametrize(
    "name",
    ["vae_digits_cpu", "vae_digits_cpu.flags", "trainers/flagfiles/vae_digits_cpu.flags"],
)
def test_a_recipe_is_found_by_name_outside_of_a_clone(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert recipes.resolve(name) == str(recipes.DIRECTORY / "vae_digits_cpu.flags")


def test_a_file_of_the_users_comes_before_a_recipe_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vae_digits_cpu").write_text("--steps=3\n")
    assert recipes.resolve("vae_digits_cpu") == "vae_digits_cpu"


def test_the_list_of_subcommands_and_of_recipes_comes_without_tensorflow():
    """They are what a newcomer asks first, and come at once."""
    program = (
        "import sys; from trainers import cli; cli.main([]); cli.main(['recipes']); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE).returncode == 0
