"""Out of noise, step by step: DPM-Solver++ of second order, and the published sampler of 999 steps as a reference.

Both run on arrays alone and ask a `Denoiser` for what a network says; a window of which a part is known keeps that part exactly.
DPM-Solver++: Lu et al. 2022, algorithm 2 (multistep, data prediction). Guidance: Ho and Salimans 2022, both answers in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.diffbgm.conditions import SWITCH, UNTOLD
from engines.diffbgm.schedule import TIMES, alpha_bars, betas
from engines.errors import OptionError

Array = npt.NDArray[np.float32]
Denoiser = Callable[[Array, npt.NDArray[np.int64], Array], Array]
"""(x (batch, layers, steps, pitches), t (batch,), condition (batch or a multiple, 32, width)) to the noise in x, or to the clean roll,
for every condition."""
Keep = Callable[[Array, Array, int], Array]
"""The clean roll, what it is as told without guidance, and the time, to the roll to go on from, which leaves alone what is known."""
SMALLEST_VARIANCE = 1e-20


@dataclass(frozen=True)
class Told:
    """What windows are told: ``first`` above `SWITCH`, ``second`` at and below it, each (batch, 32, width); None: nothing, which asks
    the network once a step and not twice. ``guidance`` is how far beyond the unconditioned answer to go (1: just as told)."""

    first: Array | None
    second: Array | None
    width: int
    guidance: float = 1.0

    def at(self, t: int) -> Array | None:
        """The source that is heard at a time."""
        return self.first if t > SWITCH else self.second


@dataclass(frozen=True)
class Known:
    """The part of windows that is fixed: ``roll`` as the network sees it, ``mask`` true where it holds; both (batch or 1, layers,
    steps, pitches)."""

    roll: Array
    mask: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sampler:
    """How to draw. ``steps`` is the number of evaluations; ``bounds`` (low, high) holds the clean roll within its values (None, as
    published: not at all); ``predicts`` and ``schedule`` as the network's."""

    denoiser: Denoiser
    predicts: str = "roll"
    schedule: str = "cosine"
    steps: int = 20
    bounds: tuple[float, float] | None = (-1.0, 1.0)
    warmth: float = 0.0

    def times(self) -> list[int]:
        """The times that are asked for, falling from all noise to nearly none, equally far apart."""
        if not 1 <= self.steps <= TIMES:
            raise OptionError(f"{self.steps} steps are not in 1..{TIMES}", where="--steps", cure="use 20")
        last = 0 if self.steps > 1 else TIMES - 1
        return [round(t) for t in np.linspace(TIMES - 1, last, self.steps)]

    def clean(self, x: Array, t: int, told: Told) -> tuple[Array, Array]:
        """The roll without noise that the network sees in ``x``, with guidance and just as told."""
        guide, as_told = guided(self.denoiser, x, t, told)
        return self._roll(guide, x, t), self._roll(as_told, x, t)

    def _roll(self, answer: Array, x: Array, t: int) -> Array:
        """The roll of an answer of the network."""
        left = float(alpha_bars(self.schedule)[t])
        if self.predicts == "noise":
            answer = ((x - np.sqrt(1 - left) * answer) / np.sqrt(left)).astype(np.float32)
        return answer if self.bounds is None else np.clip(answer, *self.bounds)

    def draw(
        self, x: Array, told: Told, known: Known | None, noise: np.random.Generator, keep: Keep | None = None
    ) -> Iterator[Array]:
        """From noise ``x`` (standard normal) to rolls: the clean roll after every evaluation, the last one being the answer.

        With ``warmth`` 0 the way is the one without added noise; above it, up to 1, noise is added on the way (SDE form). What
        ``keep`` makes of the clean roll after every evaluation is gone on from.
        """
        left = alpha_bars(self.schedule)
        times = self.times()
        if known is not None:
            # what is known goes down with its own noise, as the network saw such music while it learned
            own = x
            x = np.where(known.mask, _mixed(known.roll, own, left[times[0]]), x)
        before: Array | None = None
        step_before = 0.0
        for k, t in enumerate(times):
            clean, as_told = self.clean(x, t, told)
            if known is not None:
                clean = np.where(known.mask, known.roll, clean).astype(np.float32)
            if keep is not None:
                clean = keep(clean, as_told, t)
            yield clean
            if k + 1 == len(times):
                return
            here, there = left[t], left[times[k + 1]]
            step = 0.5 * (np.log(there / (1 - there)) - np.log(here / (1 - here)))
            towards = clean
            if before is not None and k + 2 < len(times):
                towards = clean + (clean - before) * (0.5 * step / step_before)
            x = self._onwards(x, towards, step, here, there, noise)
            if known is not None:
                x = np.where(known.mask, _mixed(known.roll, own, there), x).astype(np.float32)
            before, step_before = clean, step

    def _onwards(self, x: Array, towards: Array, step: float, here: float, there: float, noise: np.random.Generator) -> Array:
        """One step of the solver, by half the log of the signal-to-noise ratio."""
        shrink = np.exp(-step * (1 + self.warmth))
        moved = np.sqrt((1 - there) / (1 - here)) * np.exp(-step * self.warmth) * x + np.sqrt(there) * (1 - shrink) * towards
        if self.warmth:
            spread = np.sqrt((1 - there) * (1 - np.exp(-2 * step * self.warmth)))
            moved = moved + spread * noise.standard_normal(x.shape, np.float32)
        out: Array = moved.astype(np.float32)
        return out


