"""The formulas against those of other libraries, on the same features, to a relative 1e-5.

`pip install .[peers]` installs these libraries.
"""

import numpy as np
import pytest
from scipy import special

from tfgen.evaluation.fid import frechet_distance
from tfgen.evaluation.inception_score import inception_score
from tfgen.evaluation.kid import kernel_distance
from tfgen.evaluation.precision_recall import precision_recall

pytestmark = pytest.mark.slow
sizes = pytest.mark.parametrize(("n", "m", "dim"), [(500, 400, 16), (300, 300, 128)])


def sets(n, m, dim):
    """Two overlapping sets of correlated, skewed, non-negative features, as of a ReLU net."""
    rng = np.random.default_rng(dim)
    mixing = rng.standard_normal((dim, dim)) / np.sqrt(dim)
    real, generated = rng.standard_normal((n, dim)), 0.2 + 1.1 * rng.standard_normal((m, dim))
    return np.maximum(real @ mixing, 0), np.maximum(generated @ mixing, 0)


def updated(metric, real, generated):
    """A metric of torchmetrics that has seen both sets, in float64."""
    import torch

    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(generated), real=False)
    return metric


@sizes
def test_the_frechet_distance_is_that_of_torchmetrics(n, m, dim):
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    real, generated = sets(n, m, dim)
    as_they_are = torch.nn.Identity()
    as_they_are.num_features = dim
    theirs = updated(FrechetInceptionDistance(as_they_are), real, generated).compute()
    assert frechet_distance(real, generated) == pytest.approx(float(theirs), rel=1e-5)


@sizes
def test_the_kernel_distance_is_that_of_torchmetrics(n, m, dim):
    """Of one subset that is the whole set: each library draws subsets in its own way."""
    import torch
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(n, m)
    real, generated = (x[:size] for x in sets(n, m, dim))
    peer = KernelInceptionDistance(torch.nn.Identity(), subsets=1, subset_size=size)
    theirs, _ = updated(peer, real, generated).compute()
    assert kernel_distance(real, generated, subset_size=size)[0] == pytest.approx(
        float(theirs), rel=1e-5
    )


@pytest.mark.parametrize("splits", [1, 5])
def test_the_inception_score_is_that_of_torchmetrics(splits):
    """It takes logits, and shuffles them first: so are ours, alike."""
    import torch
    from torchmetrics.image.inception import InceptionScore

    logits = 3 * np.random.default_rng(0).standard_normal((500, 10))
    peer = InceptionScore(torch.nn.Identity(), splits=splits)
    peer.update(torch.from_numpy(logits))
    torch.manual_seed(0)
    theirs, _ = peer.compute()
    torch.manual_seed(0)
    order = torch.randperm(500).numpy()
    ours = inception_score(special.softmax(logits[order], axis=1), splits).mean()
    assert ours == pytest.approx(float(theirs), rel=1e-5)


@sizes
@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_are_those_of_prdc(n, m, dim, k):
    from prdc import compute_prdc

    real, generated = sets(n, m, dim)
    theirs = compute_prdc(real, generated, k)
    ours = precision_recall(real, generated, k)
    assert ours == pytest.approx((theirs["precision"], theirs["recall"]), rel=1e-5)
    assert 0 < min(ours) <= max(ours) < 1
