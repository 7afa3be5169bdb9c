"""The likelihood of held-out images under a generator, from below."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfgen import losses, random
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.evaluation.likelihood import bits_per_dim
from tfgen.models import Amortized, LatentTasks, reparameterized

BATCH = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportanceBound(Evaluator):
    """log p(x) of held-out images under z ~ N(0, 1), x ~ N(g(z), sigma²), by importance sampling from q(z|x).

    Yields `nats` (mean over images of the log of the mean of `samples` weights p(z) p(x|z) / q(z|x); at most log p(x)
    in expectation), `elbo` (the mean log-weight) and `bits_per_dim` of the first. Of a model with an energy also
    `divergence`: the triangle KL(Q‖P) + KL(P‖Π) - KL(Q‖Π) on the same images, which bounds the mean log-density of
    its energy (`likelihood`) less that of its generator from above.

    Args:
        num_images: held-out images, at most.
        samples: of latents, for each image.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, 2016; Divergence triangle, section on the
        gap between two models.
    """

    num_images: int = 200
    samples: int = 500

    def run(self) -> Iterator[tuple[str, float]]:
        tasks = getattr(self.algorithm, "tasks", None)
        if not (isinstance(tasks, LatentTasks) and isinstance(tasks.posterior, Amortized)):
            raise UserError(
                "--metrics: importance_bound expects a model with a generator and an inference net"
            )
        sigma = getattr(self.algorithm, "sigma", 0.0)
        if not sigma:
            raise UserError("--metrics: importance_bound expects a model with a sigma of p(x|z)")
        image = self.own("test", self.num_images)
        weight = self._log_weights(tasks, image, sigma)
        size, count = math.prod(self.images.shape), self.samples
        nats = float(np.mean(np.logaddexp.reduce(weight, axis=1) - math.log(count)))
        yield "nats", nats
        yield "elbo", float(weight.mean())
        yield "bits_per_dim", bits_per_dim(nats, size)
        if tasks.density is not None:
            yield "divergence", -float(weight.mean()) + self._adversarial(tasks, image, sigma)

    def _log_weights(self, tasks: LatentTasks, image: np.ndarray, sigma: float) -> np.ndarray:
        """log p(z) p(x|z) / q(z|x) of latents drawn from q, [n, samples]."""
        count = self.samples

        def weigh(x, index):
            mean, log_var = tasks.posterior.gaussian(x)
            mean, log_var = (tf.repeat(t, count, axis=0) for t in (mean, log_var))
            z = reparameterized(mean, log_var, random.fold_in(random.root(self.seed), index[0]))
            log_x = losses.log_normal(
                tf.repeat(x, count, axis=0), tasks.decode(z), 2 * math.log(sigma)
            )
            log_z = losses.log_normal(z, 0.0, 0.0) - losses.log_normal(z, mean, log_var)
            return (tf.reshape(log_x + log_z, [-1, count]),)

        index = np.arange(len(image), dtype=np.int32)
        return MinibatchMap(BATCH).map("weights", weigh, image, index)[0].astype(float)

    def _adversarial(self, tasks: LatentTasks, image: np.ndarray, sigma: float) -> float:
        """KL(P‖Π) - KL(Q‖Π) less the data's entropy; log Z stands in both and cancels."""
        z_seed, x_seed = random.split(random.fold_in(random.root(self.seed), -1))
        z = random.normal((len(image), *tasks.generator.latent_shape), z_seed)
        decoded = tasks.decode(z)
        x = decoded + sigma * random.normal(tf.shape(decoded), x_seed)
        log_p = losses.log_normal(z, 0.0, 0.0) + losses.log_normal(x, decoded, 2 * math.log(sigma))
        log_pi = -tasks.density(x) + losses.log_normal(z, *tasks.posterior.gaussian(x))
        return float(
            tf.reduce_mean(log_p - log_pi) - tf.reduce_mean(tasks.density(tf.constant(image)))
        )
