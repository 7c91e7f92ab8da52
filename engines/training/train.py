"""How every network learns: resumable at any moment, and the same whether it was interrupted or not.

What is learned is a `Subject`; the steps, the averaged weights, the checkpoints and the log are here. Batches and dropout masks come
from (seed, step) alone, so a checkpoint needs no random state.
"""

from __future__ import annotations

import io
import json
import math
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from engines.errors import ModelError
from engines.files import folder, write

N = TypeVar("N", bound=nn.Module)
C = TypeVar("C")
Report = Callable[[dict[str, object]], None]
Start = Callable[[], tuple[N, str]]
BETAS = (0.9, 0.98)
LOGGED = 50
"""Steps between two rows of the log."""


@dataclass(frozen=True)
class Pace:
    """How fast and how long to learn. ``cooldown`` is the share of the steps over which the rate falls to 0, ``clip`` the longest
    gradient, ``ema`` how much of the averaged weights stays each step."""

    steps: int = 6000
    rate: float = 1e-3
    warmup: int = 200
    cooldown: float = 0.3
    decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.998
    seed: int = 909
    validate_every: int = 500
    save_every_s: float = 180.0


class Sizes(Protocol):
    """A network's sizes: a dataclass whose fields all have a default."""

    def as_dict(self) -> dict[str, object]:
        """Plain values, as the card and the checkpoint store them."""
        ...


class Subject(Protocol[N]):
    """What a network of one engine learns, and from what."""

    @property
    def engine(self) -> str:
        """Its name."""
        ...

    @property
    def measure(self) -> str:
        """The validation loss by which the best checkpoint is known."""
        ...

    @property
    def config(self) -> Sizes:
        """The sizes of its network."""
        ...

    def network(self) -> N:
        """A network that has learned nothing."""
        ...

    def loss(self, network: N, step: int) -> Tensor:
        """The mean loss of the batch of a step, on the network's device."""
        ...

    def validate(self, network: N) -> dict[str, float]:
        """Losses on music that is never learned, the same music each time."""
        ...

    def remembered(self) -> dict[str, object]:
        """What a checkpoint holds beside the network, for its export."""
        ...


def rate_at(step: int, pace: Pace) -> float:
    """Learning rate: a linear warm-up, a plateau, a linear fall to 0."""
    left = (pace.steps - step) / (pace.cooldown * pace.steps)
    return pace.rate * min(1.0, (step + 1) / pace.warmup, max(0.0, left))


@dataclass
class Run(Generic[N]):
    """The state of a training run; `save` and `load` keep all of it."""

    subject: Subject[N]
    network: N
    average: N
    optimiser: torch.optim.Optimizer
    step: int = 0
    hours: float = 0.0
    best: float = math.inf
    begun_with: str = ""
    """The SHA-256 of the model whose weights it began with; empty where it began from nothing."""

    @classmethod
    def new(cls, subject: Subject[N], pace: Pace) -> Run[N]:
        """A run before its first step."""
        torch.manual_seed(pace.seed)
        network, average = subject.network(), subject.network()
        average.load_state_dict(network.state_dict())
        matrices = [p for p in network.parameters() if p.ndim > 1]
        rest = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": pace.decay}, {"params": rest, "weight_decay": 0.0}]
        return cls(subject, network, average, torch.optim.AdamW(groups, lr=pace.rate, betas=BETAS, fused=True))

    def save(self, path: Path) -> None:
        """Writes the whole run, or leaves the older ``path`` as it was. Raises OutputError."""
        content = io.BytesIO()
        torch.save(
            {
                **self.subject.remembered(),
                "engine": self.subject.engine,
                "config": self.subject.config.as_dict(),
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "hours": self.hours,
                "best": self.best,
                "begun_with": self.begun_with,
            },
            content,
        )
        write(path, content.getvalue())

    @classmethod
    def load(cls, path: Path, subject: Subject[N], pace: Pace) -> Run[N]:
        """The run of a checkpoint. Raises ModelError where it is none of this subject and these sizes."""
        state = load_checkpoint(path, subject.engine)
        config = subject.config
        if type(config)().as_dict() | state["config"] != config.as_dict():
            raise ModelError("holds a run of another size", where=path, cure="train into another folder, or ask for that size")
        run = cls.new(subject, pace)
        run.network.load_state_dict(state["network"])
        run.average.load_state_dict(state["average"])
        run.optimiser.load_state_dict(state["optimiser"])
        run.step, run.hours, run.best = int(state["step"]), float(state["hours"]), float(state["best"])
        run.begun_with = str(state.get("begun_with", ""))
        return run

    def begin_with(self, network: N, digest: str) -> None:
        """Takes the weights of a model before the first step."""
        self.network.load_state_dict(network.state_dict())
        self.average.load_state_dict(network.state_dict())
        self.begun_with = digest


