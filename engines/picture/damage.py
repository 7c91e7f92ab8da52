"""Damage in a film's file that the decoder conceals: which frames are guesses, or missing, and one line that says so."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from engines.picture.reel import Reel
from engines.picture.timecode import Timecode

if TYPE_CHECKING:
    from av import VideoFrame

TOLD = 4
"""Places that the line names; what lies further on is counted."""


class Damage:
    """Takes part in a pass over a film: `see` is shown every frame that is decoded, in order.

    A decoder marks what it guessed where its codec lets it know (H.264, MPEG-2, MPEG-4, ProRes); frames that it gave up are missing
    between those that come.
    """

    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self._last: int | None = None
        self.guessed: list[int] = []
        self.missing: list[int] = []

    def see(self, index: int, frame: VideoFrame) -> None:
        """The next frame that was decoded."""
        if frame.is_corrupt:
            self.guessed.append(index)
        if self._last is not None:
            self.missing += range(self._last + 1, index)
        self._last = index

    @property
    def frames(self) -> list[int]:
        """Those that are not as they were filmed."""
        return sorted({*self.guessed, *self.missing})

    def said(self, start: Timecode | None = None) -> tuple[str, ...]:
        """One line where anything is damaged, with timecodes from the film's ``start``; none for a film that is whole."""
        if not self.frames:
            return ()
        first = start or self._reel.start_timecode or Timecode(0, self._reel.rate)
        places = [f"{first + a}" if a == b else f"{first + a} to {first + b}" for a, b in _runs(self.frames)]
        more = f" and {len(places) - TOLD} more places" if len(places) > TOLD else ""
        whole, gone = len(self.guessed), len(self.missing)
        parts = [f"{whole} of {self._reel.frames} frames are damaged and partly guessed"] * bool(whole)
        parts += [f"{gone} of {self._reel.frames} frames are missing"] * bool(gone)
        where = f"at {', '.join(places[:TOLD])}{more}"
        return (f"{self._reel.path.name}: {', '.join(parts)}, {where}; look at the cuts there, or copy the film again",)


def _runs(frames: list[int]) -> list[tuple[int, int]]:
    """First and last of every run of frames in a row."""
    runs = [[frame for _, frame in group] for _, group in groupby(enumerate(frames), lambda pair: pair[1] - pair[0])]
    return [(run[0], run[-1]) for run in runs]
