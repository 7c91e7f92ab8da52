"""The reel: one film, its exact rate and start timecode, and its pictures in the order in which they are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.errors import FilmError, OptionError
from engines.picture import container as door
from engines.picture.timecode import Timecode
from engines.picture.timing import Timing

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Image = NDArray[np.uint8]
"""One picture as it is meant to be seen: (height, width, 3) RGB or (height, width) grey."""

_BACK = (0, 1, 5, 20, 60)  # seconds to seek further back until a whole key frame precedes the frame asked for
_SAMPLE = 1 << 20  # bytes; a film of up to 16 of these is hashed whole


class Picture(NamedTuple):
    """A frame of the film: its number from 0, its time in exact seconds from the first frame's presentation, its pixels."""

    frame: int
    time: Fraction
    image: Image


@dataclass(frozen=True, eq=False)
class Reel:
    """A film that PyAV can decode. Sizes are as displayed: turned by ``rotation`` and with square pixels.

    ``rotation`` is in degrees counter-clockwise, a multiple of 90. `timing` and all that rests on it (``rate``, ``frames``,
    ``duration``, ``variable``) reads every packet of the film once where the container does not list them (mkv, webm, avi), but
    decodes nothing.
    """

    path: Path
    width: int
    height: int
    rotation: int
    has_audio: bool
    first_stamp: int | None = None
    start_label: str | None = None

    @classmethod
    def open(cls, path: str | Path) -> Reel:
        """Open a film and decode its first frame. Raises FilmError for anything that is not a film with a picture."""
        path = Path(path)
        with door.film(path) as (container, stream):
            first = next(container.decode(stream), None)
            if first is None:
                raise FilmError("there is not one frame in this film", where=path, cure="copy the film again from its source")
            turns = round(first.rotation / 90) % 4
            aspect = door.pixel_aspect(stream)
            wide, high = max(1, round(first.width * aspect)), first.height
            if turns % 2:
                wide, high = high, wide
            label = door.start_label(container, stream)
            return cls(path, wide, high, turns * 90, bool(container.streams.audio), door.stamp(first), label)

    @cached_property
    def timing(self) -> Timing:
        """When every frame is shown."""
        with door.film(self.path) as (container, stream):
            return door.timing(container, stream, self.path, self.first_stamp)

    @property
    def rate(self) -> Fraction:
        """Frames a second, exact: 24000/1001, never 23.976. Of a film with a variable rate, the rate of most frames."""
        return self.timing.rate

    @property
    def frames(self) -> int:
        """How many frames the film shows."""
        return self.timing.frames

    @property
    def duration(self) -> Fraction:
        """Exact seconds from the first frame to the end of the last."""
        return self.timing.duration

    @property
    def variable(self) -> bool:
        """Whether the frames are not evenly spaced."""
        return self.timing.variable

    def times(self) -> list[Fraction]:
        """The time of every frame, in exact seconds from the first frame's presentation."""
        return [self.timing.time(k) for k in range(self.frames)]

    @cached_property
    def start_timecode(self) -> Timecode | None:
        """The timecode of frame 0 where the container carries one that can be read at the film's rate."""
        if self.start_label is None:
            return None
        try:
            return Timecode.parse(self.start_label, self.rate)
        except OptionError:
            return None

    @cached_property
    def digest(self) -> str:
        """A fingerprint by which a session knows its film, see `digest`."""
        return digest(self.path)

    def decoded(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        """Frames as the decoder gives them (coded size, unturned), with their index, from ``start`` up to ``stop``.

        Frame-exact wherever it starts. Frames of which the decoder makes nothing are passed over, see `engines.picture.damage`. Raises
        FilmError where the film cannot be read on, and where it ends a second or more before its own header says.
        """
        from av.error import FFmpegError

        index, end = start - 1, self.frames if stop is None else min(stop, self.frames)
        with door.film(self.path) as (container, stream):
            try:
                for index, frame in self._from(container, stream, start):
                    if index >= end:
                        return
                    if index >= start:
                        yield index, frame
            except FFmpegError:
                raise self._damaged(index) from None
        if index + 1 + max(Fraction(1), self.rate) < end:
            raise self._damaged(index)

    @contextmanager
    def held_open(self) -> Iterator[Callable[[int], Iterator[tuple[int, VideoFrame]]]]:
        """The film as something that is played: a function that gives decoded frames with their index from the key frame before any
        frame on, without opening the file anew. What it gave before ends when it is asked again. Raises FilmError."""
        with door.film(self.path) as (container, stream):

            def run(start: int) -> Iterator[tuple[int, VideoFrame]]:
                if start <= 0:
                    door.seek(container, stream, int(self.timing.stamps[0]))
                return self._from(container, stream, start)

            yield run

    def _damaged(self, last: int) -> FilmError:
        seconds = float(self.timing.time(max(0, last)))
        what = f"the picture cannot be decoded after frame {last} of {self.frames} ({seconds:.2f} s)"
        return FilmError(what, where=self.path, cure="the film is cut short or damaged: copy it again from its source")

    def _from(self, container: InputContainer, stream: VideoStream, start: int) -> Iterator[tuple[int, VideoFrame]]:
        """Frames from a key frame at or before ``start`` on."""
        if start > 0:
            stamps = self.timing.stamps
            for back in _BACK:
                target = int(stamps[start]) - int(back / self.timing.time_base)
                if not door.seek(container, stream, max(target, int(stamps[0]))):
                    break
                # frames before the first key frame lean on pictures that were skipped
                run = self._indexed(dropwhile(lambda f: not f.key_frame, door.frames(container, stream)))
                first = next(run, None)
                if first and first[0] <= start:
                    yield from chain((first,), run)
                    return
            with door.film(self.path) as (again, same):  # nothing to seek by: from the beginning
                yield from self._indexed(door.frames(again, same))
        else:
            yield from self._indexed(door.frames(container, stream))

    def _indexed(self, frames: Iterator[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
        last = -1
        for frame in frames:
            stamp = door.stamp(frame)
            last = last + 1 if stamp is None else max(last + 1, self.timing.index(stamp))
            yield last, frame

    def pictures(
        self, width: int | None = None, gray: bool = False, start: int = 0, stop: int | None = None
    ) -> Iterator[Picture]:
        """Frames from ``start`` up to ``stop`` as they are meant to be seen, in order, one at a time.

        ``width`` scales them down (averaging areas, the aspect kept); None keeps the displayed size. The image is RGB
        (height, width, 3), or (height, width) if ``gray``. Errors as `decoded`.
        """
        wide, high = self._size(width)
        scale = door.scaler(wide, high, self.rotation, gray)
        for index, frame in self.decoded(start, stop):
            yield Picture(index, self.timing.time(index), scale(frame))

    def _size(self, width: int | None) -> tuple[int, int]:
        if width is not None and width < 1:
            raise OptionError(f"{width} is no width of a picture", cure="give at least 1 pixel")
        wide = self.width if width is None else min(width, self.width)
        return wide, max(1, round(self.height * wide / self.width))

    def frame_at(self, index: int, width: int | None = None) -> Image:
        """The picture of one frame, RGB (height, width, 3). Raises FilmError for a frame beyond the film."""
        if not 0 <= index < self.frames:
            last = self.frames - 1
            raise FilmError(f"there is no frame {index}", where=self.path, cure=f"the film's frames are 0 to {last}")
        for picture in self.pictures(width, start=index, stop=index + 1):
            return picture.image
        raise self._damaged(index - 1)


def digest(path: Path) -> str:
    """A fingerprint of a film's file, whatever it is called: SHA-256 over the size and 16 samples of the bytes (all, if few)."""
    size = path.stat().st_size
    sha = hashlib.sha256(str(size).encode())
    step = max(_SAMPLE, (size - _SAMPLE) // 15) if size > 16 * _SAMPLE else _SAMPLE
    with path.open("rb") as file:
        for place in range(0, size, step):
            file.seek(place)
            sha.update(file.read(_SAMPLE))
    return sha.hexdigest()
