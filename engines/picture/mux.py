"""Music under a picture: the film's own pictures, untouched where the container can hold them, and a new sound track."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engines import files
from engines.errors import Cancelled, FilmError, OptionError, OutputError
from engines.picture import container as door
from engines.picture.reel import Reel

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet

    AnyPacket = Packet[Any]

RATE = 48_000
"""Samples a second of the sound track."""

KEPT = {
    ".mp4": ("h264", "hevc", "av1", "vp9", "mpeg4"),
    ".mov": ("h264", "hevc", "mpeg4", "prores", "dnxhd", "mjpeg"),
    ".mkv": ("h264", "hevc", "av1", "vp9", "vp8", "mpeg4", "prores", "dnxhd", "mjpeg", "ffv1"),
}
"""Pictures that players expect in each container; others are encoded again as H.264."""

Sound = NDArray[np.float32]
"""Samples, shape (2, frames), full scale at 1."""

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}

_OPTIONS = {".mp4": {"movflags": "faststart"}, ".mov": {"movflags": "faststart"}}
_HEAD = 64  # packets that are looked at before the pictures are copied
_CLOCK = Fraction(1, 90_000)  # of encoded pictures
_BT709 = 1  # H.273
_AHEAD = Fraction(1, 2)  # seconds of sound that are written before the picture of the same moment
_GAP = RATE // 50  # samples that the film's own sound may be off its stamps before silence is put in


def mux(
    film: str | Path | Reel,
    audio: str | Path,
    out: str | Path,
    mix: float = 0.3,
    on_progress: Callable[[float, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Write ``out`` (mp4, mov or mkv): the film's picture with ``audio``, a WAV file of 48 kHz and 16 bits, from its first frame on.

    ``mix`` is the level of the film's own sound under the music, 0 (none) to 1; the music gives way by as much, so that nothing
    clips. The sound track (AAC) is exactly as long as the film. Raises FilmError, OptionError, OutputError; Cancelled within a
    frame after ``cancelled()`` turns true. Whatever happens, no half-written file stays.
    """
    reel = film if isinstance(film, Reel) else Reel.open(film)
    suffix = Path(out).suffix.lower()
    if suffix not in KEPT:
        raise OptionError(f"no {suffix or 'nameless'} file can be written", where=out, cure=f"name it {', '.join(sorted(KEPT))}")
    if not 0 <= mix <= 1:
        raise OptionError(f"{mix} is not in 0..1", where="--mix", cure="0.3 lets the film's own sound through at about -10 dB")
    if Path(out).exists() and Path(out).samefile(reel.path):
        raise OutputError("is the film itself, which is not written over", where=out, cure="choose another folder with --out")
    with files.atomic(out) as temporary, _music(Path(audio)) as music:
        frames = round(reel.duration * RATE)
        own = _own_sound(reel) if reel.has_audio and mix else None
        sound = _mixed(music, own, mix if own else 0.0, frames)
        _write(reel, temporary, Path(out), sound, on_progress or _unheard, cancelled or _never)
    return Path(out)


def _unheard(done: float, total: float) -> None:
    """Nobody asked for progress."""


def _never() -> bool:
    return False


@contextmanager
def _music(path: Path) -> Iterator[wave.Wave_read]:
    with ExitStack() as opened:
        try:
            music = opened.enter_context(wave.open(opened.enter_context(files.opened(path))))
        except (OSError, EOFError, wave.Error) as error:
            raise OptionError(f"not a WAV file ({error})", where=path, cure="render the preview again") from error
        if (music.getnchannels(), music.getsampwidth(), music.getframerate()) != (2, 2, RATE):
            raise OptionError("not stereo of 16 bits and 48 kHz", where=path, cure="render the preview again")
        yield music


def _mixed(music: wave.Wave_read, own: Iterator[Sound] | None, mix: float, frames: int) -> Iterator[Sound]:
    """Music with the film's own sound under it, exactly ``frames`` long, in pieces of 1024 as AAC takes them."""
    waiting: Sound = np.zeros((2, 0), np.float32)
    for begin in range(0, frames, 1024):
        count = min(1024, frames - begin)
        read = np.frombuffer(music.readframes(count), "<i2").reshape(-1, 2).T / np.float32(32768)
        piece = np.zeros((2, count), np.float32)
        piece[:, : read.shape[1]] = read * np.float32(1 - mix)
        while own is not None and waiting.shape[1] < count:
            more = next(own, None)
            if more is None:
                own = None
            else:
                waiting = np.concatenate([waiting, more], axis=1)
        some = min(count, waiting.shape[1])
        piece[:, :some] += waiting[:, :some] * np.float32(mix)
        waiting = waiting[:, some:]
        yield piece


def _own_sound(reel: Reel) -> Iterator[Sound]:
    """The film's first sound track from the first frame's presentation on; silence where the film has none."""
    import av

    begin = (reel.first_stamp or 0) * reel.timing.time_base
    place = None  # samples given so far, counted from the first frame
    with door.film(reel.path) as (container, _):
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        for frame in container.decode(audio=0):
            stamp = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
            due = place or 0 if stamp is None else round((stamp - begin) * RATE)
            off = due if place is None else due - place if abs(due - place) > _GAP else 0
            place = place or 0
            if off > 0:
                yield np.zeros((2, off), np.float32)
                place += off
            for made in resampler.resample(frame):
                sound = np.asarray(made.to_ndarray(), np.float32)
                early = min(max(0, -off), sound.shape[1])
                off += early
                place += sound.shape[1] - early
                yield sound[:, early:]


