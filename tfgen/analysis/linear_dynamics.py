"""The linear dynamic system of a film, the classic model of dynamic textures.

A frame is y_t = mean + C x_t, and its state moves as x_{t+1} = A x_t + B v_t with white noise v_t.

Source: Doretto, Chiuso, Wu and Soatto, Dynamic textures, 2003, section 3.1 (the closed form).
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class LinearDynamicSystem:
    """A fitted system.

    Attributes:
        mean: the mean frame, [d].
        frames: C, [d, states], with orthonormal columns.
        transition: A, [states, states].
        noise: B, [states, states], a square root of the covariance of what A leaves over.
        starts: states of the film, [m, states], one of which a new film starts from.
        frame_shape: of a frame.
    """

    mean: np.ndarray
    frames: np.ndarray
    transition: np.ndarray
    noise: np.ndarray
    starts: np.ndarray
    frame_shape: tuple[int, ...]

    def sample(self, count: int, length: int, seed: int) -> np.ndarray:
        """Draws new clips.

        Args:
            count: number of clips.
            length: frames of each.
            seed: of the noise and of the starts.

        Returns:
            [count, length, h, w, c], clipped to [-1, 1].
        """
        rng = np.random.default_rng(seed)
        x = self.starts[rng.integers(len(self.starts), size=count)]
        states = []
        for _ in range(length):
            x = x @ self.transition.T + rng.standard_normal(x.shape) @ self.noise.T
            states.append(x)
        y = self.mean + np.stack(states, axis=1) @ self.frames.T
        return np.clip(y, -1, 1).reshape(count, length, *self.frame_shape).astype(np.float32)


def fitted(clips: np.ndarray, states: int) -> LinearDynamicSystem:
    """Fits a system to clips by singular value decomposition and least squares.

    Args:
        clips: [n, t, h, w, c].
        states: numbers in a state; at most as many as there are frames.
    """
    count, length, *frame_shape = clips.shape
    y = clips.reshape(count * length, -1).astype(np.float64)
    mean = y.mean(axis=0)
    _, _, rows = np.linalg.svd(y - mean, full_matrices=False)
    basis = rows[:states].T
    x = ((y - mean) @ basis).reshape(count, length, -1)
    before, after = (part.reshape(-1, part.shape[-1]) for part in (x[:, :-1], x[:, 1:]))
    transition = np.linalg.lstsq(before, after, rcond=None)[0].T
    left = after - before @ transition.T
    values, vectors = np.linalg.eigh(left.T @ left / len(left))
    noise = vectors * np.sqrt(np.maximum(values, 0))
    return LinearDynamicSystem(mean, basis, transition, noise, before, tuple(frame_shape))
