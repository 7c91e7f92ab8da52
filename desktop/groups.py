"""What is known of a film's groups of pictures: which frames a decoder reaches from which key frame, learnt while it decodes."""

from __future__ import annotations

from bisect import bisect_right, insort

NEAR = 24
"""Frames ahead up to which decoding on is quicker than searching for a key frame, whatever lies between."""


class Groups:
    """Key frames in order, and how far from each it is known that no other comes."""

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._reach: dict[int, int] = {}
        self._longest = 0

    def met(self, frame: int, key: bool, first: bool) -> None:
        """A frame was decoded; ``first`` after a search, which finds key frames alone."""
        if key or first:
            if frame not in self._reach:
                insort(self._keys, frame)
            self._reach.setdefault(frame, frame)
        elif (home := self._home(frame)) is not None and self._reach[home] == frame - 1:
            self._reach[home] = frame
            self._longest = max(self._longest, frame - home)

    def worth(self, at: int, goal: int) -> bool:
        """Whether decoding on from a frame gives another one sooner than a search: no key frame is known to lie between, and none is
        likely to."""
        if not 0 <= at <= goal:
            return False
        if goal - at <= NEAR:
            return True
        home = self._home(goal)
        if home is not None and home <= at:
            return goal <= self._reach[home] or goal - at <= self._longest // 2
        return False

    def _home(self, frame: int) -> int | None:
        place = bisect_right(self._keys, frame)
        return self._keys[place - 1] if place else None
