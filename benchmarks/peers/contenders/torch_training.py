"""What trainings in PyTorch share: batches, draws that a file may give, rates that change, and how they are asked."""

import abc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets


class Training(abc.ABC):
    """A training from a workload, an update at a time.

    Attributes:
        known: the algorithm's constants, by the names of its hyperparameters and flags.
        draws: normal numbers.
        data: batches of images; the first is the file's.
        updates: how many were made.
    """

    def __init__(self, work: workload.Workload):
        torch.manual_seed(work.constants["seed"])
        self.known, self.updates = work.constants, 0
        self.draws = Draws({name: array for name, array in work.arrays.items() if name != "images"})
        images = torch_nets.channels_first(work.arrays["images"])
        self.data = batches(images, self.known["batch_size"], self.known["patch_size"])
        self.schedulers = []

    @abc.abstractmethod
    def update(self) -> Mapping[str, torch.Tensor]:
        """One update; what it logs."""

    @abc.abstractmethod
    def samples(self) -> torch.Tensor:
        """Images as evaluation would ask for them, [b, c, h, w]."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to learn."""
        return False

    def batch(self) -> torch.Tensor:
        """The next images, [b, c, h, w]."""
        return self.draws.given("batch", lambda: next(self.data))

    def optimizer(self, role: str, parameters) -> torch.optim.Optimizer:
        """A role's, whose rate changes as its flags say."""
        of = self.known["optimizers"][role]
        if of["optimizer"] == "sgd":
            made = torch.optim.SGD(parameters, of["learning_rate"], of["momentum"])
        else:
            betas = (of["beta_1"], of["beta_2"])
            made = torch.optim.Adam(parameters, of["learning_rate"], betas, weight_decay=of["l2"])
        total, start = self.known["steps"], of["constant_fraction"] * self.known["steps"]

        def factor(step):
            fall = min((total - step) / (total - start), 1.0) if start < total else 1.0
            return of["decay"] ** (step // of["decay_steps"]) * max(fall, 0.0)

        self.schedulers.append(torch.optim.lr_scheduler.LambdaLR(made, factor))
        return made

    def train(self, updates: int) -> None:
        """Up to so many updates in all, or to the end."""
        while self.updates < updates and not self.finished:
            self.logs = self.update()
            for scheduler in self.schedulers:
                scheduler.step()
            self.updates += 1


class Draws:
    """Numbers that a file gives for the first times that they are asked for, then new ones.

    Args:
        known: by name, a row for each time; images [..., h, w, c].
    """

    def __init__(self, known: Mapping[str, np.ndarray]):
        self._known = {name: list(rows) for name, rows in known.items()}

    def given(self, name: str, new) -> torch.Tensor:
        """The file's, as long as there are any, else new()."""
        rows = self._known.get(name)
        if not rows:
            return new()
        row = rows.pop(0)
        return torch_nets.channels_first(row) if row.ndim == 4 else torch.tensor(row)

    def normal(self, name: str, like: torch.Tensor) -> torch.Tensor:
        """Standard normal numbers of a tensor's shape."""
        return self.given(name, lambda: torch.randn_like(like))


def batches(
    images: torch.Tensor, batch_size: int, patch_size: int | None
) -> Iterator[torch.Tensor]:
    """Images [b, c, h, w], or a patch of each; every image comes once an epoch, in a new order."""
    order = torch.empty(0, dtype=torch.long)
    while True:
        while len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(images))])
        chosen, order = images[order[:batch_size]], order[batch_size:]
        yield chosen if patch_size is None else patches(chosen, patch_size)


def patches(images: torch.Tensor, size: int) -> torch.Tensor:
    """A square of each, anywhere in it."""
    corners = [
        [int(torch.randint(side - size + 1, ())) for side in images.shape[2:]] for _ in images
    ]
    cut = [
        x[:, top : top + size, left : left + size]
        for x, (top, left) in zip(images, corners, strict=True)
    ]
    return torch.stack(cut)


def entered(training: type[Training], words: Sequence[str]) -> contender.Entry:
    """A training that a run takes on to the next milestone; its answer is samples, and logs of the last update."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    trained, milestones = training(work, options), iter(work.constants["milestones"])

    def answer() -> dict[str, Any]:
        logs = {f"log/{name}": value.item() for name, value in trained.logs.items()}
        return logs | {"image": torch_nets.channels_last(trained.samples())}

    return contender.Entry(torch.__version__, answer, lambda: trained.train(next(milestones)))