def _mixed(clean: Array, noise: Array, left: float) -> Array:
    mixed: Array = (np.sqrt(left) * clean + np.sqrt(1 - left) * noise).astype(np.float32)
    return mixed


def guided(denoiser: Denoiser, x: Array, t: int, told: Told) -> tuple[Array, Array]:
    """The network's answer for a batch with guidance, and as told without it; both with and without the conditions asked in one call
    where guidance wants both."""
    batch, heard = len(x), told.at(t)
    nothing = np.full((batch, 32, told.width), UNTOLD, np.float32)
    if heard is None or told.guidance in (0, 1):
        answer = denoiser(x, np.full(batch, t), nothing if heard is None or told.guidance == 0 else heard)
        return answer, answer
    both = denoiser(x, np.full(batch, t), np.concatenate([nothing, heard]))
    without, given = both[:batch], both[batch:]
    out: Array = without + np.float32(told.guidance) * (given - without)
    return out, given


def published(
    denoiser: Denoiser,
    x: Array,
    told: Told,
    known: Known | None,
    noise: np.random.Generator,
    times: int = TIMES - 1,
    temperature: float = 1.0,
) -> Iterator[Array]:
    """The published sampler: ancestral steps at times-1 .. 0 (published: 998 .. 0) from ``x`` (standard normal) as all noise.

    Yields x after each step; the last is the answer, with the known part as it is at time 0, all but clean. Nothing is clipped.
    """
    beta, left = betas("scaled-linear"), alpha_bars("scaled-linear")
    fixed = None if known is None else noise.standard_normal(x.shape, np.float32)
    x = (np.sqrt(1 - left[times]) * x).astype(np.float32)
    for t in range(times - 1, -1, -1):
        eps, _ = guided(denoiser, x, t, told)
        before = left[t - 1] if t else 1.0
        clean = x / np.sqrt(left[t]) - np.sqrt(1 / left[t] - 1) * eps
        mean = beta[t] * np.sqrt(before) / (1 - left[t]) * clean + (1 - before) * np.sqrt(1 - beta[t]) / (1 - left[t]) * x
        spread = np.sqrt(max(SMALLEST_VARIANCE, beta[t] * (1 - before) / (1 - left[t]))) * temperature
        x = (mean + spread * noise.standard_normal(x.shape, np.float32) if t else mean).astype(np.float32)
        if known is not None and fixed is not None:
            x = np.where(known.mask, _mixed(known.roll, fixed, left[t]), x).astype(np.float32)
        yield x