def load_checkpoint(path: Path, engine: str) -> dict[str, Any]:
    """A checkpoint of `Run.save`, without running any code in it; ModelError where it is none of that engine."""
    cure = "train again, or remove it to start anew"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise ModelError("is not a checkpoint of this trainer", where=path, cure=cure) from error
    parts = {"config", "network", "average", "optimiser", "step", "hours", "best"}
    # the first checkpoints of bmt did not say whose they are
    if not isinstance(state, dict) or not parts <= state.keys() or state.get("engine", "bmt") != engine:
        raise ModelError("is not a checkpoint of this trainer", where=path, cure=cure)
    return state


def halves_pay(device: torch.device) -> bool:
    """Whether bfloat16 is faster there: on a GPU, and on a processor that has it in hardware (emulated, it is 80 times slower)."""
    return device.type == "cuda" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported() and torch.cpu._is_avx512_bf16_supported())


def train_step(run: Run[N], pace: Pace) -> float:
    """One step of AdamW in mixed precision, the averaged weights after it; returns the loss."""
    for group in run.optimiser.param_groups:
        group["lr"] = rate_at(run.step, pace)
    torch.manual_seed(pace.seed * 1_000_003 + run.step)
    run.network.train()
    device = next(run.network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=halves_pay(device)):
        loss = run.subject.loss(run.network, run.step)
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), pace.clip)
    run.optimiser.step()
    keep = min(pace.ema, (run.step + 1) / (run.step + 10))
    with torch.no_grad():
        torch._foreach_lerp_(list(run.average.parameters()), list(run.network.parameters()), 1 - keep)
    run.step += 1
    return float(loss.detach())


def corpora(kind: type[C], build: Callable[[Path, bool], C], data: Path, cache: Path | None = None) -> tuple[C, C]:
    """Training and validation corpora (dataclasses of arrays), read from ``cache`` where they were built before."""
    out = []
    for validation in (False, True):
        file = cache / f"corpus-{'validation' if validation else 'training'}.npz" if cache else None
        arrays = _arrays(file) if file and file.is_file() else {}
        if arrays.keys() == {field.name for field in fields(kind)}:  # type: ignore[arg-type]
            out.append(kind(**arrays))
            continue
        corpus = build(data, validation)
        if file:
            content = io.BytesIO()
            np.savez(content, **asdict(corpus))  # type: ignore[call-overload]
            write(file, content.getvalue())
        out.append(corpus)
    return out[0], out[1]


def _arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; none where it is cut short or of another kind: a corpus can be made again."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, EOFError, zipfile.BadZipFile):
        return {}


def learn(
    subject: Subject[N],
    out: Path,
    pace: Pace,
    report: Report = lambda row: None,
    cancelled: Callable[[], bool] = lambda: False,
    hours: float = math.inf,
    start: Start[N] | None = None,
) -> Path:
    """Trains until ``pace.steps``, ``hours`` or cancel, going on from ``out/last.pt`` where it is; returns the best checkpoint.

    ``start`` gives the weights that a run begins with which is not there yet, and the SHA-256 of their model.

    Writes ``last.pt`` every few minutes, ``best.pt`` (lowest validation loss of the averaged weights) and ``log.jsonl``. Raises
    OutputError, and ModelError where ``out`` holds a run of another size.
    """
    folder(out)
    last, best = out / "last.pt", out / "best.pt"
    run = Run.load(last, subject, pace) if last.exists() else Run.new(subject, pace)
    if start is not None and not last.exists():
        run.begin_with(*start())
    began = saved = time.monotonic()
    before, smooth = run.hours, 0.0
    with (out / "log.jsonl").open("a") as log:
        while run.step < pace.steps and not cancelled() and time.monotonic() - began < hours * 3600:
            loss = train_step(run, pace)
            smooth = 0.98 * smooth + 0.02 * loss if smooth else loss
            run.hours = before + (time.monotonic() - began) / 3600
            row: dict[str, object] = {"step": run.step, "loss": round(smooth, 4), "hours": round(run.hours, 3)}
            if run.step % pace.validate_every == 0 or run.step == pace.steps:
                measured = subject.validate(run.average)
                row["validation"] = {name: round(value, 4) for name, value in measured.items()}
                if measured[subject.measure] < run.best:
                    run.best = measured[subject.measure]
                    run.save(best)
            if "validation" in row or run.step % LOGGED == 0:
                log.write(json.dumps(row) + "\n")
                log.flush()
                report(row)
            if time.monotonic() - saved > pace.save_every_s:
                run.save(last)
                saved = time.monotonic()
    run.save(last)
    return best if best.exists() else last
