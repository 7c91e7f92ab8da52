"""Shot boundaries from pixels: hard cuts to the frame, dissolves and fades apart, in one pass over the film."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from engines.picture.cut import Cut, CutKind
from engines.picture.gradual import dissolves, fades
from engines.picture.joins import Join, hard_cuts
from engines.picture.reel import Reel
from engines.picture.thumbnails import STUDIO, Stretch, stretches

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def cuts(
    reel: Reel,
    on_progress: Callable[[float, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    also: Callable[[Stretch], None] | None = None,
    each: Callable[[int, VideoFrame], None] | None = None,
) -> list[Cut]:
    """Every shot boundary of a film, in order; frame 0 is none.

    ``on_progress(done, total)`` counts frames. ``also`` is shown every stretch in order and ``each`` every decoded frame with its
    index, so that whoever needs thumbnails (`fingerprint.Fingerprints.add`) or pictures (`motion.FilmMeter.see`) needs no pass
    of its own. Raises Cancelled as soon as ``cancelled()`` is true, FilmError where the film cannot be decoded.
    """
    found: list[Cut] = []
    for stretch in stretches(reel, on_progress, cancelled, each):
        if also is not None:
            also(stretch)
        for frame, kind, length, confidence, strength in boundaries(stretch):
            index = stretch.first + frame
            if stretch.start <= index < stretch.stop and 0 < index < reel.frames:
                found.append(Cut(index, reel.timing.time(index), kind, round(confidence, 3), round(strength, 3), length))
    return sorted(found)


def boundaries(stretch: Stretch) -> list[tuple[int, CutKind, int, float, float]]:
    """(frame counted in the stretch, kind, length, confidence, strength) of every boundary of a stretch.

    Fades are looked for first, then hard cuts outside their ramps, then dissolves between the cuts.
    """
    if stretch.frames < 2 or np.ptp(stretch.luma) < STUDIO:
        return []
    dark = fades(stretch.mean, stretch.spread)
    outside = np.ones(stretch.frames, bool)
    for fade in dark:
        outside[max(0, fade.start) : fade.stop + 1] = False  # what changes on the ramp of a fade is the fade itself
    quick: list[Join] = hard_cuts(stretch, outside)
    slow = [fade for fade in dark if not fade.opening]
    slow += [
        mix
        for mix in dissolves(stretch, [j.frame for j in quick])
        if not any(f.start - 2 < mix.stop and mix.start < f.stop + 2 for f in dark)
    ]
    out: list[tuple[int, CutKind, int, float, float]] = [(j.frame, "cut", 0, j.confidence, j.strength) for j in quick]
    out += [(g.frame, "dissolve" if g.kind == "dissolve" else "fade", g.length, g.confidence, g.strength) for g in slow]
    return sorted(out)
