"""The picture and the page of an energy's landscape: a disconnectivity graph with images at its leaves."""

import base64
import dataclasses

import imageio.v3 as iio
import jinja2
import numpy as np
from matplotlib import colormaps, colors
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from tfgen.analysis.landscape import Landscape, graph, tree
from tfgen.data import preprocess
from tfgen.version import __version__
from trainers.drawings import pictures

MEMBERS = 24
"""Images shown of those that descend to a basin."""
GREY = "#808080"


@dataclasses.dataclass(frozen=True)
class Drawing:
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
        cls, found: Landscape, start: np.ndarray, label: np.ndarray | None, leaves: int
    ) -> "Drawing":
        """The drawing of a landscape: of its basins divided by 1 nat, those of most depth.

        Args:
            found: the landscape.
            start: the images that descended, [n, h, w, c].
            label: of them, or None.
            leaves: basins drawn, at most.
        """
        energy = found.minima.energy
        every = tree.basins(energy, found.nodes, 1.0)
        # as many as may be drawn: the depth of the first that is not
        limit = np.sort(every.depth)[::-1][leaves] if len(every.depth) > leaves else 1.0
        drawn = tree.basins(energy, found.nodes, np.nextafter(max(limit, 1.0), np.inf))
        lines = graph.drawn(energy[drawn.deepest], tree.simplified(energy, found.nodes, drawn))
        return cls(
            energy[drawn.deepest],
            found.minima.image[drawn.deepest],
            drawn.number[found.minima.member],
            start,
            None if label is None else label[: len(start)],
            drawn.depth,
            lines,
            len(every.depth),
        )

    def colour(self, leaf: int) -> str:
        """Of a leaf: its most frequent class's, or grey."""
        if self.label is None:
            return GREY
        most = int(np.bincount(self.label[self.member == leaf]).argmax())
        return colors.to_hex(colormaps["tab10"](most % 10))

    def classes(self, leaf: int) -> dict[int, int]:
        """How many images of each class descend to a leaf."""
        if self.label is None:
            return {}
        count = np.bincount(self.label[self.member == leaf])
        return {int(c): int(count[c]) for c in np.argsort(-count, kind="stable") if count[c]}

    def picture(self) -> np.ndarray:
        """As a picture, uint8 [h, w, 3]."""
        leaves = len(self.energy)
        figure = Figure(figsize=(max(6.0, 0.36 * leaves + 1), 6), layout="constrained")
        axes = figure.subplots()
        for number, (place, low, high) in enumerate(self.graph.upright):
            colour = self.colour(number) if number < leaves else GREY
            axes.plot(
                [place, place], [low, high], color=colour, linewidth=1.5, solid_capstyle="butt"
            )
        for first, last, height in self.graph.level:
            axes.plot([first, last], [height, height], color=GREY, linewidth=1.0)
        side = self.image.shape[2]
        for leaf, image in enumerate(preprocess.to_uint8(self.image)):
            shown = OffsetImage(
                image.squeeze(), zoom=20 / side, cmap="gray", norm=colors.Normalize(0, 255)
            )
            at = (self.graph.place[leaf], self.energy[leaf])
            axes.add_artist(
                AnnotationBbox(shown, at, xybox=(0, -13), boxcoords="offset points", frameon=False)
            )
            size = int((self.member == leaf).sum())
            axes.annotate(
                str(size), at, (0, -32), textcoords="offset points", ha="center", fontsize=7
            )
        low, top = self._range()
        span = max(top - low, 1.0)
        axes.set(ylim=(low - 0.14 * span, top + 0.04 * span), xticks=[], ylabel="energy (nats)")
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_title(self.caption, fontsize=10)
        return pictures.rendered(figure)

    @property
    def caption(self) -> str:
        """What is drawn."""
        few = len(self.energy) < self.basins
        shown = (
            f"The {len(self.energy)} deepest of {self.basins} basins"
            if few
            else f"{self.basins} basins"
        )
        said = f"{shown} that {len(self.start)} images descend to; numbers: images of a basin"
        said += ", and of shallower ones that open into it" if few else ""
        return said + ("; colours: its most frequent class" if self.label is not None else "")

    def page(self, title: str) -> str:
        """As a page: a leaf that is pointed at shows its minimum and its images."""
        loader = jinja2.PackageLoader("trainers")
        template = jinja2.Environment(loader=loader, autoescape=True).get_template("landscape.html")
        leaves = [self._leaf(i) for i in range(len(self.energy))]
        low, top = self._range()
        return template.render(
            title=title, version=__version__, drawing=self, leaves=leaves, low=low, top=top
        )

    def _range(self) -> tuple[float, float]:
        """The least and the greatest energy drawn."""
        energies = np.concatenate([self.energy, self.graph.level[:, 2]])
        return float(energies.min()), float(energies.max())

    def _leaf(self, leaf: int) -> dict:
        members = self.start[self.member == leaf]
        return {
            "place": int(self.graph.place[leaf]),
            "energy": float(self.energy[leaf]),
            "depth": float(self.depth[leaf]) if np.isfinite(self.depth[leaf]) else None,
            "way_out": float(self.graph.upright[leaf, 2]) if len(self.energy) > 1 else None,
            "size": len(members),
            "classes": self.classes(leaf),
            "colour": self.colour(leaf),
            "minimum": _png(pictures.grid(self.image[leaf : leaf + 1])),
            "members": _png(pictures.grid(members[:MEMBERS], columns=min(len(members), 8))),
        }


def _png(picture: np.ndarray) -> str:
    """A picture as an address that stands for it."""
    content = iio.imwrite(
        "<bytes>", picture.squeeze(-1) if picture.shape[-1] == 1 else picture, extension=".png"
    )
    return "data:image/png;base64," + base64.b64encode(content).decode()
