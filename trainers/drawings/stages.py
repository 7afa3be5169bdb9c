"""A sample of a cascade that grows from noise, classifier by classifier."""

import numpy as np

from tfgen import random
from tfgen.models import without_margin
from trainers.drawings import pictures
from trainers.drawings.request import SEVERAL, Request, ask
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws the sample after none, some and all of the cascade's classifiers."""
    advance, model = ask(trained, request, "advance"), trained.model
    kept = model.snapshots.num_kept
    start_seed, run_seed = random.split(random.root(request.seed))
    grown = [model.synthesis.start((1, *model.canvas), start_seed).numpy()]
    for stage in range(kept):
        seed = random.fold_in(run_seed, stage)
        grown.append(advance(canvas=grown[-1], stage=stage, seed=seed)["image"])
    number = min(request.count or SEVERAL, kept + 1)
    shown = np.unique(np.linspace(0, kept, number).round().astype(int))
    images = np.concatenate([grown[stage] for stage in shown])
    return pictures.grid(without_margin(images, model.padding), columns=-(-len(shown) // 2))
