"""The base of trainings in PyTorch: batches, random draws, learning rates, entries."""

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets


class Training(abc.ABC):
    """A training from a workload, an update at a time.

    Args:
        work: holds the nets, constants, images, and what the first update draws.

    Attributes:
        known: the algorithm's constants, by the names of its hyperparameters and flags.
        draws: random numbers.
        data: batches of images; the first is the file's.
        updates: how many were made.
    """

    def __init__(self, work: workload.Workload):
        torch.manual_seed(work.constants["seed"])
        self.known, self.updates = work.constants, 0
        self.draws = Draws({name: array for name, array in work.arrays.items() if name != "images"})
        images = torch_nets.channels_first(work.arrays["images"])
        self.data = batches(images, self.known["batch_size"], self.known["patch_size"])
        self.schedulers: list[torch.optim.lr_scheduler.LRScheduler] = []
        self.logs: Mapping[str, torch.Tensor] = {}

    @abc.abstractmethod
    def update(self) -> Mapping[str, torch.Tensor]:
        """Makes one update, and returns what it logs."""

    @abc.abstractmethod
    def samples(self) -> torch.Tensor:
        """Returns images as evaluation would ask for them, [b, c, h, w]."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to learn."""
        return False

    def batch(self) -> torch.Tensor:
        """Returns the next images, [b, c, h, w]."""
        return self.draws.given("batch", lambda: next(self.data))

    def optimizer(self, role: str, parameters) -> torch.optim.Optimizer:
        """Returns the optimizer of a role, whose rate changes as its flags say."""
        given = self.known["optimizers"][role]
        rate = given["learning_rate"]
        made: torch.optim.Optimizer
        if given["optimizer"] == "sgd":
            made = torch.optim.SGD(parameters, rate, given["momentum"])
        else:
            betas = (given["beta_1"], given["beta_2"])
            made = torch.optim.Adam(parameters, rate, betas, weight_decay=given["l2"])
        total = self.known["steps"]
        start = given["constant_fraction"] * total

        def factor(step):
            decayed = given["decay"] ** (step // given["decay_steps"])
            if start >= total:
                return decayed
            return decayed * max(min((total - step) / (total - start), 1.0), 0.0)

        # a scheduler counts updates, as tfgen's rates do
        self.schedulers.append(torch.optim.lr_scheduler.LambdaLR(made, factor))
        return made

    def train(self, updates: int) -> None:
        """Trains up to so many updates in all, or to the algorithm's own end."""
        while self.updates < updates and not self.finished:
            self.logs = self.update()
            for scheduler in self.schedulers:
                scheduler.step()
            self.updates += 1


class Draws:
    """Random numbers that a file gives at first, and that are drawn once it has no more.

    Args:
        known: by name, a row for each time that they are asked for; images [..., h, w, c].
    """

    def __init__(self, known: Mapping[str, np.ndarray]):
        self._known = {name: list(rows) for name, rows in known.items()}

    def known(self, name: str) -> torch.Tensor:
        """Returns the file's next numbers, of which there must be some."""
        row = self._known[name].pop(0)
        return torch_nets.channels_first(row) if row.ndim == 4 else torch.tensor(row)

    def given(self, name: str, new: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Returns the file's next numbers, or else what `new` draws."""
        return self.known(name) if self._known.get(name) else new()

    def normal(self, name: str, like: torch.Tensor) -> torch.Tensor:
        """Returns standard normal numbers of a tensor's shape."""
        return self.given(name, lambda: torch.randn_like(like))


def batches(
    images: torch.Tensor, batch_size: int, patch_size: int | None
) -> Iterator[torch.Tensor]:
    """Yields batches; every image comes once an epoch, in a new order.

    Args:
        images: [n, c, h, w].
        batch_size: images of a batch.
        patch_size: side of the patch that is cut of each; None leaves images whole.
    """
    order = torch.empty(0, dtype=torch.long)
    while True:
        # a batch may span two epochs
        while len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(images))])
        chosen, order = images[order[:batch_size]], order[batch_size:]
        yield chosen if patch_size is None else patches(chosen, patch_size)


def patches(images: torch.Tensor, size: int) -> torch.Tensor:
    """Cuts a square of each image [b, c, h, w], anywhere in it."""
    cut = []
    for image in images:
        top, left = (int(torch.randint(side - size + 1, ())) for side in image.shape[1:])
        cut.append(image[:, top : top + size, left : left + size])
    return torch.stack(cut)


def without_margin(images: torch.Tensor, margin: int) -> torch.Tensor:
    """Returns images [b, c, h, w] without the pixels within `margin` of their border."""
    height, width = images.shape[2:]
    return images[:, :, margin : height - margin, margin : width - margin]


def entered(training: Callable[..., Training], words: Sequence[str]) -> contender.Entry:
    """Returns the entry of a training.

    A run trains to the next milestone. The answer is samples, and the logs of the last update.

    Args:
        training: makes it, given a workload and options.
        words: a workload's file and options.
    """
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    trained, milestones = training(work, options), iter(work.constants["milestones"])

    def answer() -> dict[str, Any]:
        logs = {f"log/{name}": value.item() for name, value in trained.logs.items()}
        return logs | {"image": torch_nets.channels_last(trained.samples())}

    return contender.Entry(torch.__version__, answer, lambda: trained.train(next(milestones)))
