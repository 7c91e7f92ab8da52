"""Films of every kind that FFmpeg has: exact rates and times, the frame asked for, and one line for what is no film."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from engines.errors import FilmError, HitpointError
from engines.picture.reel import Reel

GRAY_STEP = 9


def level(index: int) -> int:
    """The brightness that marks a frame of `make`."""
    return 20 + GRAY_STEP * (index % 24)


def make(
    path: Path,
    codec: str = "libx264",
    rate: Fraction = Fraction(24),
    frames: int = 24,
    size: tuple[int, int] = (96, 64),
    pixels: str = "yuv420p",
    stamps: Sequence[int] | None = None,
    metadata: dict[str, str] | None = None,
    aspect: Fraction | None = None,
) -> Path:
    """A film whose frame k is grey of `level(k)`; ``stamps`` in milliseconds give it a variable rate."""
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if stamps:
            stream.codec_context.time_base = Fraction(1, 1000)
        for k in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level(k), np.uint8), format="rgb24")
            if stamps:
                frame.pts, frame.time_base = stamps[k], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def shown(reel: Reel, index: int) -> int:
    """Which frame of `make` a picture is."""
    return round((float(reel.frame_at(index).mean()) - 20) / GRAY_STEP)


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels", "size"),
    [
        (".mp4", "libx264", "yuv420p", (96, 64)),
        (".mp4", "mpeg4", "yuv420p", (96, 64)),
        (".mov", "prores_ks", "yuv422p10le", (96, 64)),
        (".mov", "dnxhd", "yuv422p", (1280, 720)),
        (".mov", "mjpeg", "yuvj422p", (96, 64)),
        (".mkv", "libx265", "yuv420p", (96, 64)),
        (".mkv", "ffv1", "yuv420p", (96, 64)),
        (".webm", "libvpx-vp9", "yuv420p", (96, 64)),
        (".avi", "mpeg4", "yuv420p", (96, 64)),
    ],
)
def test_every_container_gives_the_frame_asked_for(
    suffix: str, codec: str, pixels: str, size: tuple[int, int], tmp_path: Path
) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    path = tmp_path / f"film{suffix}"
    reel = Reel.open(_dnxhd(path) if codec == "dnxhd" else make(path, codec, pixels=pixels, size=size))
    assert (reel.frames, reel.rate, reel.duration, reel.variable) == (24, 24, 1, False)
    assert [shown(reel, k) for k in (0, 23, 11, 12)] == [0, 23, 11, 12]
    assert [round((float(p.image.mean()) - 20) / GRAY_STEP) for p in reel.pictures(width=32)] == list(range(24))


def _dnxhd(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("dnxhd", rate=24)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1280, 720, "yuv422p", 90_000_000
        for k in range(24):
            frame = av.VideoFrame.from_ndarray(np.full((720, 1280, 3), level(k), np.uint8), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv422p")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_rates_are_exact_in_containers_that_round_to_milliseconds_too(rate: str, suffix: str, tmp_path: Path) -> None:
    reel = Reel.open(make(tmp_path / f"film{suffix}", rate=Fraction(rate), frames=40))
    assert reel.rate == Fraction(rate)
    assert reel.timing.time(39) == 39 / Fraction(rate)
    assert reel.duration == 40 / Fraction(rate)


def test_a_variable_rate_keeps_the_containers_own_times(tmp_path: Path) -> None:
    stamps = [0, 40, 80, 120, 220, 260, 300, 500, 540, 580, 620, 660, 1000, 1040, 1080, 1120]
    reel = Reel.open(make(tmp_path / "film.mkv", frames=len(stamps), stamps=stamps))
    assert reel.variable
    assert reel.times() == [Fraction(t, 1000) for t in stamps]
    assert shown(reel, 12) == 12
    assert reel.timing.at(Fraction(51, 100)) == 7


def test_a_start_timecode_is_read_from_the_container(tmp_path: Path) -> None:
    reel = Reel.open(make(tmp_path / "film.mov", "mpeg4", Fraction(30000, 1001), metadata={"timecode": "01:00:00;00"}))
    assert str(reel.start_timecode) == "01:00:00;00"
    assert Reel.open(make(tmp_path / "plain.mov", "mpeg4")).start_timecode is None


def test_odd_pixels_and_turned_films_are_shown_as_meant(tmp_path: Path) -> None:
    wide = Reel.open(make(tmp_path / "wide.mp4", aspect=Fraction(2)))
    assert (wide.width, wide.height) == (192, 64)
    path = make(tmp_path / "turned.mp4")
    data = path.read_bytes()
    upright = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    head = data.index(b"tkhd")
    assert upright in data[head : head + 100]
    turned = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 64 << 16, 0, 1 << 30)
    path.write_bytes(data[:head] + data[head:].replace(upright, turned, 1))
    reel = Reel.open(path)
    assert (reel.width, reel.height) == (64, 96)
    assert reel.frame_at(3).shape == (96, 64, 3)


def test_the_frame_shown_is_the_frame_asked_for_on_a_real_film(shared: Path) -> None:
    """counter.mp4 has its frame number burnt in: seeking gives the very picture that playing gives."""
    reel = Reel.open(shared / "media" / "counter.mp4")
    played = {p.frame: p.image for p in reel.pictures(width=120) if p.frame % 7 == 3}
    for index in sorted(played, key=lambda k: (k * 37) % 101):
        sought = reel.frame_at(index, width=120)
        assert np.array_equal(sought, played[index])
    keys = list(played)
    assert min(np.abs(played[a].astype(int) - played[b]).max() for a, b in pairwise(keys)) > 40


def test_a_stream_that_starts_late_still_starts_at_its_first_picture(shared: Path) -> None:
    reel = Reel.open(shared / "media" / "delayed_start.mp4")
    assert reel.timing.time(0) == 0
    assert next(iter(reel.pictures(width=32))).frame == 0


def test_the_digest_knows_a_film_wherever_it_lies(tmp_path: Path) -> None:
    one, other = make(tmp_path / "a.mp4"), make(tmp_path / "b.mp4", frames=25)
    copy = tmp_path / "moved.mp4"
    copy.write_bytes(one.read_bytes())
    assert Reel.open(one).digest == Reel.open(copy).digest != Reel.open(other).digest


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_film_cut_short_is_refused_or_read_to_its_end(share: float, shared: Path, tmp_path: Path) -> None:
    whole = (shared / "media" / "big_buck_bunny_720p.webm").read_bytes()
    path = tmp_path / "half.webm"
    path.write_bytes(whole[: int(len(whole) * share)])
    said = ""
    try:
        reel = Reel.open(path)
        missing = reel.frames - sum(1 for _ in reel.pictures(width=16))
    except FilmError as error:
        said = str(error)
    assert ("; " in said and "\n" not in said) if said else abs(missing) <= 1


def test_what_is_no_film_is_one_line_and_ffmpeg_is_silent(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20000))
    (tmp_path / "empty.mov").write_bytes(b"")
    paths = [tmp_path, tmp_path / "gone.mp4", tmp_path / "noise.mp4", tmp_path / "empty.mov", shared / "midi" / "LICENSE"]
    for path in paths:
        with pytest.raises(FilmError) as caught:
            Reel.open(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    film = str(tmp_path / "noise.mp4")
    code = (
        "from engines.picture.reel import Reel\nfrom engines.errors import FilmError\n"
        f"try: Reel.open({film!r})\nexcept FilmError: pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stderr == ""


def test_a_name_that_cannot_be_and_a_folder_that_may_not_be_seen_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    for path in (tmp_path / "loop.mp4", tmp_path / f"{'x' * 300}.mp4"):
        with pytest.raises(FilmError, match="no such film; check the name"):
            Reel.open(path)

    def refuse(self: Path, **_: bool) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(FilmError, match="no permission to see the film; give yourself access"):
        Reel.open(tmp_path / "hidden.mp4")


def test_a_frame_beyond_the_film_is_one_line(tmp_path: Path) -> None:
    reel = Reel.open(make(tmp_path / "film.mp4"))
    with pytest.raises(HitpointError, match="0 to 23"):
        reel.frame_at(24)
