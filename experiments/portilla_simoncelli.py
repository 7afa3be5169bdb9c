"""Portilla and Simoncelli's texture model, by plenoptic, which the extra `peers` installs."""

import importlib.util
import pathlib

import numpy as np
from sklearn.decomposition import PCA

from tfgen import files


def samples(
    kept: pathlib.Path, picture: np.ndarray, *, count: int, synthesize: bool
) -> np.ndarray | None:
    """Returns samples of the model, or None if none were made and plenoptic is not installed.

    The model is of grey pictures. So the picture is taken apart into its principal colours, which
    are uncorrelated, and each is synthesized by itself.

    Args:
        kept: the .npz file where samples are kept.
        picture: float32 [1, h, w, c] in [-1, 1].
        count: how many to make.
        synthesize: whether to make samples if none are kept.

    Returns:
        float32 [count, h, w, c] in [-1, 1], or None.

    Source: Portilla and Simoncelli, A parametric texture model based on joint statistics, 2000.
    """
    if not kept.exists() and synthesize and importlib.util.find_spec("plenoptic"):
        made = [_synthesized(picture, seed) for seed in range(count)]
        with files.written_aside(kept) as aside, aside.open("wb") as file:
            np.savez(file, image=np.concatenate(made))
    return np.load(kept)["image"] if kept.exists() else None


def _synthesized(picture: np.ndarray, seed: int) -> np.ndarray:
    """Synthesizes a picture of the same statistics, [1, h, w, c]."""
    # imported here, as both are installed only for comparisons
    import torch

    pixels = picture.reshape(-1, picture.shape[-1])
    colours = PCA(picture.shape[-1]).fit(pixels)
    planes = colours.transform(pixels).T.reshape(-1, 1, 1, *picture.shape[1:3])
    torch.manual_seed(seed)
    made = [_synthesized_plane(plane) for plane in torch.tensor(planes, dtype=torch.float32)]
    pixels = colours.inverse_transform(np.stack(made, axis=1))
    return np.clip(pixels, -1, 1).reshape(picture.shape).astype(np.float32)


def _synthesized_plane(plane) -> np.ndarray:
    """Synthesizes one grey picture [1, 1, h, w]; returns its pixels, [h w]."""
    import plenoptic
    import torch

    low, high = plane.min(), plane.max()
    unit = (plane - low) / (high - low)
    model = plenoptic.models.PortillaSimoncelli(unit.shape[-2:]).to(torch.float32)
    metamer = plenoptic.MetamerCTF(unit, model, loss_function=plenoptic.loss.l2_norm)
    metamer.setup((torch.rand_like(unit) - 0.5) * 0.1 + unit.mean())
    metamer.synthesize(
        max_iter=300, stop_criterion=1e-9, change_scale_criterion=None, ctf_iters_to_check=7
    )
    return (metamer.metamer.detach() * (high - low) + low).numpy().ravel()
