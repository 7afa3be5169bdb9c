"""Starts the command of `export.web`."""

from export import web
from trainers.run import commands

if __name__ == "__main__":
    commands.run(web.main, web.define, web.__doc__)
