"""The likelihood of held-out images under a generator, from below."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np
import tensorflow as tf

from tfgen import losses, random
from tfgen.analysis.levels import bits_per_dim
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.errors import AtLeastOne, Range, UserError
from tfgen.evaluation.base import HIGHER, LOWER, NEITHER, Evaluator
from tfgen.evaluation.likelihood import levels_of
from tfgen.models import reparameterized

BATCH = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportanceBound(Evaluator):
    """log p(x) of held-out images under z ~ N(0, 1), x ~ N(g(z), sigma²), by importance sampling.

    Latents are drawn from q(z|x); a weight is p(z) p(x|z) / q(z|x).

    Yields:
        `nats`: the mean over images of the log of the mean weight, at most log p(x) in expectation.
        `elbo`: the mean log-weight.
        `bits_per_dim`: of `nats`, as if the density were the same all over a level of grey.
        `divergence`: of a model with an energy too. It is the triangle KL(Q‖P) + KL(P‖Π) - KL(Q‖Π)
            on the same images. The mean log-density of the energy (`likelihood`) less that of the
            generator is at most this.

    Args:
        num_images: held-out images, at most.
        samples: latents of each image.
        levels: that numbers of images were rounded to. None takes the data's own, which the
            protocol states.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, 2016; Divergence
        triangle, section on the gap between two models.
    """

    needs: ClassVar = frozenset({"decode", "encode"})
    better: ClassVar = {
        "nats": HIGHER,
        "elbo": HIGHER,
        "bits_per_dim": LOWER,
        "divergence": NEITHER,
    }
    counted: ClassVar = ("test",)

    num_images: Annotated[int, AtLeastOne] = 200
    samples: Annotated[int, AtLeastOne] = 500
    levels: Annotated[int | None, Range(least=2)] = None

    def check(self) -> None:
        super().check()
        if self.model.inference is None:
            raise UserError(
                "importance_bound: expected a model with an inference net and found one that "
                "infers latents by sampling"
            )
        if self.model.sigma is None:
            raise UserError(
                "importance_bound: expected a model with a sigma of p(x|z) and found one without"
            )

    def run(self) -> Iterator[tuple[str, float]]:
        image = self.images.test.shown(self.num_images)
        weight = self._log_weights(image)
        count = self.samples
        nats = float(np.mean(np.logaddexp.reduce(weight, axis=1) - math.log(count)))
        yield "nats", nats
        yield "elbo", float(weight.mean())
        yield "bits_per_dim", bits_per_dim(nats, image, levels_of(self))
        if "energy" in self.model.capabilities():
            yield "divergence", -float(weight.mean()) + self._adversarial(image)

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"levels": levels_of(self)}

    def _log_weights(self, image: np.ndarray) -> np.ndarray:
        """Computes log p(z) p(x|z) / q(z|x) of latents drawn from q, [n, samples]."""
        model, count = self.model, self.samples
        log_var_x = 2 * math.log(model.sigma)

        def weigh(x, index):
            # one seed for a minibatch, made of its first image's number
            q = model.inference(x, training=False)
            mean, log_var = (tf.repeat(part, count, axis=0) for part in q)
            z = reparameterized(mean, log_var, random.fold_in(random.root(self.seed), index[0]))
            log_x = losses.log_normal(tf.repeat(x, count, axis=0), model.decode(z), log_var_x)
            log_z = losses.log_normal(z, 0.0, 0.0) - losses.log_normal(z, mean, log_var)
            return (tf.reshape(log_x + log_z, [-1, count]),)

        index = np.arange(len(image), dtype=np.int32)
        # not compiled by XLA, which would draw other latents
        return MinibatchMap(BATCH).map("weights", weigh, image, index)[0].astype(float)

    def _adversarial(self, image: np.ndarray) -> float:
        """Computes KL(P‖Π) - KL(Q‖Π) less the data's entropy; log Z stands in both and cancels."""
        model, energy = self.model, self.model.target().energy
        log_var_x = 2 * math.log(model.sigma)
        z_seed, x_seed = random.split(random.fold_in(random.root(self.seed), -1))
        z = random.normal((len(image), *model.generator.latent_shape), z_seed)
        decoded = model.decode(z)
        x = decoded + model.sigma * random.normal(tf.shape(decoded), x_seed)
        log_p = losses.log_normal(z, 0.0, 0.0) + losses.log_normal(x, decoded, log_var_x)
        q = model.inference(x, training=False)
        log_pi = -energy(x) + losses.log_normal(z, *q)
        return float(tf.reduce_mean(log_p - log_pi) - tf.reduce_mean(energy(tf.constant(image))))
