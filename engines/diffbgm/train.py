"""What Diff-BGM learns on POP909: what a window was before noise. How it learns is in `engines.training.train`.

Times are uniform, as published. The published network learns the noise by squared error; ours learns the chance of every cell to
sound by cross entropy, since a place of 2,352 cells and 128 features can tell what is played there but not every number of the noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.diffbgm.conditions import SWITCH, as_beat
from engines.diffbgm.config import OURS, DiffBGMConfig
from engines.diffbgm.data import Corpus, Windows, build_corpus, paint_arrays
from engines.diffbgm.network import DiffBGM
from engines.diffbgm.outlines import outlines
from engines.diffbgm.pianoroll import BEATS
from engines.diffbgm.progressions import count
from engines.diffbgm.schedule import TIMES
from engines.files import folder
from engines.training.train import Pace, Report, Start, corpora, learn


@dataclass(frozen=True)
class TrainSettings(Pace):
    """How to train. ``batch`` windows a step; ``drop`` is the chance of each control to be left out, ``drop_all`` that of all of
    them."""

    steps: int = 12000
    rate: float = 1.2e-3
    save_every_s: float = 120.0
    batch: int = 16
    drop: float = 0.15
    drop_all: float = 0.12


PAPER_SETTINGS = TrainSettings(steps=180_000, batch=32, rate=5e-5, warmup=1, cooldown=1e-6, decay=0.0, clip=10.0, ema=0.9999)
"""The published recipe: Adam at a constant rate, 100 epochs of some 1,800 steps; only the averaged weights are ours."""


@dataclass(frozen=True)
class Batch:
    """Rolls (windows, layers, steps, pitches) as the network sees them, their noise, times and tokens."""

    clean: Tensor
    noise: Tensor
    times: Tensor
    tokens: Tensor


def scaled(roll: np.ndarray, config: DiffBGMConfig) -> np.ndarray:
    """A roll of 0..1 as the network sees it: ours around zero, the published as it is."""
    return roll if config.predicts == "noise" else 2 * roll - 1


def _batch(rolls: list[np.ndarray], tokens: list[np.ndarray], rng: np.random.Generator, config: DiffBGMConfig) -> Batch:
    clean = scaled(np.stack(rolls), config).astype(np.float32)
    times = rng.integers(0, TIMES, len(rolls))
    noise = rng.standard_normal(clean.shape, np.float32)
    heard = np.stack(tokens)
    heard = np.where((times > SWITCH)[:, None, None], heard, as_beat(heard))
    if config.condition != heard.shape[2]:  # the published network, without films to hear: unconditioned
        heard = np.full((len(rolls), BEATS, config.condition), -1, np.float32)
    return Batch(torch.from_numpy(clean), torch.from_numpy(noise), torch.from_numpy(times), torch.from_numpy(heard))


def batch_at(windows: Windows, step: int, settings: TrainSettings, config: DiffBGMConfig) -> Batch:
    """The batch of a step."""
    rng = np.random.default_rng([settings.seed, step])
    drawn = [windows.draw(rng) for _ in range(settings.batch)]
    return _batch([d[0] for d in drawn], [d[1] for d in drawn], rng, config)


def losses(network: DiffBGM, batch: Batch) -> Tensor:
    """The loss of each window (batch,): squared error of the noise, or nats of all cells, a sixteenth."""
    raw = network.raw(network.noised(batch.clean, batch.times, batch.noise), batch.times, batch.tokens).float()
    if network.config.predicts == "noise":
        return functional.mse_loss(raw, batch.noise, reduction="none").mean((1, 2, 3))
    wanted = (batch.clean + 1) / 2
    return functional.binary_cross_entropy_with_logits(raw, wanted, reduction="none").sum((1, 3)).mean(1)


@torch.no_grad()
def validate(network: DiffBGM, windows: Windows, count: int = 128) -> dict[str, float]:
    """The mean loss of the same windows, noises and times each time, half of them told everything; in all, and by thirds of the
    noise: ``fine``, ``middle``, ``coarse``."""
    network.eval()
    found: list[float] = []
    times: list[int] = []
    chosen = np.linspace(0, len(windows) - 1, count).astype(int)
    for k in range(0, count, 16):
        rng = np.random.default_rng([5, k])
        notes = [windows.notes(int(w)) for w in chosen[k : k + 16]]
        told = [windows.told(int(w), n) for w, n in zip(chosen[k : k + 16], notes, strict=True)]
        heard = [t if row % 2 else windows.dropped(t, rng) for row, t in enumerate(told)]
        batch = _batch([paint_arrays(n, windows.layout) for n in notes], heard, rng, network.config)
        found += losses(network, batch).tolist()
        times += batch.times.tolist()
    all_losses, third = np.array(found), np.array(times) * 3 // TIMES
    out = {"loss": float(all_losses.mean())}
    names = ("fine", "middle", "coarse")
    return out | {name: float(all_losses[third == k].mean()) for k, name in enumerate(names) if (third == k).any()}


@dataclass(frozen=True)
class Rolls:
    """The subject: songs to learn from, songs that are never learned, how often which chord follows which, and outlines of bars."""

    config: DiffBGMConfig
    settings: TrainSettings
    training: Windows
    held_out: Windows
    progressions: Tensor
    outlines: Tensor
    engine: str = "diffbgm"
    measure: str = "loss"

    @classmethod
    def of(cls, training: Corpus, held_out: Corpus, config: DiffBGMConfig, settings: TrainSettings) -> Rolls:
        """What is in these corpora, as a network of that size hears it."""
        learned, kept = (Windows(corpus, config.roll, settings.drop, settings.drop_all) for corpus in (training, held_out))
        return cls(config, settings, learned, kept, torch.from_numpy(count(training)), torch.from_numpy(outlines(learned)))

    def network(self) -> DiffBGM:
        """A network that has learned nothing."""
        return DiffBGM(self.config)

    def loss(self, network: DiffBGM, step: int) -> Tensor:
        """See `losses`."""
        device = next(network.parameters()).device
        batch = batch_at(self.training, step, self.settings, self.config)
        return losses(network, Batch(*(getattr(batch, name).to(device) for name in Batch.__dataclass_fields__))).mean()

    def validate(self, network: DiffBGM) -> dict[str, float]:
        """See `validate`."""
        return validate(network, self.held_out)

    def remembered(self) -> dict[str, object]:
        """How chords follow one another and what bars are like, for the sampler's host."""
        return {"progressions": self.progressions, "outlines": self.outlines}


def train(
    data: Path,
    out: Path,
    config: DiffBGMConfig = OURS,
    settings: TrainSettings = TrainSettings(),
    report: Report = lambda row: None,
    cancelled: Callable[[], bool] = lambda: False,
    hours: float = math.inf,
    start: Start[DiffBGM] | None = None,
) -> Path:
    """Trains on POP909 in ``data``; see `engines.training.train.learn`."""
    subject = Rolls.of(*corpora(Corpus, build_corpus, data, folder(out)), config, settings)
    return learn(subject, out, settings, report, cancelled, hours, start)
