"""A stretch of a cue as sound that goes out as it is: 16 bits, at one and the same level everywhere, and never over full scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.picture.soundtrack import Samples
from engines.score.sampler import RATE, Sampler, Sound, Voice

ROW = np.dtype([("start", "<i8"), ("length", "<f8"), ("pitch", "u1"), ("velocity", "u1"), ("program", "u1")])
"""A note as it sounds: the sample of the film on which it is struck, the seconds for which it is held, MIDI pitch, velocity, program."""

Rows = NDArray[np.void]
"""Notes as `ROW`, in order: they cross to another process as they lie in memory."""

KNEE = 0.8
"""Of full scale, above which louder music is bent towards it; the loudest moment of a cue is not known before all of it is rendered."""


def stretch(sampler: Sampler, rows: Rows, first: int, count: int) -> Samples:
    """So many samples of the film's music from ``first`` on."""
    voices = (Voice(start / RATE, length, pitch, velocity, program) for start, length, pitch, velocity, program in rows.tolist())
    return np.round(bent(sampler.stretch(voices, first, count)).T * 32767).astype(np.int16)


def bent(sound: Sound) -> Sound:
    """The same where it is within `KNEE`; what is louder stays below full scale."""
    loud = np.abs(sound) > KNEE
    if loud.any():
        over = np.abs(sound[loud]) - KNEE
        sound = sound.copy()
        sound[loud] = np.sign(sound[loud]) * (KNEE + (1 - KNEE) * np.tanh(over / (1 - KNEE)))
    return sound
