"""Training of BM-Transformer on POP909: resumable at any moment, and the same whether it was interrupted or not.

Every batch and every dropout mask comes from (seed, step) alone, so a checkpoint needs no random state. The loss is the negative
log-likelihood of a word: the fields that its type carries, summed; fields that the host computes (relative time, and tempo, which
the map holds) are not learned.
"""

from __future__ import annotations

import io
import json
import math
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.bmt.data import Corpus, Windows, build_corpus
from engines.bmt.network import OURS, BMTConfig, BMTransformer
from engines.errors import ModelError
from engines.files import folder, write

COMPUTED = ("time", "tempo", "emotion", "key")
NOTE_FIELDS = ("pitch", "duration", "velocity")


@dataclass(frozen=True)
class TrainSettings:
    """How to train. ``words`` is the number of words a step, ``cooldown`` the share of the steps over which the rate falls to 0."""

    steps: int = 6000
    words: int = 4096
    rate: float = 8e-4
    warmup: int = 300
    cooldown: float = 0.3
    decay: float = 0.01
    clip: float = 1.0
    drop: float = 0.25
    ema: float = 0.998
    seed: int = 909
    validate_every: int = 500
    save_every_s: float = 180.0


def rate_at(step: int, settings: TrainSettings) -> float:
    """Learning rate: a linear warm-up, a plateau, a linear fall to 0."""
    left = (settings.steps - step) / (settings.cooldown * settings.steps)
    return settings.rate * min(1.0, (step + 1) / settings.warmup, max(0.0, left))


def word_losses(network: BMTransformer, heard: Tensor, meant: Tensor) -> dict[str, tuple[Tensor, int]]:
    """Summed negative log-likelihood and count by field, of predicting each word of ``meant`` from what came before.

    ``heard`` and ``meant``: (batch, time, fields) int64, padded with EOS after the first EOS (type 0 with every field 0).
    """
    column = network.vocabulary.column
    features = network.hear(heard[:, :-1])
    target = meant[:, 1:]
    kinds = target[..., column["type"]]
    # the first EOS is learned, the padding after it is not
    real = functional.pad(meant[:, 1:-1, column["type"]], (1, 0), value=1) > 0
    given = network.given_type(features, kinds)
    losses = {
        "type": (functional.cross_entropy(network.type_logits(features)[real], kinds[real], reduction="sum"), int(real.sum()))
    }
    for name in network.head_order:
        wanted = target[..., column[name]]
        rows = (wanted > 0) & real
        count = int(rows.sum())
        if name not in COMPUTED and count:
            logits = network.field_logits(given[rows], name)
            losses[name] = functional.cross_entropy(logits.float(), wanted[rows], reduction="sum"), count
    return losses


def _stack(windows: list[np.ndarray]) -> Tensor:
    longest = max(len(w) for w in windows)
    out = np.zeros((len(windows), longest, windows[0].shape[1]), np.int64)
    for row, window in enumerate(windows):
        out[row, : len(window)] = window
    return torch.from_numpy(out)


LENGTHS = (320, 512, 768, 1024)
"""Words a window: from 7 to 23 bars, so that both a scene and a whole cue have been seen."""


