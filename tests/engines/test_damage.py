"""Damage that the decoder conceals: told once, with its place, and the spotting goes on."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import few

from bridge.events import Message
from bridge.studio import Studio
from engines.picture import cutlist
from engines.picture.damage import TOLD, Damage
from engines.picture.reel import Reel
from engines.picture.timecode import Timecode
from engines.scoring import film_cuts, film_pictures
from engines.watch import Watch
from main import main

RATE, FRAMES, CUTS = 25, 200, (50, 120, 160)
BROKEN = (83, 84, 87, 131)
LONG = 120.0
CODECS = [
    ("libx264", "yuv420p", "mp4"),
    ("mpeg2video", "yuv420p", "mov"),
    ("mpeg4", "yuv420p", "mp4"),
]


def filmed(path: Path, codec: str = "libx264", pixels: str = "yuv420p") -> Path:
    """Four shots of noise that moves, in groups of ten frames without frames between others, so that packets lie in their order."""
    import av

    noise = np.random.default_rng(7).integers(0, 255, (4, 96, 360, 3), np.uint8)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size, stream.max_b_frames = 160, 96, pixels, 10, 0
        stream.metadata["timecode"] = "01:00:00:00"
        for k in range(FRAMES):
            shot = sum(k >= cut for cut in CUTS)
            image = np.ascontiguousarray(noise[shot, :, k : k + 160] // 2 + 60 * (shot % 2))
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def break_packets(path: Path, frames: tuple[int, ...], to: Path) -> Path:
    """A copy in which the second half of some frames' packets is noise."""
    import av

    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux(film.streams.video[0]) if packet.size]
    content, rng = bytearray(path.read_bytes()), np.random.default_rng(3)
    for frame in frames:
        first, end = packets[frame].pos + packets[frame].size // 2, packets[frame].pos + packets[frame].size - 4
        content[first:end] = rng.integers(0, 255, end - first, np.uint8).tobytes()
    to.write_bytes(content)
    return to


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filmed(tmp_path_factory.mktemp("damage") / "whole.mov", "mpeg2video")


@pytest.fixture(scope="module")
def broken(whole: Path) -> Path:
    return break_packets(whole, BROKEN, whole.with_name("broken.mov"))


def seen(path: Path) -> Damage:
    reel = Reel.open(path)
    damage = Damage(reel)
    for index, frame in reel.decoded():
        damage.see(index, frame)
    return damage


@pytest.mark.parametrize(("codec", "pixels", "suffix"), CODECS)
def test_the_frames_that_were_broken_are_told(codec: str, pixels: str, suffix: str, tmp_path: Path) -> None:
    film = filmed(tmp_path / f"whole.{suffix}", codec, pixels)
    assert not seen(film).frames
    found = seen(break_packets(film, BROKEN, tmp_path / f"broken.{suffix}")).frames
    # the arithmetic coder of H.264 may take noise for a picture
    assert found if codec == "libx264" else set(BROKEN) <= set(found)
    # frames that lean on a broken one may be marked as well, until the next whole picture
    assert all(any(frame <= k < (frame // 10 + 1) * 10 for frame in BROKEN) for k in found)


def test_cuts_are_found_all_the_same_and_one_line_says_where(broken: Path) -> None:
    watch = Watch()
    programme, _ = film_cuts(Reel.open(broken), watch)
    assert {cut.frame for cut in programme.cuts} >= set(CUTS)
    (line,) = watch.said
    assert line.startswith("broken.mov: ")
    assert "of 200 frames are damaged and partly guessed" in line
    assert "01:00:03:08" in line  # frame 83
    assert "01:00:05:06" in line  # frame 131


def test_with_a_cut_list_it_is_told_too_and_of_a_whole_film_nothing(broken: Path, whole: Path, tmp_path: Path) -> None:
    programme, _ = film_cuts(Reel.open(whole), Watch())
    cutlist.write(programme, tmp_path / "cuts.csv")
    for film, lines in ((broken, 1), (whole, 0)):
        watch = Watch()
        film_pictures(Reel.open(film), watch, tmp_path / "cuts.csv", Fraction(RATE))
        assert len(watch.said) == lines
        watch = Watch()
        film_pictures(Reel.open(film), watch)
        assert len(watch.said) == lines


def test_the_command_line_and_the_studio_say_it(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shots", str(broken), "--json"]) == 0
    assert "partly guessed" in capsys.readouterr().err
    said: list[str] = []
    studio = Studio()
    studio.subscribe(lambda event: said.append(event.text) if isinstance(event, Message) else None)
    try:
        opened = studio.open_film(broken).result(LONG)
    finally:
        studio.close(LONG)
    assert opened.programme.cuts
    assert len([line for line in said if "partly guessed" in line]) == 1


class Frame:
    def __init__(self, corrupt: bool) -> None:
        self.is_corrupt = corrupt


@given(kinds=st.lists(st.sampled_from(["whole", "guessed", "missing"]), min_size=1, max_size=60))
@few(25)
def test_every_frame_is_counted_once_and_only_some_places_are_named(whole: Path, kinds: list[str]) -> None:
    damage = Damage(Reel.open(whole))
    for index, kind in enumerate(kinds):
        if kind != "missing":
            damage.see(index, Frame(kind == "guessed"))  # type: ignore[arg-type]
    shown = [k for k, kind in enumerate(kinds) if kind != "missing"]
    inside = range(shown[0], shown[-1] + 1) if shown else range(0)
    assert damage.frames == [k for k in inside if kinds[k] != "whole"]
    said = damage.said(Timecode(0, Fraction(RATE)))
    assert bool(said) == bool(damage.frames)
    if said:
        runs = sum(k - 1 not in damage.frames for k in damage.frames)
        assert (f"and {runs - TOLD} more places" in said[0]) == (runs > TOLD)
        assert str(Timecode(damage.frames[0], Fraction(RATE))) in said[0]
