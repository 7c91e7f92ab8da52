"""Fits the two small networks of ``engines/picture/joins_fit.json`` to edits of our own making; run by hand, needs the train extra.

``python tests/benchmarks/fit_joins.py``: edits 5000 to 5089, none of which the benchmark scores. Half an hour on two cores.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import edits
import numpy as np
import torch

from engines.picture import joins
from engines.picture.joins_fit import TABLE, glance_inputs, look_inputs
from engines.picture.reel import Reel
from engines.picture.thumbnails import stretches

SEEDS = range(5000, 5090)
MEDIA = Path(__file__).resolve().parents[2].parent / "shared" / "media"
RISE = -0.2  # joins whose change is far below its neighbours' are no cuts, and not worth the dear measures


def measured() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cheap measures, dear measures (NaN where not taken) and truth of every candidate join of the edits."""
    cheap, dear, truth = [], [], []
    with TemporaryDirectory() as folder:
        for seed, edit in edits.edits(SEEDS, MEDIA):
            reel = Reel.open(edits.write(Path(folder) / f"{seed}.mp4", edit.frames))
            cuts = {t.frame for t in edit.truth if t.kind == "cut"}
            for stretch in stretches(reel, None, None):
                vectors, light = stretch.vectors, joins.even_light(stretch)
                change = joins._change(vectors, 1)
                frames = joins.candidates(change)
                first = joins.glance(vectors, light, stretch.spread, change, frames)
                real = np.array([int(f) in cuts for f in frames])
                keep = real | (np.log(first[:, 0] + 1) - np.log(first[:, 2] + 1) > RISE)
                second = np.full((len(frames), 7), np.nan, np.float32)
                second[keep] = joins.look(vectors, light, stretch.luma, frames[keep])
                cheap.append(first)
                dear.append(second)
                truth.append(real)
    return np.concatenate(cheap), np.concatenate(dear), np.concatenate(truth)


def fitted(inputs: np.ndarray, truth: np.ndarray, hidden: int) -> dict[str, object]:
    """One hidden layer of tanh, logistic loss, AdamW; rounded as it is stored."""
    torch.manual_seed(0)
    mean, spread = inputs.mean(0), inputs.std(0) + 1e-6
    x, y = torch.tensor((inputs - mean) / spread, dtype=torch.float32), torch.tensor(truth, dtype=torch.float32)
    inner, outer = torch.nn.Linear(inputs.shape[1], hidden), torch.nn.Linear(hidden, 1)
    optimiser = torch.optim.AdamW([*inner.parameters(), *outer.parameters()], lr=0.02, weight_decay=0.01)
    for _ in range(400):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(outer(torch.tanh(inner(x)))[:, 0], y).backward()
        optimiser.step()
    tensors = {"w": inner.weight, "b": inner.bias, "v": outer.weight[0], "c": outer.bias[0]}
    arrays = {"mean": mean, "spread": spread} | {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    return {name: np.round(array.astype(float), 4).tolist() for name, array in arrays.items()}


if __name__ == "__main__":
    cheap, dear, truth = measured()
    taken = np.isfinite(dear[:, 0])
    both = np.concatenate((cheap, dear), axis=1)[taken]
    table = {"glance": fitted(glance_inputs(cheap), truth, 6), "look": fitted(look_inputs(both), truth[taken], 10)}
    TABLE.write_text(json.dumps(table))
