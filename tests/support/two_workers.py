"""Starts the workers of a training as processes of this machine, which may be killed."""

import json
import os
import pathlib
import time

from support import command_line
from trainers.run import launcher

PATIENCE = 240
"""Seconds that a training may take."""


def train(workdir: pathlib.Path, *args: str, count: int = 2, traps: dict | None = None) -> list:
    """Trains in several processes, and returns their exit codes.

    When one fails, the others are killed, as the launcher does.

    Args:
        workdir: of the run; each process writes its output to `FILE.log-N` beside it.
        args: flags.
        count: of the processes.
        traps: by the process's number; see `command_line.spawned`.
    """
    ports = launcher.free_ports(count)
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    processes = []
    for index in range(count):
        config = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        words = (*args, f"--workdir={workdir}")
        log = workdir.with_name(f"{workdir.name}.log-{index}")
        trap = (traps or {}).get(index)
        process = command_line.FORKS.Process(target=_main, args=(config, words, str(log), trap))
        process.start()
        processes.append(process)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        codes = [process.exitcode for process in processes]
        if any(codes) or None not in codes:
            break
        time.sleep(0.05)
    for process in processes:
        process.join(1 if any(codes) else 10)
        process.kill()
        process.join()
    return [process.exitcode for process in processes]


def logs(workdir: pathlib.Path) -> str:
    """Returns what the processes of the last training printed."""
    found = sorted(workdir.parent.glob(f"{workdir.name}.log-*"))
    return "\n".join(f"{place.name}:\n{place.read_text()}" for place in found)


def _main(config: dict, words: tuple[str, ...], log: str, trap: tuple | None) -> None:
    os.environ["TF_CONFIG"] = json.dumps(config)
    traps = [trap] if trap else []
    command_line.run_here("trainers.main", words, log, traps, largest_file=0, eager=False)