def batch_at(windows: Windows, step: int, settings: TrainSettings) -> tuple[Tensor, Tensor]:
    """The batch of a step: windows of one length, so that little is padded."""
    rng = np.random.default_rng([settings.seed, step])
    length = int(rng.choice(LENGTHS))
    pairs = [windows.draw(rng, length) for _ in range(max(1, settings.words // length))]
    return _stack([p[0] for p in pairs]), _stack([p[1] for p in pairs])


def validation_batches(corpus: Corpus, windows: Windows, count: int = 64, bars: int = 16) -> Iterator[tuple[Tensor, Tensor]]:
    """The same windows each time, spread over the songs; half of them with controls, half without any."""
    starts = np.linspace(0, len(corpus.song) - bars, count).astype(int)
    rng = np.random.default_rng(5)
    for k in range(0, count, 8):
        words = [windows.window(int(bar), bars)[0] for bar in starts[k : k + 8]]
        heard = [windows.heard(w) if row % 2 else windows.dropped(w, rng) for row, w in enumerate(words)]
        yield _stack(heard), _stack(words)


@torch.no_grad()
def validate(network: BMTransformer, corpus: Corpus, windows: Windows) -> dict[str, float]:
    """Mean negative log-likelihood (nats) a word, by field, and of a note (its pitch, duration and velocity together)."""
    network.eval()
    totals: dict[str, list[float]] = {}
    for heard, meant in validation_batches(corpus, windows):
        for name, (loss, count) in word_losses(network, heard, meant).items():
            entry = totals.setdefault(name, [0.0, 0])
            entry[0] += float(loss)
            entry[1] += count
    out = {name: loss / count for name, (loss, count) in totals.items()}
    out["word"] = sum(loss for loss, _ in totals.values()) / totals["type"][1]
    out["note"] = sum(out[name] for name in NOTE_FIELDS)
    return out


@dataclass
class Run:
    """The state of a training run; `save` and `load` keep all of it."""

    network: BMTransformer
    average: BMTransformer
    optimiser: torch.optim.Optimizer
    step: int = 0
    hours: float = 0.0
    best: float = math.inf

    @classmethod
    def new(cls, config: BMTConfig, settings: TrainSettings) -> Run:
        """A run before its first step."""
        torch.manual_seed(settings.seed)
        network, average = BMTransformer(config), BMTransformer(config)
        average.load_state_dict(network.state_dict())
        matrices = [p for p in network.parameters() if p.ndim > 1]
        rest = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": settings.decay}, {"params": rest, "weight_decay": 0.0}]
        return cls(network, average, torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98)))

    def save(self, path: Path) -> None:
        """Writes the whole run, or leaves the older ``path`` as it was. Raises OutputError."""
        content = io.BytesIO()
        torch.save(
            {
                "config": self.network.config.as_dict(),
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "hours": self.hours,
                "best": self.best,
            },
            content,
        )
        write(path, content.getvalue())

    @classmethod
    def load(cls, path: Path, settings: TrainSettings) -> Run:
        """The run of a checkpoint; ModelError where it is not one."""
        state = load_checkpoint(path)
        run = cls.new(BMTConfig(**state["config"]), settings)  # type: ignore[arg-type]
        run.network.load_state_dict(state["network"])  # type: ignore[arg-type]
        run.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        run.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
        run.step, run.hours, run.best = int(state["step"]), float(state["hours"]), float(state["best"])  # type: ignore[call-overload,arg-type]
        return run


def load_checkpoint(path: Path) -> dict[str, object]:
    """A checkpoint of `Run.save`, without running any code in it; ModelError where it is not one."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(
            "is not a checkpoint of this trainer", where=path, cure="train again, or remove it to start anew"
        ) from error
    if not isinstance(state, dict) or not {"config", "network", "average", "step"} <= state.keys():
        raise ModelError("is not a checkpoint of this trainer", where=path, cure="train again, or remove it to start anew")
    return state


def halves_pay(device: torch.device) -> bool:
    """Whether bfloat16 is faster there: on a GPU, and on a processor that has it in hardware (emulated, it is 80 times slower)."""
    return device.type == "cuda" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported() and torch.cpu._is_avx512_bf16_supported())


def train_step(run: Run, heard: Tensor, meant: Tensor, settings: TrainSettings) -> float:
    """One step of AdamW in mixed precision; returns the loss a word in nats."""
    for group in run.optimiser.param_groups:
        group["lr"] = rate_at(run.step, settings)
    torch.manual_seed(settings.seed * 1_000_003 + run.step)
    run.network.train()
    device = next(run.network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=halves_pay(device)):
        losses = word_losses(run.network, heard.to(device), meant.to(device))
        loss: Tensor = torch.stack([value for value, _ in losses.values()]).sum() / losses["type"][1]
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), settings.clip)
    run.optimiser.step()
    keep = min(settings.ema, (run.step + 1) / (run.step + 10))
    with torch.no_grad():
        for average, now in zip(run.average.parameters(), run.network.parameters(), strict=True):
            average.lerp_(now, 1 - keep)
    run.step += 1
    return float(loss.detach())


def load_corpora(data: Path, cache: Path | None = None) -> tuple[Corpus, Corpus]:
    """Training and validation corpora, read from ``cache`` where they were built before."""
    out = []
    for validation in (False, True):
        file = cache / f"corpus-{'validation' if validation else 'training'}.npz" if cache else None
        if file and file.is_file():
            kept = _kept(file)
            if kept.keys() == Corpus.__dataclass_fields__.keys():
                out.append(Corpus(**kept))
                continue
        corpus = build_corpus(data, validation)
        if file:
            content = io.BytesIO()
            np.savez(content, **asdict(corpus))
            write(file, content.getvalue())
        out.append(corpus)
    return out[0], out[1]


def _kept(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; none where it is cut short or of another kind: a corpus can be made again."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, EOFError, zipfile.BadZipFile):
        return {}


def train(
    data: Path,
    out: Path,
    config: BMTConfig = OURS,
    settings: TrainSettings = TrainSettings(),
    report: Callable[[dict[str, object]], None] = lambda row: None,
    cancelled: Callable[[], bool] = lambda: False,
    hours: float = math.inf,
) -> Path:
    """Trains until ``settings.steps``, ``hours`` or cancel, going on from ``out/last.pt`` where it is; returns the best checkpoint.

    Writes ``last.pt`` every few minutes, ``best.pt`` (lowest validation loss of the averaged weights) and ``log.jsonl``. Raises
    OutputError, and ModelError where ``out`` holds a run of another size.
    """
    folder(out)
    last, best = out / "last.pt", out / "best.pt"
    training, held_out = load_corpora(data, out)
    run = Run.load(last, settings) if last.exists() else Run.new(config, settings)
    if run.network.config != config:
        raise ModelError("holds a run of another size", where=last, cure="train into another folder, or ask for that size")
    carry = run.network.config.carry
    windows, held_out_windows = Windows(training, settings.drop, carry), Windows(held_out, settings.drop, carry)
    began = saved = time.monotonic()
    before, smooth = run.hours, 0.0
    with (out / "log.jsonl").open("a") as log:
        while run.step < settings.steps and not cancelled() and time.monotonic() - began < hours * 3600:
            loss = train_step(run, *batch_at(windows, run.step, settings), settings)
            smooth = 0.98 * smooth + 0.02 * loss if smooth else loss
            run.hours = before + (time.monotonic() - began) / 3600
            row: dict[str, object] = {"step": run.step, "loss": round(smooth, 4), "hours": round(run.hours, 3)}
            if run.step % settings.validate_every == 0 or run.step == settings.steps:
                measured = validate(run.average, held_out, held_out_windows)
                row["validation"] = {name: round(value, 4) for name, value in measured.items()}
                if measured["word"] < run.best:
                    run.best = measured["word"]
                    run.save(best)
            if "validation" in row or run.step % 50 == 0:
                log.write(json.dumps(row) + "\n")
                log.flush()
                report(row)
            if time.monotonic() - saved > settings.save_every_s:
                run.save(last)
                saved = time.monotonic()
    run.save(last)
    return best if best.exists() else last
