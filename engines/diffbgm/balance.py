"""What a window keeps on its way out of noise: as many notes as were expected, a groove, lines without leaps, the register asked.

The network tells the chance of every cell on its own, and in few steps the unsure ones all fall silent: a window that began with an
expectation of 21 notes a bar ended with 16. So after each step the log odds of a layer are shifted until its expected count is again
what it was while all was noise. What cells know of one another only when they are nearly clean is said earlier: bars share their
onset places, a melody moves by steps, what goes on has begun, a bar that returns leans towards the one that it takes up, and a bar lies
where the brief wants it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engines.diffbgm.pianoroll import BARS, STEPS_PER_BAR, Layout

Array = npt.NDArray[np.float32]

EXPECTED_UNTIL = 700
"""Times above this are all but noise: what is expected there is what is kept below."""
SURE = 9.0
"""Log odds beyond these are no different."""
GROOVE = 0.1
"""How much of a place's own log odds, as the bars of the window share it, every bar hears at each step. The groove of POP909 is met."""
LEAPS = (-0.3, 0.7, 0.8, 0.3, -0.6, -0.8, -3.0, -1.0, -1.2, -1.3, -2.0, -3.3, -1.5, -3.5)
"""Nats by which a melody's next note is likelier so many semitones away than a note of it at random, the last for all beyond (counted
in POP909, but for the first: the network knows by itself that notes repeat, and with the 0.5 that was counted a melody sat on one pitch
for two bars)."""
HELD = 1.12
"""So much more is held than is expected, since what notes hold that are not played is lost: lengths of POP909 are met."""
LINES = ("melody", "bridge")
"""Stems that move as lines."""
STEEPEST = 3.0
"""Nats an octave by which a bar is bent towards its register, at most."""
HALVINGS = 11
AGAIN = {"melody": 0.7, "bridge": 0.55, "piano": 0.42}
"""How much of the log odds of the bar that it takes up a bar hears at each step, by stem, where the form says so. Chosen so that each
comes back about as often as in POP909 (``tests/benchmarks/test_themes.py``)."""
CLEAR = 4.0
"""Log odds beyond which a bar that is taken up is heard no surer."""


def log_odds(chance: Array) -> Array:
    """Log odds of chances, within `SURE`."""
    edge = 1 / (1 + np.exp(SURE))
    held = np.clip(chance, edge, 1 - edge)
    out: Array = np.log(held / (1 - held)).astype(np.float32)
    return out


def chance_of(odds: Array) -> Array:
    """The inverse of `log_odds`."""
    out: Array = (1 / (1 + np.exp(-odds))).astype(np.float32)
    return out


def shifted(odds: Array, count: float) -> float:
    """What must be added to log odds so that the chances sum to ``count``."""
    near = odds[odds > -SURE + 0.01]
    low, high = -SURE, SURE
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if chance_of(near + np.float32(middle)).sum() < count else (low, middle)
    return (low + high) / 2


def as_line(odds: Array) -> Array:
    """Log odds of onsets (batch, steps, pitches) of a line, given that its notes follow one another by small steps.

    Forward and backward over the steps (Rabiner 1989): the state is the pitch that sounded last, a step begins at most one note.
    """
    batch, steps, pitches = odds.shape
    apart = np.abs(np.subtract.outer(np.arange(pitches), np.arange(pitches)))
    move = np.exp(np.array(LEAPS))[np.minimum(apart, len(LEAPS) - 1)].astype(np.float32)
    own = np.exp(odds)
    forward, reached = np.empty_like(odds), np.empty_like(odds)
    last: Array = np.full((batch, pitches), 1 / pitches, np.float32)
    for step in range(steps):
        reached[:, step], forward[:, step] = last, last @ move
        last = (last + own[:, step] * forward[:, step]).astype(np.float32)
        last /= last.sum(axis=1, keepdims=True)
    backward = np.empty_like(odds)
    after: Array = np.ones((batch, pitches), np.float32)
    for step in range(steps - 1, -1, -1):
        backward[:, step] = after
        after = after + (own[:, step] * after) @ move.T
        after /= after.mean(axis=1, keepdims=True)
    silent = (reached * backward).sum(axis=2, keepdims=True)
    weighed: Array = odds + np.log(np.maximum(forward * backward / silent, np.float32(1e-6)))
    return weighed


def held_by_notes(begins: Array, goes_on: Array) -> Array:
    """Chances that notes go on (..., steps, pitches), given those that they begin: only what sounded a step before can."""
    held = np.zeros_like(goes_on)
    sounds = np.zeros_like(begins[..., 0, :])
    for step in range(begins.shape[-2]):
        held[..., step, :] = goes_on[..., step, :] * sounds
        sounds = np.maximum(begins[..., step, :], held[..., step, :])
    return held


