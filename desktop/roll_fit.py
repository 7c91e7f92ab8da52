"""Which pitches the piano roll shows: all that a scene has where notes stay thick enough to be told apart, else those of most notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from desktop.roll_paint import Frame

THINNEST, THICKEST = 5.0, 12.0
"""Pixels a semitone that are chosen for a scene; by hand it may be less or more."""
MARGIN = 1
"""Semitones that are shown beyond the lowest and the highest note."""


def fitted(frame: Frame, pitches: npt.NDArray[np.int16]) -> Frame:
    """The frame over the pitches of some notes: all of them in the middle, or as many as there is room for."""
    low, high = int(pitches.min()) - MARGIN, int(pitches.max()) + MARGIN
    room, wanted = frame.notes.height(), high - low + 1
    key = min(THICKEST, max(THINNEST, room / wanted))
    rows = room / key
    if rows >= wanted:
        return replace(frame, key=key).raised(high + (rows - wanted) / 2)
    whole = max(1, int(rows))
    counts = np.bincount(pitches.astype(np.int64) - low, minlength=wanted)
    held = np.convolve(counts, np.ones(whole, np.int64), "valid")  # how many notes each window of rows holds
    best = np.flatnonzero(held == held.max())
    lowest = low + int(best[len(best) // 2])
    return replace(frame, key=key).raised(lowest + whole - 1 + (rows - whole) / 2)


def reaching(frame: Frame, pitch: int) -> Frame:
    """The frame, scrolled no farther than it takes to see a pitch with a row around it."""
    rows = frame.notes.height() / frame.key
    if pitch + MARGIN > frame.top:
        return frame.raised(pitch + MARGIN)
    if pitch - MARGIN < frame.top - rows + 1:
        return frame.raised(pitch - MARGIN + rows - 1)
    return frame
