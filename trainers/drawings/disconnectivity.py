"""The disconnectivity graph of an energy's landscape, as a picture and as a page.

Its leaves show the minima.
"""

import base64
import dataclasses
from typing import Any

import imageio.v3 as iio
import jinja2
import numpy as np
from matplotlib import colormaps, colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from tfgen.analysis.landscape import EnergyLandscape, graph, tree
from tfgen.data import preprocess
from tfgen.version import __version__
from trainers.drawings import pictures

MEMBERS = 24
"""Images of a basin that the page shows."""

LEAST_DEPTH = 1.0
"""Nats; what is shallower is no basin of its own."""

GREY = "#808080"


@dataclasses.dataclass(frozen=True)
class DisconnectivityGraph:
    """Basins as leaves of a tree, the deepest ones if they are many.

    Attributes:
        energy: of each leaf's minimum, [k], nats.
        image: the minima, [k, h, w, c].
        member: the leaf of each image that descended, [n]; -1 of those whose basin is not drawn.
        start: these images, [n, h, w, c].
        label: of them, [n], or None.
        depth: nats that a leaf's basin lies below its first way out, [k].
        graph: the tree's lines.
        basins: how many there are, drawn or not.
    """

    energy: np.ndarray
    image: np.ndarray
    member: np.ndarray
    start: np.ndarray
    label: np.ndarray | None
    depth: np.ndarray
    graph: graph.Graph
    basins: int

    @classmethod
    def of(
        cls, found: EnergyLandscape, start: np.ndarray, label: np.ndarray | None, leaves: int
    ) -> "DisconnectivityGraph":
        """Returns the graph of a landscape's deepest basins.

        Args:
            found: the landscape.
            start: the images that descended, [n, h, w, c].
            label: of them, [n], or None.
            leaves: basins drawn, at most.
        """
        energy = found.minima.energy
        every = tree.basins(energy, found.nodes, LEAST_DEPTH)
        # as many as may be drawn: the depth of the first that is not
        deepest_first = np.sort(every.depth)[::-1]
        limit = deepest_first[leaves] if len(every.depth) > leaves else LEAST_DEPTH
        drawn = tree.basins(energy, found.nodes, np.nextafter(max(limit, LEAST_DEPTH), np.inf))
        nodes = tree.simplified(energy, found.nodes, drawn)
        return cls(
            energy=energy[drawn.deepest],
            image=found.minima.image[drawn.deepest],
            member=drawn.number[found.minima.member],
            start=start,
            label=label,
            depth=drawn.depth,
            graph=graph.layout(energy[drawn.deepest], nodes),
            basins=len(every.depth),
        )

    def classes(self, leaf: int) -> dict[int, int]:
        """Returns how many images of each class descend to a leaf, the most frequent first."""
        if self.label is None:
            return {}
        count = np.bincount(self.label[self.member == leaf])
        order = np.argsort(-count, kind="stable")
        return {int(number): int(count[number]) for number in order if count[number]}

    def colour(self, leaf: int) -> str:
        """Returns the colour of a leaf's most frequent class, or grey."""
        classes = self.classes(leaf)
        if not classes:
            return GREY
        return colors.to_hex(colormaps["tab10"](next(iter(classes)) % 10))

    def picture(self) -> np.ndarray:
        """Draws the graph with the minima below its leaves, uint8 [h, w, 3]."""
        leaves = len(self.energy)
        figure = Figure(figsize=(max(6.0, 0.36 * leaves + 1), 6), layout="constrained")
        axes = figure.subplots()
        self._draw_lines(axes)
        for leaf, image in enumerate(preprocess.to_uint8(self.image)):
            self._draw_minimum(axes, leaf, image)
        low, top = self._range()
        span = max(top - low, 1.0)
        axes.set(ylim=(low - 0.14 * span, top + 0.04 * span), xticks=[], ylabel="energy (nats)")
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_title(self.caption, fontsize=10)
        return pictures.rendered(figure)

    def _draw_lines(self, axes: Axes) -> None:
        for number, (place, low, high) in enumerate(self.graph.upright):
            # a line above each leaf comes first, then one above each node
            colour = self.colour(number) if number < len(self.energy) else GREY
            (line,) = axes.plot([place, place], [low, high], color=colour, linewidth=1.5)
            line.set_solid_capstyle("butt")
        for first, last, height in self.graph.level:
            axes.plot([first, last], [height, height], color=GREY, linewidth=1.0)

    def _draw_minimum(self, axes: Axes, leaf: int, image: np.ndarray) -> None:
        """Draws a leaf's minimum, and below it how many images descend there."""
        width = image.shape[1]
        greys = colors.Normalize(0, 255)
        shown = OffsetImage(image.squeeze(), zoom=20 / width, cmap="gray", norm=greys)
        place = (self.graph.place[leaf], self.energy[leaf])
        beside: dict[str, Any] = {"boxcoords": "offset points", "frameon": False}
        axes.add_artist(AnnotationBbox(shown, place, xybox=(0, -13), **beside))
        size = str(np.count_nonzero(self.member == leaf))
        text: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 7}
        axes.annotate(size, place, (0, -32), **text)

    @property
    def caption(self) -> str:
        """What is drawn, in a sentence without its period."""
        few = len(self.energy) < self.basins
        shown = f"{self.basins} basins"
        if few:
            shown = f"The {len(self.energy)} deepest of {self.basins} basins"
        said = f"{shown} that {len(self.start)} images descend to; numbers: images of a basin"
        if few:
            said += ", and of shallower ones that open into it"
        if self.label is not None:
            said += "; colours: its most frequent class"
        return said

    def page(self, title: str) -> str:
        """Returns a page on which a leaf that is pointed at shows its minimum and its images."""
        loader = jinja2.PackageLoader("trainers")
        template = jinja2.Environment(loader=loader, autoescape=True).get_template("landscape.html")
        low, top = self._range()
        return template.render(
            title=title,
            version=__version__,
            drawing=self,
            leaves=[self._leaf(leaf) for leaf in range(len(self.energy))],
            low=low,
            top=top,
        )

    def _range(self) -> tuple[float, float]:
        """Returns the least and the greatest energy drawn."""
        energies = np.concatenate([self.energy, self.graph.level[:, 2]])
        return float(energies.min()), float(energies.max())

    def _leaf(self, leaf: int) -> dict:
        """Returns what the page says of a leaf."""
        members = self.start[self.member == leaf]
        depth = float(self.depth[leaf])
        columns = min(len(members), 8)
        return {
            "place": int(self.graph.place[leaf]),
            "energy": float(self.energy[leaf]),
            "depth": depth if np.isfinite(depth) else None,
            "way_out": float(self.graph.upright[leaf, 2]) if len(self.energy) > 1 else None,
            "size": len(members),
            "classes": self.classes(leaf),
            "colour": self.colour(leaf),
            "minimum": _address(pictures.grid(self.image[leaf : leaf + 1])),
            "members": _address(pictures.grid(members[:MEMBERS], columns=columns)),
        }


def _address(picture: np.ndarray) -> str:
    """Returns a picture as an address that holds its content."""
    grey = picture.shape[-1] == 1
    content = iio.imwrite("<bytes>", picture[..., 0] if grey else picture, extension=".png")
    return "data:image/png;base64," + base64.b64encode(content).decode()