class Balance:
    """What is kept over the steps of one window: called with the chances after each evaluation, answers with those to go on from."""

    def __init__(
        self,
        layout: Layout,
        mask: npt.NDArray[np.bool_],
        barred: npt.NDArray[np.bool_],
        registers: list[float | None],
        again: Mapping[int, int | Array] | None = None,
    ):
        """``mask`` (layers, 128, pitches) is what is known, ``barred`` (voices, 128, pitches) what may not sound; ``registers`` is the
        mean MIDI pitch of each of the eight bars, None where nothing is asked; ``again`` says which of them take up which, by
        number, or which bar from before the window (layers, 16, pitches, 0..1)."""
        self._again = again or {}
        self._layout, self._registers = layout, registers
        self._voices = len(layout.voices)
        leans = [AGAIN[stems[0]] if len(stems) == 1 else AGAIN["piano"] for stems in layout.voices]
        self._lean = np.repeat(np.array(leans, np.float32), 2)[:, None, None]
        self._free = ~mask[: 2 * self._voices] & ~np.repeat(barred, 2, axis=0)
        self._expected: list[npt.NDArray[np.float64]] = []

    def __call__(self, chances: Array, as_told: Array, t: int) -> Array:
        """``chances`` (batch, layers, 128, pitches), 0..1, at time ``t``, and what they are without guidance: these count right."""
        cells = 2 * self._voices
        odds = log_odds(chances[:, :cells])
        if t > EXPECTED_UNTIL or not self._expected:
            self._expected.append(np.where(self._free, as_told[:, :cells], 0).sum(axis=(2, 3), dtype=np.float64))
        wanted = np.mean(self._expected, axis=0)
        wanted[:, 1::2] *= HELD
        odds[:, ::2] += self._groove(chances)[:, None, :, None]
        for bar, source in self._again.items():
            heard = chances[:, :cells, _steps(source)] if isinstance(source, int) else source[None, :cells]
            odds[:, :, _steps(bar)] += self._lean * np.clip(log_odds(heard), -CLEAR, CLEAR)
        for voice, stems in enumerate(self._layout.voices):
            if len(stems) == 1 and stems[0] in LINES:
                odds[:, 2 * voice] = as_line(odds[:, 2 * voice])
        odds[:, 1::2] = log_odds(held_by_notes(chance_of(odds[:, ::2]), chance_of(odds[:, 1::2])))
        self._bend(odds)
        odds = np.clip(odds, -SURE, SURE)
        for row in range(len(odds)):
            for layer in range(cells):
                free = self._free[layer]
                if free.any():
                    odds[row, layer] += np.float32(shifted(odds[row, layer][free], float(wanted[row, layer])))
        return self._merged(chances, chance_of(odds))

    def _merged(self, chances: Array, told: Array) -> Array:
        """The new chances where they are free, with the velocity layer as loud for each chance as before."""
        cells = 2 * self._voices
        out = chances.copy()
        out[:, :cells] = np.where(self._free, told, chances[:, :cells])
        if self._layout.velocity:
            before, after = (1 - np.prod(1 - part[:, :cells:2], axis=1) for part in (chances, out))
            out[:, -1] = np.clip(chances[:, -1] * after / np.maximum(before, 1e-4), 0, 1)
        return out

    def _groove(self, chances: Array) -> Array:
        """What the bars share of their places (batch, 128): how much likelier than any an onset at a place of the bar is."""
        begins = 1 - np.prod(1 - chances[:, : 2 * self._voices : 2], axis=(1, 3))
        bars = begins.reshape(len(chances), BARS, STEPS_PER_BAR)
        shared = log_odds(bars.mean(axis=1)) - log_odds(bars.mean(axis=(1, 2)))[:, None]
        out: Array = np.tile(np.float32(GROOVE) * np.clip(shared, -SURE, SURE), (1, BARS))
        return out

    def _bend(self, odds: Array) -> None:
        """Bends the bars of which a register is asked towards it, in place: nats by pitch, the same for all that sounds in a bar."""
        pitch = np.arange(self._layout.pitches, dtype=np.float32) + self._layout.lowest
        for bar, register in enumerate(self._registers):
            here = _steps(bar)
            if register is None or not self._free[::2, here].any():
                continue
            octaves = ((pitch - np.float32(register)) / 12).astype(np.float32)
            for row in odds:
                begins = np.where(self._free[::2, here], row[::2, here], -SURE)
                row[:, here] += np.float32(_slope(begins, octaves)) * octaves


def _steps(bar: int) -> slice:
    """The sixteenths of a bar of a window."""
    return slice(STEPS_PER_BAR * bar, STEPS_PER_BAR * (bar + 1))


def _slope(odds: Array, octaves: Array) -> float:
    """Nats an octave after which the expected mean of ``octaves`` over cells (..., pitches) is 0, within `STEEPEST`."""
    rows = odds.reshape(-1, odds.shape[-1])
    low, high = -STEEPEST, STEEPEST
    for _ in range(HALVINGS - 3):
        middle = (low + high) / 2
        above = float((chance_of(rows + np.float32(middle) * octaves).sum(axis=0) * octaves).sum())
        low, high = (middle, high) if above < 0 else (low, middle)
    return (low + high) / 2
