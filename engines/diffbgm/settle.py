"""From chances to notes: what a window's network believes, made a bar that holds what the brief fixes.

The network is told the brief and mostly follows it; here what must hold is made to hold, with as little change as that takes: the
onset positions that were asked for are the likeliest ones, a hit gets its likeliest notes, and nothing sounds where it may not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.diffbgm.data import velocity_of
from engines.diffbgm.pianoroll import SOUNDS, STEPS_PER_BAR, STEPS_PER_BEAT, Roll
from engines.diffbgm.plan import Plan
from engines.score.harmony import chord_tones, scale_tones

MOST_AT_ONCE = 10
"""Notes that one voice of all stems begins together, at most: two hands."""
CONSIDERED = 96
"""The likeliest cells of a step that are looked at."""
AT_ONCE = {"melody": 1, "bridge": 2, "piano": 5}
"""Notes of one stem that begin together, at most, unless a hit wants more: all but a hundredth of POP909's onsets."""
USUAL = {"melody": 72, "bridge": 73, "piano": 59}
"""The median pitch of each stem in POP909: where a note is put that only the brief wants."""
AROUND = 9.0
"""Semitones around it."""
LINE = "melody"
"""The stem that is one line: a new note ends the last (POP909: all but a hundredth)."""
SPREAD = 1.6
"""The network tells the mean of the velocities that it expects, nearer to their middle than any that are played: within bars of
POP909 they lie so much farther apart."""
IN_CHORD, IN_KEY, OUTSIDE = 1.0, 0.9, 0.07
"""How likely a tone is before the network says anything, against one of the chord: odds of cells are multiplied by it."""
FAINT = 0.02
"""What a usual pitch adds to a chance: enough to choose among silent cells, nothing beside one that was meant."""
LEAST, MOST = 1e-4, 1 - 1e-4
"""Chances are kept this far from sure, so that what the brief forces is never impossible."""
MIDDLE = 0.5
"""The energy of a bar of which nothing is said."""
QUIET, LOUD = 24, 124
"""Velocities that new notes may have."""


@dataclass(frozen=True)
class Settled:
    """The roll (0..1) of some slots, and how far the network is from having meant it: nats a note."""

    roll: Roll
    strain: float


def tonal(plan: Plan, number: int) -> npt.NDArray[np.float32]:
    """Weight of each pitch of the layout at each step of a slot (16, pitches), from the chord and the key that hold there."""
    pitch_class = (np.arange(plan.layout.pitches) + plan.layout.lowest) % 12
    scale = scale_tones(plan.key) if plan.key else None
    rows = []
    for chord in plan.chords(number):
        tones = chord_tones(chord) if chord else ()
        weight = np.full(12, IN_CHORD if not tones and scale is None else OUTSIDE, np.float32)
        if scale is not None:
            weight[sorted(scale)] = IN_KEY if tones else IN_CHORD
        elif tones:
            weight[:] = IN_KEY
        weight[list(tones)] = IN_CHORD
        rows.append(weight[pitch_class])
    return np.repeat(np.array(rows), STEPS_PER_BEAT, axis=0)


def settle(chances: Roll, plan: Plan, slots: range) -> Settled:
    """The bars of ``slots`` as they are to be played. ``chances``: (layers, 16 x slots, pitches), 0..1."""
    roll = np.zeros_like(chances)
    strain, notes = 0.0, 0
    for k, number in enumerate(slots):
        here = slice(STEPS_PER_BAR * k, STEPS_PER_BAR * (k + 1))
        roll[:, here], found, count = _bar(chances[:, here], plan, number)
        strain, notes = strain + found, notes + count
    return Settled(roll, strain / max(1, notes))


def _bar(chances: Roll, plan: Plan, number: int) -> tuple[Roll, float, int]:
    """One slot: its roll, its strain in nats, and its notes."""
    there = slice(STEPS_PER_BAR * number, STEPS_PER_BAR * (number + 1))
    known, mask = plan.known[:, there], plan.mask[:, there]
    voices = len(plan.layout.voices)
    raw = np.clip(chances[: 2 * voices : 2], LEAST, MOST)
    odds = raw / (1 - raw) * tonal(plan, number)
    onset = odds / (1 + odds)
    onset[plan.barred[:, there] | mask[: 2 * voices : 2]] = 0
    played = _chosen(onset + FAINT * _usual(plan) * (onset > 0), plan, number)
    begins = played | (known[: 2 * voices : 2] > SOUNDS)
    roll = np.zeros_like(chances)
    roll[: 2 * voices : 2] = begins
    holds = (chances[1 : 2 * voices : 2] > SOUNDS) & ~plan.barred[:, there] & ~mask[1 : 2 * voices : 2]
    holds |= _held(played & (raw <= SOUNDS)) & ~plan.barred[:, there] & ~mask[1 : 2 * voices : 2]
    for voice, stems in enumerate(plan.layout.voices):
        if stems == (LINE,):
            holds[voice] |= _held_line(begins[voice], chances[2 * voice + 1]) & ~plan.barred[voice, there] & ~mask[2 * voice + 1]
            holds[voice, begins[voice].any(axis=1)] = False
    roll[1 : 2 * voices : 2] = holds | (known[1 : 2 * voices : 2] > SOUNDS)
    if plan.layout.velocity:
        roll[-1] = _velocities(chances, played, known, plan.slots[number].bar.brief.energy)
    free = ~mask[: 2 * voices : 2]
    likelihood = np.where(played, np.log(raw), np.log(1 - raw))[free]
    return roll, -float(likelihood.sum()), int(played.sum())


