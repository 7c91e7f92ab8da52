"""The sound of a film: its first sound track as stereo samples, each at its exact place against the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.picture import container as door

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from engines.picture.reel import Reel

    Stamp = Callable[[AudioFrame], Fraction | None]

RATE = 48_000
"""Samples a second of every sound here, whatever the film has."""
BACK = (Fraction(2), Fraction(5), Fraction(20), Fraction(60))
"""Seconds by which decoding begins earlier: codecs lean on what lay before, and some containers know few places to begin at."""
HEAD = Fraction(5, 2)
"""Seconds of sound whose stamps, taken together, tell where the first of them lies."""
LOOSE = Fraction(1, 20)
"""Seconds between a stamp and the samples counted so far from which on there is a gap; stamps of WebM are rounded to milliseconds."""
UNLIKE = Fraction(1, 200)
"""Seconds by which two blocks of Vorbis differ, so that their stamps tell what it is that they stamp."""
PATIENCE = 2_000
"""Blocks among which two unlike ones are looked for."""

Samples = NDArray[np.int16]
"""Sound: (samples, 2), left and right."""


class Block(NamedTuple):
    """Sound without a gap; ``first`` counts samples of `RATE` from the moment at which the first frame of the film is shown."""

    first: int
    samples: Samples


@contextmanager
def held_open(reel: Reel) -> Iterator[Callable[[int], Iterator[Block]]]:
    """The sound of a film as something that is played: a function that gives blocks in rising order from any sample on, which is the
    first one where the film has sound there. What it gave before ends when it is asked again. Raises FilmError; a film without sound
    gives nothing."""
    with door.film(reel.path) as (container, _):
        stream = next(iter(container.streams.audio), None)
        timing = reel.timing
        origin = int(timing.stamps[0]) * timing.time_base
        stamp = _stamp if stream is None or stream.codec_context.name != "vorbis" else _stamps_of(container.decode(stream))

        def run(start: int) -> Iterator[Block]:
            if stream is None:
                return iter(())
            return laid(_frames(container, stream, origin + Fraction(start, RATE)), origin, start, stamp)

        yield run


def _frames(container: InputContainer, stream: AudioStream, moment: Fraction) -> Iterator[AudioFrame]:
    """Decoded sound from before a moment (seconds of the container) on, or from the beginning where there is no place to begin at."""
    assert stream.time_base is not None  # FFmpeg gives every sound stream one
    begins = stream.start_time or 0
    for back in BACK:
        target = int((moment - back) / stream.time_base)
        if not door.seek(container, stream, max(target, min(begins, 0))):  # type: ignore[arg-type]  # any stream will do
            break
        frames = container.decode(stream)
        first = next(frames, None)
        if first is None or target <= begins or (first.pts is not None and first.pts * stream.time_base <= moment):
            yield from chain(() if first is None else (first,), frames)
            return
    container.seek(0)
    yield from container.decode(stream)


def laid(frames: Iterator[AudioFrame], origin: Fraction, start: int, stamp: Stamp) -> Iterator[Block]:
    """Decoded frames as blocks from sample ``start`` on; ``origin`` is the container's time (seconds) of sample 0, ``stamp`` tells when
    a frame begins."""
    head, seconds = [], Fraction(0)
    for frame in frames:
        head.append(frame)
        seconds += _length(frame)
        if seconds >= HEAD:
            break
    run = _Run(_begins(head, origin, stamp))
    for frame in chain(head, frames):
        place = stamp(frame)
        if place is not None and abs(run.ends - (place - origin)) > LOOSE:
            yield from run.rest(start)
            run = _Run(place - origin)
        yield from run.take(frame, start)
    yield from run.rest(start)


def _length(frame: AudioFrame) -> Fraction:
    return Fraction(frame.samples, frame.sample_rate)


def _stamp(frame: AudioFrame) -> Fraction | None:
    return None if frame.pts is None or frame.time_base is None else frame.pts * Fraction(frame.time_base)


def _stamps_of(frames: Iterator[AudioFrame]) -> Stamp:
    """When blocks of Vorbis begin: some writers stamp each with its beginning, others with its end. Where blocks are of one length both
    come to the same; the first two that are not tell which it is."""
    first = next(frames, None)
    if first is None or (zero := _stamp(first)) is None:
        return _stamp
    taken, least = _length(first), _length(first)
    for frame in islice(frames, PATIENCE):
        more, told = _length(frame) - least, _stamp(frame)
        if told is not None and abs(more) > UNLIKE:
            late = told - zero - taken
            return (
                _stamp if abs(late) < abs(late - more) else lambda f: None if (s := _stamp(f)) is None else s - _length(f) + least
            )
        taken += _length(frame)
    return _stamp


def _begins(head: Sequence[AudioFrame], origin: Fraction, stamp: Stamp) -> Fraction:
    """Where sound begins that runs on without a gap, in seconds of the film: the mean of what its stamps say is finer than any of them.
    One that is a tick away from most was told wrong."""
    told, taken, tick = [], Fraction(0), Fraction(0)
    for frame in head:
        if (place := stamp(frame)) is not None:
            told.append(place - origin - taken)
            if abs(told[-1] - told[0]) > LOOSE:  # a gap: what follows tells nothing of the beginning
                told.pop()
                break
            tick = Fraction(frame.time_base or 0)
        taken += _length(frame)
    middle = sorted(told)[len(told) // 2] if told else Fraction(0)
    right = [begins for begins in told if abs(begins - middle) <= tick] or [middle]
    return sum(right, Fraction(0)) / len(right)


class _Run:
    """Sound without a gap from a moment of the film on, made stereo at our rate."""

    def __init__(self, begins: Fraction) -> None:
        from av.audio.resampler import AudioResampler

        self.ends = begins
        self._resampler = AudioResampler(format="s16", layout="stereo", rate=RATE)
        self._at = round(begins * RATE)

    def take(self, frame: AudioFrame, start: int) -> Iterator[Block]:
        self.ends += _length(frame)
        yield from self._out(self._resampler.resample(frame), start)

    def rest(self, start: int) -> Iterator[Block]:
        """What the resampler holds back until it knows what follows."""
        yield from self._out(self._resampler.resample(None), start)

    def _out(self, frames: Iterable[AudioFrame], start: int) -> Iterator[Block]:
        for frame in frames:
            samples = np.asarray(frame.to_ndarray(), np.int16).reshape(-1, 2)
            at, self._at = self._at, self._at + len(samples)
            if self._at > start:
                skipped = max(0, start - at)
                yield Block(at + skipped, samples[skipped:])
