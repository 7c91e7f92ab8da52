"""Thumbnails of a film: what shot detection looks at, straight from the decoder's luma and chroma, a stretch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engines.errors import Cancelled
from engines.picture.reel import Reel

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

WIDE, HIGH = 64, 36
LUMA, CHROMA = WIDE * HIGH // 4, WIDE * HIGH // 8
"""Features of a frame's vector: luma, then both chromas."""
STRETCH = 2048  # frames looked at together: 16 MB, however long the film
OVERLAP = 160  # frames that neighbouring stretches share on each side, more than twice the longest dissolve
STUDIO = 6.0
"""Levels that a film must differ by, over place and time, to have shots at all."""
_BLOCK = 32  # frames measured together: their thumbnails and what is computed of them fit the processor's cache
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive frames as thumbnails, and what is measured of each.

    ``luma`` (n, 36, 64) is uint8 in the decoder's 0..255. ``vectors`` (n, 864) are the frames as one vector each: luma 32 x 18,
    then chroma 16 x 9 twice, weighted so that a mean compares them. ``mean`` and ``spread`` (standard deviation) are of the luma,
    ``edges`` its mean squared gradient, each (n,) float32. ``first`` is the film's index of the first frame; boundaries are to be
    reported from ``start`` up to ``stop``, the rest is there as context. The arrays are the pass's own: what is to outlive the
    stretch is to be copied.
    """

    luma: Bytes
    vectors: Floats
    mean: Floats
    spread: Floats
    edges: Floats
    first: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many frames there are, context included."""
        return len(self.luma)


def stretches(
    reel: Reel,
    on_progress: Callable[[float, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    each: Callable[[int, VideoFrame], None] | None = None,
) -> Iterator[Stretch]:
    """Decode the film once, ``each`` frame shown as it comes.

    Raises Cancelled as soon as ``cancelled()`` is true, FilmError as `Reel.decoded`.
    """
    shrink, total = _shrinker(), reel.frames
    strip = _Strip(min(total, STRETCH + 2 * OVERLAP))
    start, last = 0, -1
    for index, frame in reel.decoded():
        if cancelled is not None and cancelled():
            raise Cancelled
        if each is not None:
            each(index, frame)
        small = shrink(frame)
        for _ in range(index - last):  # a frame that the decoder dropped stands as the next one shown
            strip.add(small)
            if strip.stop == start + STRETCH + OVERLAP and strip.stop < total:
                yield strip.stretch(start, start + STRETCH)
                start += STRETCH
                strip.forget(max(0, start - OVERLAP))
        last = index
        if on_progress is not None and index % 12 == 0:
            on_progress(index + 1, total)
    if last >= 0:
        yield strip.stretch(start, last + 1)
    if on_progress is not None:
        on_progress(total, total)


class _Strip:
    """The thumbnails in hand, measured block by block while the decoder's own threads go on."""

    def __init__(self, room: int) -> None:
        self._planes = np.empty((room, HIGH * 3 // 2, WIDE), np.uint8)
        self._vectors = np.empty((room, LUMA + CHROMA), np.float32)
        self._numbers = np.empty((3, room), np.float32)
        self._first = self._held = self._measured = 0

    @property
    def stop(self) -> int:
        """One more than the last frame in hand, counted in the film."""
        return self._first + self._held

    def add(self, planes: Bytes) -> None:
        self._planes[self._held] = planes
        self._held += 1
        if self._held - self._measured == _BLOCK:
            self._measure()

    def _measure(self) -> None:
        if self._held == self._measured:
            return
        new = slice(self._measured, self._held)
        self._vectors[new] = vectors(self._planes[new])
        self._numbers[:, new] = _measures(self._planes[new, :HIGH])
        self._measured = self._held

    def stretch(self, start: int, stop: int) -> Stretch:
        self._measure()
        held = slice(self._held)
        mean, spread, edges = self._numbers[:, held]
        return Stretch(self._planes[held, :HIGH], self._vectors[held], mean, spread, edges, self._first, start, stop)

    def forget(self, before: int) -> None:
        """Make room: frames before this one are no longer needed."""
        gone, kept = before - self._first, self.stop - before
        for frames in (self._planes, self._vectors, *self._numbers):
            frames[:kept] = frames[gone : gone + kept].copy()
        self._first, self._held, self._measured = before, kept, kept


def vectors(planes: Bytes) -> Floats:
    """`Stretch.vectors` (n, 864) of thumbnails (n, 54, 64): luma over both chroma planes, as yuv420p lies in memory."""
    n = len(planes)
    luma = _halved(planes[:, :HIGH]).reshape(n, -1)
    chroma = _halved(planes[:, HIGH:].reshape(n, HIGH, WIDE // 2)).reshape(n, -1)
    out = np.empty((n, LUMA + CHROMA), np.float32)
    np.multiply(luma, np.float32(1 / 4), out=out[:, :LUMA])
    np.multiply(chroma, np.float32(2 / 4), out=out[:, LUMA:])  # a quarter, twice
    return out


def _halved(pictures: Bytes) -> NDArray[np.uint16]:
    """Sums of every four pixels."""
    rows = np.add(pictures[:, ::2], pictures[:, 1::2], dtype=np.uint16)
    return rows[:, :, ::2] + rows[:, :, 1::2]


def _measures(luma: Bytes) -> Floats:
    """Mean, standard deviation and mean squared gradient (3, n)."""
    levels = luma.astype(np.float32)
    mean = levels.mean((1, 2))
    return np.stack((mean, np.sqrt(_power(levels - mean[:, None, None])), detail(levels)))


def detail(luma: Floats) -> Floats:
    """Mean squared gradient of every frame (n, height, width)."""
    return _power(luma[:, :, 1:] - luma[:, :, :-1]) + _power(luma[:, 1:] - luma[:, :-1])


def _power(values: Floats) -> Floats:
    flat = values.reshape(len(values), -1)
    power: Floats = np.einsum("ij,ij->i", flat, flat) / np.float32(flat.shape[1])
    return power


def _shrinker() -> Callable[[VideoFrame], Bytes]:
    """Makes thumbnails (54, 64), all in one place: each lasts until the next."""
    from av.video.reformatter import Interpolation, VideoReformatter

    reformatter = VideoReformatter()
    planes = np.empty((HIGH * 3 // 2, WIDE), np.uint8)
    places = (planes[:HIGH], *planes[HIGH:].reshape(2, HIGH // 2, WIDE // 2))

    def shrink(frame: VideoFrame) -> Bytes:
        # one thread: sharing out so small a picture costs more than making it
        small = reformatter.reformat(frame, WIDE, HIGH, "yuv420p", interpolation=Interpolation.AREA, threads=1)
        for place, plane in zip(places, small.planes, strict=True):
            place[:] = np.frombuffer(memoryview(plane), np.uint8).reshape(len(place), -1)[:, : place.shape[1]]
        return planes

    return shrink
