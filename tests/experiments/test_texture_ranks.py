"""The experiment that asks which texture distance orders spoilt pictures as people do."""

import numpy as np

from experiments import texture_ranks


def test_pairs_are_those_whose_order_nobody_disputes():
    kept = np.random.default_rng(0).uniform(-1, 1, (32, 32, 1))
    pictures = list(texture_ranks.spoilt(kept, np.random.default_rng(1)))
    assert len(pictures) == 1 + 2 * 4 + 3
    pairs = texture_ranks.ordered(pictures)
    # the untouched one before 11, each mild one before its strong one and before 3 others
    assert len(pairs) == 11 + 4 * (1 + 3)
    assert all(pictures[better].rank < pictures[worse].rank for better, worse in pairs)


def test_shuffled_pictures_hold_the_same_pixels():
    kept = np.random.default_rng(0).uniform(-1, 1, (16, 24, 3))
    shuffled = texture_ranks._shuffled(kept, np.random.default_rng(0))
    assert shuffled.shape == kept.shape
    np.testing.assert_array_equal(np.sort(shuffled, axis=None), np.sort(kept, axis=None))
    assert np.any(shuffled != kept)


def test_agreement_counts_pairs_by_each_distance(monkeypatch):
    """A distance that is the deviation from the kept half orders grain rightly."""
    by_pixels = {"pixels": lambda reference, image: float(np.std(image))}
    monkeypatch.setattr(texture_ranks, "DISTANCES", by_pixels)
    picture = np.zeros((32, 64, 1))
    agreed = texture_ranks.agreements(picture)["pixels"]
    # on a flat picture blur, contrast and shuffling change nothing, so no strict order holds
    pictures = list(texture_ranks.spoilt(picture[:, 32:], np.random.default_rng(0)))
    for found, (better, worse) in zip(agreed, texture_ranks.ordered(pictures), strict=True):
        if {pictures[better].kind, pictures[worse].kind} <= {"untouched", "grain", "lattice"}:
            assert found
