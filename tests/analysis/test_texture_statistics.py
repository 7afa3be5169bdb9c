"""The texture distance: closed forms, invariances, and the order that people give to pictures."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

from tfgen.analysis import pyramid_patches
from tfgen.analysis import texture_statistics as ts
from tfgen.errors import UserError

GRAVEL = skimage.data.gravel()[:256, :256, None].astype(np.float32) / 127.5 - 1
LEFT, RIGHT = GRAVEL[:, :128], GRAVEL[:, 128:]


def distance(image, reference=LEFT):
    """Returns the distance of one image to a reference."""
    return ts.distances(reference[None], image[None].astype(np.float32), scales=3)["all"]


def test_a_picture_has_distance_zero_to_itself():
    groups = ts.distances(LEFT[None], LEFT[None], scales=3)
    assert set(groups.values()) == {0.0}
    assert set(groups) == {
        "all", "pixels", "spectrum", "repetition", "structure", "crossings", "edges",
    }  # fmt: skip


def test_copies_do_not_change_the_distance():
    twice = ts.distances(LEFT[None], np.stack([RIGHT, RIGHT]), scales=3)
    assert twice["all"] == pytest.approx(distance(RIGHT), rel=1e-9)


@pytest.mark.parametrize("texture", [skimage.data.grass, skimage.data.gravel])
def test_phase_noise_is_far_where_the_sliced_wasserstein_distance_takes_it_for_the_texture(texture):
    """Nobody takes noise of the same spectrum for blades or stones; a little grain is forgiven."""
    picture = texture()[:256, :256, None].astype(np.float32) / 127.5 - 1
    reference, kept = picture[:, :128], picture[:, 128:]
    rng = np.random.default_rng(0)
    phases = pyramid_patches.phase_randomised(kept, rng).astype(np.float32)
    options = {"levels": 3, "count": 4096, "projections": 64, "seed": 0}

    def by_patches(image):
        return np.mean(pyramid_patches.sliced_wasserstein(reference[None], image[None], **options))

    assert by_patches(phases) < 1.3 * by_patches(kept)
    assert distance(phases, reference) > 2.5 * distance(kept, reference)
    noise = rng.normal(kept.mean(), kept.std(), kept.shape)
    assert distance(noise, reference) > 1.5 * distance(phases, reference)


def test_the_distance_grows_as_a_picture_is_spoilt_more():
    rng = np.random.default_rng(0)
    grain = rng.normal(size=RIGHT.shape)
    spoilings = {
        "grain": [RIGHT + share * grain for share in (0, 0.05, 0.1, 0.2)],
        "blur": [ndimage.gaussian_filter(RIGHT, (size, size, 0)) for size in (0, 1, 2, 3)],
        "contrast": [(1 - share) * RIGHT + share * RIGHT.mean() for share in (0, 0.2, 0.4, 0.8)],
    }
    for images in spoilings.values():
        found = [distance(image) for image in images]
        assert found == sorted(found)
        assert found[-1] > 3 * found[0]


def test_octaves_of_a_wave_respond_at_its_frequency_and_orientation():
    """A wave of a quarter of a cycle per pixel along the rows: octave 1, orientation 0."""
    wave = np.cos(np.pi / 2 * np.arange(64))[None, :, None] * np.ones((64, 1, 1))
    power = np.stack([np.square(octave.magnitude).mean((1, 2, 3)) for octave in ts.bands(wave, 3)])
    assert np.unravel_index(power.argmax(), power.shape) == (1, 0)
    # the magnitude of an analytic response does not oscillate; the border is mirrored
    inside = ts.bands(wave, 3)[1].magnitude[0, 16:-16, 16:-16]
    assert inside.std() < 0.05 * inside.mean()


def test_a_turned_picture_has_its_spectrum_at_the_turned_orientation():
    waves = np.cos(np.pi / 2 * np.arange(64))[None, :, None] * np.ones((64, 1, 1))
    turned = np.swapaxes(waves, 0, 1)
    upright, lying = (ts.bands(image, 2)[1].magnitude.mean((1, 2, 3)) for image in (waves, turned))
    # orientations are 45 degrees apart: a quarter turn moves them by two
    np.testing.assert_allclose(np.roll(upright, 2), lying, rtol=0.05, atol=1e-3)


def test_statistics_are_the_same_in_other_colours():
    """Principal axes: a rotation of the colours changes nothing but the axes' signs."""
    rng = np.random.default_rng(1)
    plane = ndimage.gaussian_filter(rng.normal(size=(96, 96, 3)), (1, 1, 0)) * [3, 2, 1]
    other = np.roll(plane, 31, axis=0)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    before = ts.distances(plane[None], other[None], scales=2)["all"]
    after = ts.distances((plane @ rotation)[None], (other @ rotation)[None], scales=2)["all"]
    assert after == pytest.approx(before, rel=0.02)


def test_grain_of_white_noise_is_its_variance_less_what_the_blur_keeps():
    """A Gaussian of deviation 1 keeps sum(w²)² of the variance, and shares its centre with it.

    The mean over 3 x 256² values has a relative deviation near 0.4 %; 2 % is five of them.
    """
    noise = 0.3 * np.random.default_rng(0).normal(size=(1, 256, 256, 3))
    weights = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    weights /= weights.sum()
    centre, power = weights[4] ** 2, np.square(weights).sum() ** 2
    assert ts.grain(noise) == pytest.approx(0.09 * (1 - 2 * centre + power), rel=0.02)
    assert ts.grain_ratio(noise, 2 * noise) == pytest.approx(4, rel=1e-5)


def test_chroma_sees_colour_and_neither_brightness_nor_grain():
    half = np.ones((1, 64, 64, 3))
    half[:, :, :32] = -1
    assert ts.chroma(half) == pytest.approx(0, abs=1e-12)  # black and white
    coloured = half * [1, 0, -1]
    # a step of ±1 in two of three channels, softened at the edge alone
    assert ts.chroma(coloured) == pytest.approx(np.sqrt(2 / 3), rel=0.1)
    noise = np.random.default_rng(0).normal(0, 0.3, half.shape)
    assert ts.chroma(noise) < 0.1 * noise.std()


def test_pictures_too_small_for_the_octaves_are_refused():
    with pytest.raises(UserError, match="at least 64 pixels and found 60"):
        ts.distances(LEFT[None], LEFT[None, :60, :60], scales=4)
