"""Training of Diff-BGM on POP909: resumable at any moment, and the same whether it was interrupted or not.

Every batch, noise and time comes from (seed, step) alone, so a checkpoint needs no random state. Times are uniform, as published. The
published network learns the noise by squared error; ours learns the chance of every cell to sound by cross entropy, since a place
of 2,352 cells and 128 features can tell what is played there but not every number of the noise.
"""

from __future__ import annotations

import io
import json
import math
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.bmt.train import halves_pay
from engines.diffbgm.conditions import SWITCH, as_beat
from engines.diffbgm.config import OURS, DiffBGMConfig
from engines.diffbgm.data import Corpus, Windows, build_corpus, paint_arrays
from engines.diffbgm.network import DiffBGM
from engines.diffbgm.pianoroll import BEATS
from engines.diffbgm.progressions import count
from engines.diffbgm.schedule import TIMES
from engines.errors import ModelError
from engines.files import folder, write


@dataclass(frozen=True)
class TrainSettings:
    """How to train. ``batch`` windows a step; ``cooldown`` is the share of the steps over which the rate falls to 0; ``drop`` the
    chance of each control to be left out, ``drop_all`` that of all of them."""

    steps: int = 12000
    batch: int = 16
    rate: float = 1.2e-3
    warmup: int = 200
    cooldown: float = 0.3
    decay: float = 0.01
    clip: float = 1.0
    drop: float = 0.15
    drop_all: float = 0.12
    ema: float = 0.998
    seed: int = 909
    validate_every: int = 500
    save_every_s: float = 120.0


PAPER_SETTINGS = TrainSettings(steps=180_000, batch=32, rate=5e-5, warmup=1, cooldown=1e-6, decay=0.0, clip=10.0, ema=0.9999)
"""The published recipe: Adam at a constant rate, 100 epochs of some 1,800 steps; only the averaged weights are ours."""


@dataclass(frozen=True)
class Batch:
    """Rolls (windows, layers, steps, pitches) as the network sees them, their noise, times and tokens."""

    clean: Tensor
    noise: Tensor
    times: Tensor
    tokens: Tensor


def rate_at(step: int, settings: TrainSettings) -> float:
    """Learning rate: a linear warm-up, a plateau, a linear fall to 0."""
    left = (settings.steps - step) / (settings.cooldown * settings.steps)
    return settings.rate * min(1.0, (step + 1) / settings.warmup, max(0.0, left))


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


@dataclass
class Run:
    """The state of a training run; `save` and `load` keep all of it."""

    network: DiffBGM
    average: DiffBGM
    optimiser: torch.optim.Optimizer
    step: int = 0
    hours: float = 0.0
    best: float = math.inf
    progressions: Tensor | None = None

    @classmethod
    def new(cls, config: DiffBGMConfig, settings: TrainSettings) -> Run:
        """A run before its first step."""
        torch.manual_seed(settings.seed)
        network, average = DiffBGM(config), DiffBGM(config)
        average.load_state_dict(network.state_dict())
        matrices = [p for p in network.parameters() if p.ndim > 1]
        rest = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": settings.decay}, {"params": rest, "weight_decay": 0.0}]
        return cls(network, average, torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98), fused=True))

    def save(self, path: Path) -> None:
        """Writes the whole run, or leaves the older ``path`` as it was. Raises OutputError."""
        content = io.BytesIO()
        torch.save(
            {
                "engine": "diffbgm",
                "config": self.network.config.as_dict(),
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "hours": self.hours,
                "best": self.best,
                "progressions": self.progressions,
            },
            content,
        )
        write(path, content.getvalue())

    @classmethod
    def load(cls, path: Path, settings: TrainSettings) -> Run:
        """The run of a checkpoint; ModelError where it is not one."""
        state = load_checkpoint(path)
        run = cls.new(DiffBGMConfig.from_dict(state["config"]), settings)  # type: ignore[arg-type]
        run.network.load_state_dict(state["network"])  # type: ignore[arg-type]
        run.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        run.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
        run.step, run.hours, run.best = int(state["step"]), float(state["hours"]), float(state["best"])  # type: ignore[call-overload,arg-type]
        run.progressions = state.get("progressions")  # type: ignore[assignment]
        return run


def load_checkpoint(path: Path) -> dict[str, object]:
    """A checkpoint of `Run.save`, without running any code in it; ModelError where it is not one."""
    cure = "train again, or remove it to start anew"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError("is not a checkpoint of this trainer", where=path, cure=cure) from error
    if not isinstance(state, dict) or state.get("engine") != "diffbgm":
        raise ModelError("is not a checkpoint of this trainer", where=path, cure=cure)
    return state


def train_step(run: Run, batch: Batch, settings: TrainSettings) -> float:
    """One step of AdamW; returns the mean loss of its windows."""
    for group in run.optimiser.param_groups:
        group["lr"] = rate_at(run.step, settings)
    run.network.train()
    device = next(run.network.parameters()).device
    there = Batch(*(getattr(batch, name).to(device) for name in Batch.__dataclass_fields__))
    with torch.autocast(device.type, torch.bfloat16, enabled=halves_pay(device)):
        loss = losses(run.network, there).mean()
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), settings.clip)
    run.optimiser.step()
    keep = min(settings.ema, (run.step + 1) / (run.step + 10))
    with torch.no_grad():
        torch._foreach_lerp_(list(run.average.parameters()), list(run.network.parameters()), 1 - keep)
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
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, EOFError, zipfile.BadZipFile):
        return {}


def train(
    data: Path,
    out: Path,
    config: DiffBGMConfig = OURS,
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
    run.progressions = torch.from_numpy(count(training))
    windows = Windows(training, config.roll, settings.drop, settings.drop_all)
    held_out_windows = Windows(held_out, config.roll, settings.drop, settings.drop_all)
    began = saved = time.monotonic()
    before, smooth = run.hours, 0.0
    with (out / "log.jsonl").open("a") as log:
        while run.step < settings.steps and not cancelled() and time.monotonic() - began < hours * 3600:
            loss = train_step(run, batch_at(windows, run.step, settings, config), settings)
            smooth = 0.98 * smooth + 0.02 * loss if smooth else loss
            run.hours = before + (time.monotonic() - began) / 3600
            row: dict[str, object] = {"step": run.step, "loss": round(smooth, 4), "hours": round(run.hours, 3)}
            if run.step % settings.validate_every == 0 or run.step == settings.steps:
                measured = validate(run.average, held_out_windows)
                row["validation"] = {name: round(value, 4) for name, value in measured.items()}
                if measured["loss"] < run.best:
                    run.best = measured["loss"]
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