def _write(
    reel: Reel,
    temporary: Path,
    out: Path,
    sound: Iterator[Sound],
    on_progress: Callable[[float, float], None],
    cancelled: Callable[[], bool],
) -> None:
    import av

    suffix = out.suffix.lower()
    with _writing(out):
        target = av.open(str(temporary), "w", format=FORMATS[suffix], options=_OPTIONS.get(suffix, {}))
    try:
        packets = _copied(reel, target) if _can_copy(reel, suffix) else _encoded(reel, target)
        next(packets)  # declares the picture's stream, which is to be the first
        track = _Track(target, out, sound)
        for time, packet in packets:
            if cancelled():
                raise Cancelled()
            on_progress(float(time), float(reel.duration))
            track.until(time + _AHEAD)
            with _writing(out):
                target.mux(packet)
        track.until(None)
        with _writing(out):
            target.close()
        on_progress(float(reel.duration), float(reel.duration))
    finally:
        with suppress(av.error.FFmpegError):  # closing again does nothing; closing a broken file may fail once more
            target.close()


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """What FFmpeg says while it writes is about the new file, not about the film."""
    import av

    try:
        yield
    except av.error.FFmpegError as error:
        raise files.refusal(out, OSError(error.errno, error.strerror)) from error


class _Track:
    """The sound track, encoded as far as the picture has come."""

    def __init__(self, target: OutputContainer, out: Path, sound: Iterator[Sound]) -> None:
        self.target, self.out, self.sound, self.place = target, out, sound, 0
        with _writing(out):
            self.stream = target.add_stream("aac", rate=RATE, layout="stereo", bit_rate=256_000)

    def until(self, time: Fraction | None) -> None:
        """Write sound up to a time; all that is left and the end of it for None."""
        from av import AudioFrame

        while time is None or self.place < time * RATE:
            piece = next(self.sound, None)
            if piece is None:
                break
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, self.place, Fraction(1, RATE)
            self.place += piece.shape[1]
            with _writing(self.out):
                self.target.mux(self.stream.encode(frame))
        if time is None:
            with _writing(self.out):
                self.target.mux(self.stream.encode(None))


def _can_copy(reel: Reel, suffix: str) -> bool:
    """Whether the pictures go into the container as they are: a codec that it holds, whole from the first frame on."""
    with door.film(reel.path) as (container, stream):
        if stream.codec_context.codec.canonical_name not in KEPT[suffix]:
            return False
        for k, packet in enumerate(container.demux(stream)):
            if k >= _HEAD or not packet.size:
                break
            late = packet.pts is None or packet.dts is None or packet.pts < (reel.first_stamp or 0)
            if late or packet.is_discard or (k == 0 and not packet.is_keyframe):
                return False
    return True


def _copied(reel: Reel, target: OutputContainer) -> Iterator[tuple[Fraction, AnyPacket]]:
    """The film's own packets, moved so that the first frame is shown at 0; before them an empty one, when the stream is there."""
    from av import Packet

    with door.film(reel.path) as (container, stream):
        made = target.add_stream_from_template(stream)
        base, begin = reel.timing.time_base, reel.first_stamp or 0
        yield Fraction(0), Packet()
        count = 0
        for packet in container.demux(stream):
            if not packet.size or packet.dts is None or packet.pts is None:
                continue
            packet.pts, packet.dts = packet.pts - begin, packet.dts - begin
            packet.duration = packet.duration or round(1 / reel.rate / base)
            packet.stream = made
            count += 1
            yield packet.dts * base, packet
    if count < reel.frames:
        what = f"the film is cut short: {count} of its {reel.frames} frames are there"
        raise FilmError(what, where=reel.path, cure="copy it again from its source")


def _encoded(reel: Reel, target: OutputContainer) -> Iterator[tuple[Fraction, AnyPacket]]:
    """The same for pictures made anew: H.264, upright, with square pixels and even sides, each at its own time."""
    from av import Packet, VideoFrame
    from av.video.reformatter import Colorspace

    made = target.add_stream("libx264", rate=reel.rate, options={"crf": "18", "preset": "veryfast"})
    made.width, made.height, made.pix_fmt = reel.width & ~1, reel.height & ~1, "yuv420p"
    made.codec_context.time_base = _CLOCK
    made.codec_context.colorspace = made.codec_context.color_primaries = made.codec_context.color_trc = _BT709
    yield Fraction(0), Packet()
    for picture in reel.pictures():
        image = np.ascontiguousarray(picture.image[: made.height, : made.width])
        frame = VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts, frame.time_base = round(picture.time / _CLOCK), _CLOCK
        yield from ((picture.time, packet) for packet in made.encode(frame))
    yield from ((reel.duration, packet) for packet in made.encode(None))