def _usual(plan: Plan) -> npt.NDArray[np.float32]:
    """How usual each pitch is in each voice (voices, 1, pitches), 0..1; the accompaniment first."""
    pitch = np.arange(plan.layout.pitches) + plan.layout.lowest
    rows = []
    for stems in plan.layout.voices:
        middle = USUAL[stems[0]] if len(stems) == 1 else USUAL["piano"]
        rows.append(np.exp(-(((pitch - middle) / AROUND) ** 2) / 2) * (1.0 if "piano" in stems else 0.5))
    return np.array(rows, np.float32)[:, None]


def _held(begins: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Sustain to the end of the beat of notes that only the brief wants, of which the network says no length."""
    held = np.zeros_like(begins)
    for voice, step, pitch in np.argwhere(begins):
        held[voice, step + 1 : step // STEPS_PER_BEAT * STEPS_PER_BEAT + STEPS_PER_BEAT, pitch] = True
    return held


def _held_line(begins: npt.NDArray[np.bool_], holds: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Sustain of a line (steps, pitches): whether it goes on is surer than on which pitch."""
    held = np.zeros_like(begins)
    on = holds.sum(axis=1) > SOUNDS
    pitch: int | None = None
    for step in range(len(begins)):
        if begins[step].any():
            pitch = int(np.flatnonzero(begins[step])[-1])
        elif pitch is not None and on[step]:
            held[step, pitch] = True
        else:
            pitch = None
    return held


def _chosen(onset: npt.NDArray[np.float32], plan: Plan, number: int) -> npt.NDArray[np.bool_]:
    """Which cells (voices, steps, pitches) begin a note: those likelier than not at the steps that are to have an onset."""
    bar = plan.slots[number].bar
    hits, kept = plan.hits(number), plan.kept_steps(number)
    best = onset.max(axis=(0, 2))
    forced = {*hits, *kept}
    if bar.brief.density is None:
        steps = {*forced, *(int(s) for s in np.flatnonzero(best > SOUNDS))}
    else:
        # equal chances: the stronger place in the bar first
        metre = [max(k for k in (16, 8, 4, 2, 1) if step % k == 0) for step in range(STEPS_PER_BAR)]
        order = sorted((s for s in range(bar.steps) if s not in forced and best[s] > 0), key=lambda s: (-best[s], -metre[s], s))
        steps = {*forced, *order[: max(0, bar.brief.density - len(forced))]}
    limits = [AT_ONCE[stems[0]] if len(stems) == 1 else MOST_AT_ONCE for stems in plan.layout.voices]
    played = np.zeros(onset.shape, np.bool_)
    for step in steps:
        least = max(hits.get(step, 0), 0 if step in kept else 1)
        _strike(onset[:, step], played[:, step], least, limits)
    return played


def _strike(chance: npt.NDArray[np.float32], played: npt.NDArray[np.bool_], least: int, limits: list[int]) -> None:
    """Plays the likely notes of one step (voices, pitches) within what each voice plays at once, and at least so many."""
    ranked = [divmod(int(flat), chance.shape[1]) for flat in np.argsort(-chance, axis=None, kind="stable")[:CONSIDERED]]
    possible = [(voice, pitch) for voice, pitch in ranked if chance[voice, pitch] > 0]
    for voice, pitch in possible:
        if chance[voice, pitch] <= SOUNDS and played.sum() >= least:
            break
        if played[voice].sum() < limits[voice] and not (chance[voice, pitch] <= SOUNDS and played[:, pitch].any()):
            played[voice, pitch] = True
    # a hit is thick, with different pitches, whatever the voices may play otherwise
    for voice, pitch in possible:
        if played.sum() >= least:
            break
        if not played[:, pitch].any():
            played[voice, pitch] = True


def _velocities(chances: Roll, played: npt.NDArray[np.bool_], known: Roll, energy: float | None) -> npt.NDArray[np.float32]:
    """The velocity layer: what the network expects of a cell, given that it begins a note; of a note that only the brief wants, the
    mean of those in its bar, or what the bar's energy asks for."""
    chance = np.where(played, chances[: 2 * len(played) : 2], 0).max(axis=0)
    meant = chance > SOUNDS
    expected = np.clip(chances[-1] / np.maximum(chance, SOUNDS), QUIET / 127, LOUD / 127)
    usual = float(expected[meant].mean()) if meant.any() else velocity_of(MIDDLE if energy is None else energy) / 127
    middle = usual if energy is None else velocity_of(energy) / 127
    apart = np.clip(middle + SPREAD * (expected - usual), QUIET / 127, LOUD / 127)
    layer = np.where(played.any(axis=0), np.where(meant, apart, middle), 0)
    out: npt.NDArray[np.float32] = np.where(known[-1] > 0, known[-1], layer).astype(np.float32)
    return out
