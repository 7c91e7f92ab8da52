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
STRETCH = 2048  # frames looked at together: 14 MB, however long the film
OVERLAP = 160  # frames that neighbouring stretches share on each side, more than twice the longest dissolve
STUDIO = 6.0
"""Levels that a film must differ by, over place and time, to have shots at all."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive frames as thumbnails.

    ``luma`` (n, 36, 64) and ``chroma`` (n, 2, 18, 32) are float32 in the decoder's 0..255. ``first`` is the film's index of the
    first; boundaries are to be reported from ``start`` up to ``stop``, the rest is there as context.
    """

    luma: Floats
    chroma: Floats
    first: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many frames there are, context included."""
        return len(self.luma)


def stretches(
    reel: Reel, on_progress: Callable[[float, float], None] | None, cancelled: Callable[[], bool] | None
) -> Iterator[Stretch]:
    """Decode the film once. Raises Cancelled as soon as ``cancelled()`` is true, FilmError as `Reel.decoded`."""
    shrink, total = _shrinker(), reel.frames
    kept: list[NDArray[np.uint8]] = []
    first = start = 0
    last = -1
    for index, frame in reel.decoded():
        if cancelled is not None and cancelled():
            raise Cancelled
        small = shrink(frame)
        kept.extend([small] * (index - last))  # a frame that the decoder dropped stands as the next one shown
        last = index
        if on_progress is not None and index % 12 == 0:
            on_progress(index + 1, total)
        if len(kept) >= start - first + STRETCH + OVERLAP:
            yield _stretch(kept, first, start, start + STRETCH)
            start += STRETCH
            kept, first = kept[start - OVERLAP - first :], start - OVERLAP
    if kept:
        yield _stretch(kept, first, start, last + 1)
    if on_progress is not None:
        on_progress(total, total)


def _stretch(kept: list[NDArray[np.uint8]], first: int, start: int, stop: int) -> Stretch:
    planes = np.stack(kept)
    luma = planes[:, :HIGH].astype(np.float32)
    chroma = planes[:, HIGH:].reshape(len(kept), 2, HIGH // 2, WIDE // 2).astype(np.float32)
    return Stretch(luma, chroma, first, start, stop)


def _shrinker() -> Callable[[VideoFrame], NDArray[np.uint8]]:
    from av.video.reformatter import Interpolation, VideoReformatter

    reformatter = VideoReformatter()

    def shrink(frame: VideoFrame) -> NDArray[np.uint8]:
        small = reformatter.reformat(frame, WIDE, HIGH, "yuv420p", interpolation=Interpolation.AREA)
        return np.asarray(small.to_ndarray(), np.uint8)

    return shrink
