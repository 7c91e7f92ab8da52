"""What BM-Transformer learns on POP909: the next word of a song. How it learns is in `engines.training.train`.

The loss is the negative log-likelihood of a word: the fields that its type carries, summed; fields that the host computes (relative
time, and tempo, which the map holds) are not learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.bmt.data import Corpus, Windows, build_corpus
from engines.bmt.network import OURS, BMTConfig, BMTransformer
from engines.files import folder
from engines.training.train import Pace, Report, Start, corpora, learn

COMPUTED = ("time", "tempo", "emotion", "key")
NOTE_FIELDS = ("pitch", "duration", "velocity")


@dataclass(frozen=True)
class TrainSettings(Pace):
    """How to train. ``words`` is the number of words a step, ``drop`` the chance of each control to be left out."""

    rate: float = 8e-4
    warmup: int = 300
    words: int = 4096
    drop: float = 0.25


def word_losses(
    network: BMTransformer, heard: Tensor, meant: Tensor, recalled: Tensor | None = None
) -> dict[str, tuple[Tensor, int]]:
    """Summed negative log-likelihood and count by field, of predicting each word of ``meant`` from what came before.

    ``heard`` and ``meant``: (batch, time, fields) int64, padded with EOS after the first EOS (type 0 with every field 0);
    ``recalled`` as in `BMTransformer.hear`.
    """
    column = network.vocabulary.column
    known = None if recalled is None else recalled[:, :-1]
    features = network.hear(heard[:, :-1], known)
    target = meant[:, 1:]
    kinds = target[..., column["type"]]
    # the first EOS is learned, the padding after it is not
    real = functional.pad(meant[:, 1:-1, column["type"]], (1, 0), value=1) > 0
    given = network.given_type(features, kinds)
    types = network.type_logits(features, known)[real]
    losses = {"type": (functional.cross_entropy(types, kinds[real], reduction="sum"), int(real.sum()))}
    for name in network.head_order:
        wanted = target[..., column[name]]
        rows = (wanted > 0) & real
        count = int(rows.sum())
        if name not in COMPUTED and count:
            logits = network.field_logits(given[rows], name, None if known is None else known[rows], kinds[rows])
            losses[name] = functional.cross_entropy(logits.float(), wanted[rows], reduction="sum"), count
    return losses


def _stack(windows: list[np.ndarray]) -> Tensor:
    longest = max(len(w) for w in windows)
    out = np.zeros((len(windows), longest, *windows[0].shape[1:]), np.int64)
    for row, window in enumerate(windows):
        out[row, : len(window)] = window
    return torch.from_numpy(out)


LENGTHS = (320, 512, 768, 1024)
"""Words a window: from 7 to 23 bars, so that both a scene and a whole cue have been seen."""


def batch_at(windows: Windows, step: int, settings: TrainSettings) -> tuple[Tensor, Tensor, Tensor]:
    """The batch of a step: windows of one length, so that little is padded."""
    rng = np.random.default_rng([settings.seed, step])
    length = int(rng.choice(LENGTHS))
    drawn = [windows.draw(rng, length) for _ in range(max(1, settings.words // length))]
    heard, meant, recalled = (_stack(list(arrays)) for arrays in zip(*drawn, strict=True))
    return heard, meant, recalled


def validation_batches(windows: Windows, count: int = 64, bars: int = 16) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The same windows each time, spread over the songs; half of them with all controls, half with some left out. Nothing is recalled from
    before a window, and no likeness is told."""
    starts = np.linspace(0, len(windows.corpus.song) - bars, count).astype(int)
    rng = np.random.default_rng(5)
    for k in range(0, count, 8):
        words = [windows.window(int(bar), bars)[0] for bar in starts[k : k + 8]]
        heard = [windows.heard(w) if row % 2 else windows.dropped(w, rng) for row, w in enumerate(words)]
        yield _stack(heard), _stack(words), _stack([windows.recalled(w) for w in words])


@torch.no_grad()
def validate(network: BMTransformer, windows: Windows) -> dict[str, float]:
    """Mean negative log-likelihood (nats) a word, by field, and of a note (its pitch, duration and velocity together)."""
    network.eval()
    totals: dict[str, list[float]] = {}
    for heard, meant, recalled in validation_batches(windows):
        for name, (loss, count) in word_losses(network, heard, meant, recalled).items():
            entry = totals.setdefault(name, [0.0, 0])
            entry[0] += float(loss)
            entry[1] += count
    out = {name: loss / count for name, (loss, count) in totals.items()}
    out["word"] = sum(loss for loss, _ in totals.values()) / totals["type"][1]
    out["note"] = sum(out[name] for name in NOTE_FIELDS)
    return out


@dataclass(frozen=True)
class Words:
    """The subject: songs to learn from, and songs that are never learned."""

    config: BMTConfig
    settings: TrainSettings
    training: Windows
    held_out: Windows
    engine: str = "bmt"
    measure: str = "word"

    @classmethod
    def of(cls, training: Corpus, held_out: Corpus, config: BMTConfig, settings: TrainSettings) -> Words:
        """What is in these corpora, as a network of that size hears it."""
        learned, kept = (Windows(corpus, settings.drop, config.carry, config.recalls) for corpus in (training, held_out))
        return cls(config, settings, learned, kept)

    def network(self) -> BMTransformer:
        """A network that has learned nothing."""
        return BMTransformer(self.config)

    def loss(self, network: BMTransformer, step: int) -> Tensor:
        """Nats a word."""
        device = next(network.parameters()).device
        heard, meant, recalled = (batch.to(device) for batch in batch_at(self.training, step, self.settings))
        losses = word_losses(network, heard, meant, recalled)
        return torch.stack([value for value, _ in losses.values()]).sum() / losses["type"][1]

    def validate(self, network: BMTransformer) -> dict[str, float]:
        """See `validate`."""
        return validate(network, self.held_out)

    def remembered(self) -> dict[str, object]:
        """Nothing beside the network."""
        return {}


def train(
    data: Path,
    out: Path,
    config: BMTConfig = OURS,
    settings: TrainSettings = TrainSettings(),
    report: Report = lambda row: None,
    cancelled: Callable[[], bool] = lambda: False,
    hours: float = math.inf,
    start: Start[BMTransformer] | None = None,
) -> Path:
    """Trains on POP909 in ``data``; see `engines.training.train.learn`."""
    subject = Words.of(*corpora(Corpus, build_corpus, data, folder(out)), config, settings)
    return learn(subject, out, settings, report, cancelled, hours, start)
