"""Motion and light of a film, sampled in one pass: what the picture has to say to the music."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.engine import Progress
from engines.errors import Cancelled
from engines.picture import container as door
from engines.picture import visual_beats
from engines.picture.cut import Cut
from engines.picture.flow import BINS, Floats, Flow, flow, size, still
from engines.picture.light import Light, lights
from engines.picture.reel import Image, Reel
from engines.picture.visual_beats import VisualBeat

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

FINEST, COARSEST = 25, 12
"""Samples a second: of a short film, and of a long one."""
LONG = 5_000
"""Samples at the finest beyond which a film is sampled coarsely: about three minutes and a half."""
FASTEST = 4.0
"""Picture heights a second: flow beyond it is not motion that was followed, but a flash or a whip."""
_BLOCK = 64  # pictures whose light is measured together
PUBLISHED_LINES = 360
"""Height of the picture whose pixels the published thresholds count."""


@dataclass(frozen=True, eq=False)
class Motion:
    """What moves and shines, sample by sample; every array has one value a sample.

    ``frames`` shows which frame each sample is, ``times`` its exact seconds. ``rate`` is samples a second. ``speed`` is the
    mean motion over the whole picture and ``pace`` that of what moves, both in picture heights a second; ``component`` is the
    published measure, pixels a frame of a 360-line picture. ``impact`` is the envelope of visual beats (see `visual_beats`).
    ``directograms`` (n, BINS) is motion by direction, heights a second. The rest is `Light`. Motion across a cut is not motion: there
    the samples are filled from their neighbours.
    """

    frames: NDArray[np.int64]
    times: tuple[Fraction, ...]
    rate: Fraction
    duration: Fraction
    cuts: tuple[Fraction, ...]
    speed: Floats
    pace: Floats
    component: Floats
    impact: Floats
    luma: Floats
    contrast: Floats
    saturation: Floats
    warmth: Floats
    colourfulness: Floats
    directograms: NDArray[np.float32] = field(repr=False)

    @cached_property
    def seconds(self) -> Floats:
        """``times`` as floats."""
        return np.array([float(time) for time in self.times])

    @cached_property
    def beats(self) -> tuple[VisualBeat, ...]:
        """The visual beats, in order; none on a still film."""
        return visual_beats.beats_of(self.impact, self.frames, self.times, float(self.rate))

    def tempo(self, low: float = 40.0, high: float = 240.0) -> float | None:
        """The visual tempo in beats a minute within a range; None where nothing repeats."""
        if len(self.beats) < visual_beats.FEWEST:
            return None
        return visual_beats.tempo_of(self.impact, float(self.rate), low, high)

    def samples(self, start: Fraction | float, end: Fraction | float) -> slice:
        """The samples from ``start`` up to ``end`` seconds; the one on the screen at ``start`` where none lies between."""
        first, last = (int(k) for k in np.searchsorted(self.seconds, (float(start) - 1e-9, float(end) - 1e-9)))
        if first >= last:
            first = min(max(0, int(np.searchsorted(self.seconds, float(start), side="right")) - 1), len(self.times) - 1)
            last = first + 1
        return slice(first, last)

    def mean(self, values: Floats, start: Fraction | float, end: Fraction | float) -> float:
        """The mean of one of the arrays over a span of seconds."""
        return float(values[self.samples(start, end)].mean())


class MotionMeter:
    """Takes the pictures of a film one after another, and gives its `Motion`: for use within any pass over the film."""

    def __init__(self, rate: Fraction, frames: int, width: int, height: int) -> None:
        """For a film of ``frames`` frames at ``rate`` a second, displayed at ``width`` x ``height``."""
        wanted = FINEST if frames <= LONG * max(1, round(rate / FINEST)) else COARSEST
        self.step = max(1, round(rate / wanted))
        """Every so many frames one is looked at."""
        self.size = size(width, height)
        """(width, height) of the pictures it wants."""
        self._rate, self._aspect = rate, width / height
        self._frames: list[int] = []
        self._times: list[Fraction] = []
        self._flows: list[Flow] = []
        self._lights: list[NDArray[np.float32]] = []
        self._unlit: list[Image] = []
        self._last: Image | None = None

    def wants(self, frame: int) -> bool:
        """Whether this frame is one of the samples."""
        return not self._frames or frame - self._frames[-1] >= self.step

    def add(self, frame: int, time: Fraction, image: Image) -> None:
        """One RGB picture of `size`, frames rising."""
        gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        found = still() if self._last is None else flow(self._last, gray, self._aspect)
        self._frames.append(frame)
        self._times.append(time)
        self._flows.append(found)
        self._unlit.append(image[::2, ::2])
        if len(self._unlit) == _BLOCK:
            self._light()
        self._last = gray

    def _light(self) -> None:
        if self._unlit:
            self._lights.append(lights(np.stack(self._unlit)))
            self._unlit.clear()

    def motion(self, duration: Fraction, cuts: Sequence[Cut] = ()) -> Motion:
        """What was measured, with the motion across ``cuts`` taken out."""
        frames = np.array(self._frames, np.int64)
        rate = self._rate / self.step
        gaps = (
            np.diff([float(time) for time in self._times], prepend=float(self._times[0]) - float(1 / rate))
            if len(frames)
            else np.zeros(0)
        )
        self._light()
        lit = np.concatenate([np.zeros((0, len(Light._fields))), *self._lights])
        followed = ~_across(frames, cuts)
        raw = {name: np.array([getattr(f, name) for f in self._flows]) for name in ("mean", "moving", "component")}
        speed, pace = (np.minimum(_filled(raw[name] / gaps, followed), FASTEST) for name in ("mean", "moving"))
        component = _filled(raw["component"] / self.step, followed) * PUBLISHED_LINES
        way = (np.array([f.directogram for f in self._flows]).reshape(-1, BINS) / gaps[:, None]).astype(np.float32)
        starts = np.flatnonzero(~followed).tolist()
        envelope = visual_beats.impact(way, float(rate), starts)
        return Motion(
            frames,
            tuple(self._times),
            rate,
            duration,
            tuple(cut.time for cut in sorted(cuts)),
            speed,
            pace,
            component,
            envelope,
            directograms=way,
            **dict(zip(Light._fields, lit.T, strict=True)),
        )


def _across(frames: NDArray[np.int64], cuts: Sequence[Cut]) -> NDArray[np.bool_]:
    """Samples whose flow is no motion: the first one, the first of every shot, and those within a dissolve."""
    across = np.zeros(len(frames), np.bool_)
    across[:1] = True
    for cut in cuts:
        half = cut.length // 2 if cut.kind == "dissolve" else 0
        first, last = np.searchsorted(frames, (cut.frame - half, cut.frame + half))
        across[first : last + 1] = True
    return across


def _filled(values: Floats, followed: NDArray[np.bool_]) -> Floats:
    """Values with those that were not followed drawn between their neighbours; zeros where none was."""
    if not followed.any():
        return np.zeros(len(values))
    known = np.flatnonzero(followed)
    return np.interp(np.arange(len(values)), known, values[known])


class FilmMeter:
    """Takes the decoder's frames of a film in any pass over it, such as that of `shots.cuts`, and gives its `Motion`."""

    def __init__(self, reel: Reel) -> None:
        """For the film whose frames will be shown."""
        self._reel, self._meter = reel, MotionMeter(reel.rate, reel.frames, reel.width, reel.height)
        self._scale = door.scaler(*self._meter.size, reel.rotation, gray=False)

    def see(self, index: int, frame: VideoFrame) -> None:
        """The next frame that was decoded; most are passed over."""
        if self._meter.wants(index):
            self._meter.add(index, self._reel.timing.time(index), self._scale(frame))

    def motion(self, cuts: Sequence[Cut] = ()) -> Motion:
        """What was measured, with the motion across ``cuts`` taken out."""
        return self._meter.motion(self._reel.duration, cuts)


def measure(
    reel: Reel,
    cuts: Sequence[Cut] = (),
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    each: Callable[[int, VideoFrame], None] | None = None,
) -> Motion:
    """Motion and light of a film, in a pass of its own over its pictures; `FilmMeter` takes part in another's.

    Costs about as much as decoding again; long films are sampled 12 times a second instead of 25. ``each`` is shown every frame.
    Raises Cancelled soon after ``cancelled()`` turns true, FilmError where the film cannot be decoded.
    """
    meter = FilmMeter(reel)
    for index, frame in reel.decoded():
        if cancelled is not None and cancelled():
            raise Cancelled
        meter.see(index, frame)
        if each is not None:
            each(index, frame)
        if on_progress is not None:
            on_progress(index, reel.frames)
    if on_progress is not None:
        on_progress(reel.frames, reel.frames)
    return meter.motion(cuts)
