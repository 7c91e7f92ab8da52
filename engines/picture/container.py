"""The door to FFmpeg: opens a film's container, and turns every failure of it into one line."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engines.errors import FilmError
from engines.picture.timing import Timing

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_CONVERT = "copy the film again from its source, or convert it to H.264 in an mp4 and open that"
_SHARED = 1 << 16  # pixels; sharing out a smaller picture among threads costs more than making it
_INDEXED = ("mov", "mp4")  # families whose header lists every frame, so that counting reads no pictures


@contextmanager
def film(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The open container and its picture stream; whatever FFmpeg says against it becomes a FilmError."""
    import av

    _present(path)
    try:
        with av.open(str(path), "r", metadata_errors="replace") as container:
            stream = _picture(container, path)
            stream.thread_type = "AUTO"
            yield container, stream
    except PermissionError:
        raise FilmError("no permission to read the film", where=path, cure="give yourself read access to it") from None
    except av.error.FFmpegError as error:
        raise FilmError(f"not a film that can be read ({error.strerror})", where=path, cure=_CONVERT) from None


def _present(path: Path) -> None:
    try:
        there = path.stat()
    except PermissionError:  # of a folder above it
        raise FilmError("no permission to see the film", where=path, cure="give yourself access to its folder") from None
    except OSError:
        raise FilmError("no such film", where=path, cure="check the name and the folder") from None
    if stat.S_ISDIR(there.st_mode):
        raise FilmError("that is a folder, not a film", where=path, cure="name one film inside it")
    if not stat.S_ISREG(there.st_mode):  # FFmpeg would wait for what a pipe never says
        raise FilmError("that is a device or a pipe, not a film", where=path, cure="name a film in a file")
    if not os.access(path, os.R_OK):
        raise FilmError("no permission to read the film", where=path, cure="give yourself read access to it")
    if there.st_size == 0:
        raise FilmError("the file is empty", where=path, cure="copy the film again from its source")


def _picture(container: InputContainer, path: Path) -> VideoStream:
    """The first moving picture; cover art and thumbnails are none."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            return stream
    sound = "sound only" if container.streams.audio else "no picture"
    raise FilmError(f"there is {sound} in this file", where=path, cure="open the film itself, or give the cuts as a cut list")


def timing(container: InputContainer, stream: VideoStream, path: Path, first: int | None) -> Timing:
    """The presentation of every frame, from the header where it lists them at one rate, else by reading all packets.

    ``first`` is the stamp of the first frame that decodes; what lies before it (a film cut off amid a group of pictures) is
    not part of the film.
    """
    guess = stream.guessed_rate or stream.average_rate
    assert stream.time_base is not None  # FFmpeg gives every picture stream one
    if any(name in container.format.name.split(",") for name in _INDEXED):
        stamps = np.array([e.timestamp for e in stream.index_entries if not e.is_discard], np.int64)
        listed = Timing.of(stamps, stream.time_base, guess) if len(stamps) else None
        if listed and not listed.variable:
            # the index counts decoding, which runs ahead of presentation by a constant
            shift = int(listed.stamps[0]) - (int(listed.stamps[0]) if first is None else first)
            return Timing(listed.rate, False, listed.time_base, listed.stamps - shift)
    shown = [stamp for stamp in _shown(container, stream, path) if first is None or stamp >= first]
    if not shown:
        raise FilmError("there is not one frame in this film", where=path, cure=_CONVERT)
    return Timing.of(np.array(shown, np.int64), stream.time_base, guess)


def _shown(container: InputContainer, stream: VideoStream, path: Path) -> list[int]:
    stamps, end = [], Fraction(0)
    vp8 = stream.codec_context.name == "vp8"
    for packet in container.demux():
        stamp = packet.pts if packet.pts is not None else packet.dts
        if packet.size == 0 or packet.is_discard or stamp is None:
            continue
        end = max(end, (stamp + (packet.duration or 0)) * packet.time_base)
        # show_frame of RFC 6386 9.1: an alternate reference is never shown
        if packet.stream_index == stream.index and not (vp8 and not memoryview(packet)[0] & 16):
            stamps.append(stamp)
    whole = Fraction(container.duration or 0, 1_000_000)
    if end + 1 < whole:
        what = f"the film is cut short: it ends at {float(end):.2f} s of {float(whole):.2f} s"
        raise FilmError(what, where=path, cure="copy it again from its source")
    return stamps


def start_label(container: InputContainer, stream: VideoStream) -> str | None:
    """The start timecode as the container writes it: on the picture, on a timecode track, or on the whole."""
    for metadata in (stream.metadata, *(s.metadata for s in container.streams.data), container.metadata):
        if metadata.get("timecode"):
            return str(metadata["timecode"])
    return None


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a pixel over its height; 1 where the film is silent about it."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return Fraction(aspect) if aspect else Fraction(1)


def frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Every frame that decodes, in order, from where the container is: damage in one must not hide those after it."""
    from av.error import InvalidDataError

    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except InvalidDataError:
            continue
        yield from decoded


def stamp(frame: VideoFrame) -> int | None:
    """When a decoded frame is shown, in ticks of its stream; avi and raw streams only know when it is decoded."""
    return frame.pts if frame.pts is not None else frame.dts


def seek(container: InputContainer, stream: VideoStream, target: int) -> bool:
    """Go to the key frame before ``target``; False where the container cannot."""
    import av

    try:
        container.seek(target, stream=stream, backward=True)
    except av.error.FFmpegError:
        return False
    return True


def scaler(width: int, height: int, rotation: int, gray: bool) -> Callable[[VideoFrame], NDArray[np.uint8]]:
    """Turns decoded frames into pictures of ``width`` x ``height`` as displayed, upright."""
    from av.video.reformatter import Interpolation, VideoReformatter

    reformatter, turns = VideoReformatter(), rotation // 90
    wide, high = (height, width) if turns % 2 else (width, height)
    threads = 1 if wide * high < _SHARED else 0  # 0: as many as there are cores

    def scale(frame: VideoFrame) -> NDArray[np.uint8]:
        smaller = wide * high < frame.width * frame.height
        how = Interpolation.AREA if smaller else Interpolation.BICUBIC
        made = reformatter.reformat(frame, wide, high, "gray" if gray else "rgb24", interpolation=how, threads=threads)
        image = np.asarray(made.to_ndarray(), np.uint8)
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else image

    return scale
