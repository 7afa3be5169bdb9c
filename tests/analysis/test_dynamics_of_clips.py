"""Statistics of clips, and the linear dynamic system, on films whose answers are known."""

import numpy as np
import pytest

from tfgen.analysis import dynamics, linear_dynamics


def waves(frequency, length=16, size=8, count=4, amplitude=0.5):
    """A pattern that moves sideways: each pixel swings at one frequency, cycles a frame."""
    phase = np.linspace(0, 1, count, endpoint=False)[:, None, None, None, None]
    t = np.arange(length)[:, None, None, None]
    x = np.arange(size)[:, None] / size
    film = amplitude * np.sin(2 * np.pi * (frequency * t + x + phase))
    return np.broadcast_to(film, (count, length, size, size, 1)).astype(np.float32)


def between(found, wanted):
    return dynamics.distances(dynamics.statistics(found), dynamics.statistics(wanted))


def test_alike_clips_are_at_no_distance():
    found = between(waves(0.1), waves(0.1))
    assert found.pop("motion") == pytest.approx(1)
    assert max(found.values()) == 0


def test_motion_is_the_mean_square_of_differences():
    # sin(a + d) - sin(a) = 2 sin(d / 2) cos(a + d / 2), whose mean square is 2 sin²(d / 2)
    expected = 0.5**2 * 2 * np.sin(np.pi * 0.125) ** 2
    assert dynamics.statistics(waves(0.125)).motion == pytest.approx(expected, rel=1e-5)


def test_frozen_clips_have_no_motion_and_shuffled_ones_more():
    clips, rng = waves(0.05), np.random.default_rng(0)
    frozen = np.repeat(clips[:, :1], 16, axis=1)
    shuffled = clips[:, rng.permutation(16)]
    assert between(frozen, clips)["motion"] == 0
    assert between(shuffled, clips)["motion"] > 5
    assert between(shuffled, clips)["temporal"] > 1
    # each frame looks as it did
    assert between(shuffled, clips)["spatial"] == pytest.approx(0, abs=1e-6)
    assert between(shuffled, clips)["spread"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("cycles", [2, 4, 6])
def test_the_spectrum_in_time_peaks_at_the_frequency_of_motion(cycles):
    spectrum = dynamics.statistics(waves(cycles / 16, length=17)).temporal
    assert len(spectrum) == 8
    assert np.argmax(spectrum) == cycles - 1


def test_blurred_frames_lack_fine_detail():
    rng = np.random.default_rng(0)
    clips = rng.uniform(-1, 1, (2, 4, 32, 32, 3))
    blurred = (clips + np.roll(clips, 1, 2) + np.roll(clips, 1, 3) + np.roll(clips, 2, 3)) / 4
    spectra = [dynamics.statistics(found).spatial for found in (clips, blurred)]
    assert spectra[1][-1] < 0.5 * spectra[0][-1]
    assert between(blurred, clips)["spatial"] > 0.3


def test_copies_are_not_new():
    clips = waves(0.1)
    assert dynamics.novelty(clips[:2], clips) == 0
    assert dynamics.novelty(clips + 0.25, clips) == pytest.approx(0.25, rel=1e-5)


# --- the linear dynamic system


def test_a_rotation_is_found_and_goes_on():
    """A film that swings at one frequency, without noise, is predicted exactly."""
    clips = waves(0.1, length=20)
    system = linear_dynamics.fitted(clips, states=2)
    angles = np.abs(np.angle(np.linalg.eigvals(system.transition)))
    np.testing.assert_allclose(angles, 2 * np.pi * 0.1, rtol=1e-4)
    np.testing.assert_allclose(system.noise, 0, atol=1e-4)
    made = system.sample(3, 12, seed=0)
    assert made.shape == (3, 12, 8, 8, 1)
    found = dynamics.distances(dynamics.statistics(made), dynamics.statistics(clips[:, :12]))
    assert found["motion"] == pytest.approx(1, rel=0.15)


def test_a_drawn_system_is_recovered():
    """Transition and noise of an autoregression, within 5 standard errors: 1 in 10^6 fails."""
    rng = np.random.default_rng(0)
    a, sigma, length = 0.8, 0.05, 4000
    x = np.zeros(length)
    for t in range(1, length):
        x[t] = a * x[t - 1] + sigma * rng.standard_normal()
    system = linear_dynamics.fitted(x.reshape(1, length, 1, 1, 1), states=1)
    assert abs(system.transition[0, 0] - a) < 5 * np.sqrt((1 - a**2) / length)
    assert abs(abs(system.noise[0, 0]) / sigma - 1) < 5 / np.sqrt(2 * length)


def test_equal_seeds_draw_equal_films():
    system = linear_dynamics.fitted(waves(0.1), states=2)
    np.testing.assert_array_equal(system.sample(2, 5, seed=1), system.sample(2, 5, seed=1))
