"""A cascade of classifiers that generates by back-propagation into the image."""

import keras
import tensorflow as tf

from tfgen import random
from tfgen.models import inputs as declared
from tfgen.models import patch_energies
from tfgen.models.classifiers import Classifiers
from tfgen.models.endpoints import task
from tfgen.models.energy import without_margin
from tfgen.models.synthesis import Pace
from tfgen.samplers import Kernel, run, run_sequence
from tfgen.types import Energy, EnergyFn, Hole, Image, Mask, Seed


@keras.saving.register_keras_serializable("tfgen")
class CascadeModel(Classifiers):
    """Classifiers learned one after the other, and how images move across their boundaries.

    Args:
        discriminator: and all others, see `Classifiers`.

    Source: Introspective neural networks for generative modeling, sections 3 and 4.2.
    """

    def inputs(self) -> dict[str, declared.Input]:
        height, width, channels = self.canvas
        sides = (None, None) if self.any_size else (height, width)
        shown = (height - 2 * self.padding, width - 2 * self.padding)
        patch = self.image_shape[0]  # a patch fits into the canvas
        least = max(patch - 2 * self.padding, 1)
        shape = (*sides, channels)
        canvas = "canvas", "images with their border"
        content = "content", "pictures to stylize"
        found = [
            declared.image(self.image_shape),
            declared.mask(self.image_shape),
            declared.image(shape, *canvas, (height, width), patch),
            declared.image(shape, *content, (height, width), patch),
            declared.seed(),
            declared.count(),
            declared.size(shown, least),
            declared.tile(),
            declared.stage(self.snapshots.num_kept),
            declared.classifiers(self.snapshots.num_kept),
            declared.gamma(),
            declared.num_steps(self.style_steps),
        ]
        return {known.name: known for known in found}

    def inputs_of(self, task: str) -> dict[str, declared.Input]:
        known = self.inputs()
        if not self.any_size or task not in ("complete", "defects"):
            return known
        *sides, channels = self.canvas
        shown = (sides[0] - 2 * self.padding, sides[1] - 2 * self.padding)
        image = declared.image(
            (None, None, channels), example_sides=shown, least_side=self.image_shape[0]
        )
        mask = declared.mask((None, None, 1), example_sides=shown)
        return known | {"image": image, "mask": mask}

    def unable(self) -> set[str]:
        unable = set() if self.any_size else {"synthesize", "defects"}
        if not self.snapshots.num_kept:  # room alone is a net of zeros
            unable.add("advance")
        return unable if self.discriminator.has_features else unable | {"features"}

    @task("image")
    def generate(self, count: tf.Tensor, seed: Seed, classifiers: tf.Tensor | None = None) -> Image:
        """Synthesizes images of the size of training's, from noise through the classifiers.

        Args:
            count: how many.
            seed: int32 [2].
            classifiers: how many of the first ones; None takes all.
        """
        # the canvas includes the padding
        x = self._through((count, *self.canvas), seed, classifiers)
        return without_margin(x, self.padding)

    @task("image")
    def synthesize(
        self,
        count: tf.Tensor,
        seed: Seed,
        size: tf.Tensor,
        classifiers: tf.Tensor | None = None,
        tile: tf.Tensor | bool = False,
    ) -> Image:
        """Synthesizes images of any size, [count, size[0], size[1], c].

        Args:
            count: how many.
            seed: int32 [2].
            size: int32 [2], height and width in pixels.
            classifiers: see `generate`.
            tile: whether patches reach over the border to the other side, so that copies side by
                side have no seam.
        """
        # an image that wraps around has no border that fewer patches cover
        margin = tf.where(tile, 0, self.padding)
        height, width = (size[axis] + 2 * margin for axis in (0, 1))
        shape = (count, height, width, self.canvas[-1])
        x = self._through(shape, seed, classifiers, wrap=tile)
        return x[:, margin : height - margin, margin : width - margin]

    @task("image")
    def complete(
        self, image: Image, mask: Mask, seed: Seed, classifiers: tf.Tensor | None = None
    ) -> Image:
        """Synthesizes missing pixels through the classifiers; known ones stay as they are.

        Classifiers of patches see those that have a missing pixel.

        Args:
            image: [b, h, w, c], of any size that a patch fits into where the classifiers see
                patches; what stands at missing pixels does not matter.
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2].
            classifiers: see `generate`.
        """
        # beyond the border all is missing, so that as many patches cover the pixels at it
        margin = [[0, 0], [self.padding] * 2, [self.padding] * 2, [0, 0]]
        hole = Hole(tf.pad(mask * image, margin), tf.pad(mask, margin))
        x = self._through(tf.shape(hole.image), seed, classifiers, hole)
        return mask * image + (1 - mask) * without_margin(x, self.padding)

    @task("energy", "defects")
    def defects(self, image: Image) -> tuple[Energy, tf.Tensor]:
        """Computes the energy of pictures of any size, and its map: high where they are unusual.

        The energy is the mean of minus the sum of all log-odds over patches on a grid, in nats a
        patch. The map has at each pixel the mean of the patches that cover it, [b, h, w, 1].

        Args:
            image: [b, h, w, c], of any size that a patch fits into.

        Source: INNg, equation 15, without p_0.
        """
        return patch_energies.on_grid(self.energy_fn(), image, self.image_shape[0])

    @task("image")
    def advance(self, canvas: Image, stage: tf.Tensor, seed: Seed) -> Image:
        """Moves canvases across the boundary of one classifier of the cascade.

        Args:
            canvas: [b, h, w, c], border included.
            stage: number of the classifier, from 0.
            seed: int32 [2].
        """
        kernel, energy = self._across(stage, tf.shape(canvas), seed)
        return run(kernel, energy, canvas, seed, self.synthesis.num_steps)[0]

    @task("image")
    def stylize(
        self,
        content: Image,
        seed: Seed,
        num_steps: tf.Tensor | None = None,
        gamma: tf.Tensor | None = None,
    ) -> Image:
        """Draws pictures in the texture's style: likely to the cascade, and near to the content.

        Each patch descends gamma |x - content|_2 - (1 - gamma) ln p(x), with ln p the sum of all
        log-odds. The steps shrink over the way as those of a sample do through the cascade.

        Args:
            content: [b, h, w, c], of any size that the classifier's fits into.
            seed: int32 [2].
            num_steps: None takes the model's own number.
            gamma: weight of staying near, in [0, 1]; None takes 0.3.

        Source: INNg, section 4.2.
        """
        score, steps = self.energy_fn(), self.style_steps if num_steps is None else num_steps
        last = self.decay ** max(self.snapshots.num_kept - 1, 0) * self.fall
        pace = Pace(fall=last, num_steps=tf.maximum(steps, 1))
        kernel, energy = self.synthesis.near(lambda x: -score(x), content, gamma, pace)
        return run(kernel, energy, content, seed, steps)[0]

    def _across(
        self,
        stage: int | tf.Tensor,
        shape,
        seed: Seed,
        hole: Hole | None = None,
        wrap: tf.Tensor | bool = False,
    ) -> tuple[Kernel, EnergyFn]:
        return self.synthesis.across(
            self.classifier(stage),
            self.thresholds.value[stage],
            shape,
            pace=Pace(self.scale(stage), self.fall, self.fall_steps),
            per_example=random.several(seed),  # images with their own seeds stop on their own
            hole=hole,
            wrap=wrap,
        )

    def _through(
        self,
        shape,
        seed: Seed,
        classifiers: tf.Tensor | None,
        hole: Hole | None = None,
        wrap: tf.Tensor | bool = False,
    ) -> Image:
        """Synthesizes images through the first classifiers, border included."""
        start_seed, run_seed = random.split(seed)
        x = self.synthesis.start(shape, start_seed, wrap)
        # a shape that is a tensor leaves sides unknown, which convolutions must know
        sides = (None, None) if self.any_size else self.canvas[:2]
        x = tf.ensure_shape(x, (None, *sides, self.canvas[-1]))

        def stage(number):
            return self._across(number, tf.shape(x), seed, hole, wrap)

        through = self.snapshots.num_kept if classifiers is None else classifiers
        return run_sequence(stage, x, run_seed, through, self.synthesis.num_steps)[0]
