"""Fingerprints: the same picture is known again at another size and bit rate, another picture is not."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from engines.errors import Cancelled
from engines.picture.fingerprint import BYTES, Fingerprints, distance, fingerprints, hashes
from engines.picture.reel import Reel
from engines.picture.shots import cuts

Image = NDArray[np.uint8]


def written(path: Path, pictures: list[Image], size: tuple[int, int], codec: str, options: dict[str, str]) -> Reel:
    """A film of these pictures at a size."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        container.mux(stream.encode(None))
    return Reel.open(path)


@pytest.fixture(scope="module")
def pictures(shared: Path) -> list[Image]:
    """Frames of a real film, with a hard cut at 45."""
    reel = Reel.open(shared / "media" / "big_buck_bunny_480p.mp4")
    return [p.image for p in reel.pictures(640, start=240, stop=320)]


@pytest.mark.parametrize(
    ("size", "codec", "options"),
    [
        ((320, 180), "libx264", {"crf": "30", "preset": "ultrafast"}),
        ((426, 240), "mpeg4", {"b": "200000"}),
    ],
)
def test_a_frame_is_known_again_after_another_encoder(
    pictures: list[Image], tmp_path: Path, size: tuple[int, int], codec: str, options: dict[str, str]
) -> None:
    fine = {"crf": "12", "preset": "ultrafast"}
    first = fingerprints(written(tmp_path / "a.mp4", pictures, (640, 360), "libx264", fine))
    again = fingerprints(written(tmp_path / "b.mp4", pictures, size, codec, options))
    apart = distance(first, again)
    assert len(apart) == len(pictures)
    assert np.median(apart) <= 2
    assert apart.max() <= 8
    assert distance(first[44 * BYTES : 45 * BYTES], first[45 * BYTES : 46 * BYTES])[0] > 20  # across the cut


def test_two_public_encodings_of_one_film_agree_and_a_pass_for_cuts_gathers_the_same(shared: Path) -> None:
    small = Reel.open(shared / "media" / "big_buck_bunny_480p.mp4")
    gathered = Fingerprints(small)
    found = cuts(small, also=gathered.add)
    one, other = gathered.whole(), fingerprints(Reel.open(shared / "media" / "big_buck_bunny_720p.webm"))
    assert len(one) == BYTES * small.frames
    lag, dark = 2, 40  # frames that the one is late by, and those of the fade in, where nothing but noise is to be seen
    assert distance(one[(dark + lag) * BYTES :], other[dark * BYTES : -lag * BYTES]).max() <= 6
    edges = np.array([cut.frame for cut in found if cut.kind == "cut"])
    steps = distance(one[:-BYTES], one[BYTES:])
    assert steps[edges - 1].min() > 20 > 2 >= np.median(steps)


def test_a_film_on_its_side_has_the_hashes_of_what_is_seen(pictures: list[Image], tmp_path: Path) -> None:
    few = pictures[:4]
    fine = {"crf": "12", "preset": "ultrafast"}
    upright = written(tmp_path / "upright.mp4", few, (640, 360), "libx264", fine)
    lying = written(tmp_path / "lying.mp4", [np.rot90(p, -1).copy() for p in few], (360, 640), "libx264", fine).path
    data = lying.read_bytes()
    plain = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    head = data.index(b"tkhd")
    turned = struct.pack(">9i", 0, -65536, 0, 65536, 0, 0, 0, 360 << 16, 1 << 30)
    lying.write_bytes(data[:head] + data[head:].replace(plain, turned, 1))
    reel = Reel.open(lying)
    assert (reel.width, reel.height, reel.rotation) == (640, 360, 90)
    assert distance(fingerprints(reel), fingerprints(upright)).max() <= 4


@given(
    luma=arrays.arrays(np.float32, (2, 36, 64), elements=st.floats(16, 235, width=32)),
    gain=st.floats(1.0, 1.5),
    shift=st.floats(-16, 16),
)
@settings(max_examples=30, deadline=None)
def test_brightness_changes_nothing_and_contrast_hardly_anything(luma: NDArray[np.float32], gain: float, shift: float) -> None:
    plain = hashes(luma)
    assert plain.shape == (2, BYTES)
    assert (hashes(luma[1:]) == plain[1:]).all()  # a frame's hash is its own
    # what rises still rises; what did not, may now
    assert (plain & ~hashes(luma * np.float32(gain * 1.001) + np.float32(shift)) == 0).all()


def test_the_bits_run_along_the_rows_from_the_upper_left() -> None:
    picture = np.zeros((1, 8, 9), np.float32)
    picture[0, 0, 1:] = 9
    picture[0, 7, 8] = 9
    assert hashes(picture).tobytes() == bytes([0x80, 0, 0, 0, 0, 0, 0, 0x01])
    assert hashes(np.full((1, 36, 64), 16, np.float32)).tobytes() == bytes(BYTES)


def test_cancel_and_progress(pictures: list[Image], tmp_path: Path) -> None:
    reel = written(tmp_path / "a.mp4", pictures[:40], (320, 180), "mpeg4", {})
    seen: list[tuple[float, float]] = []
    assert len(fingerprints(reel, lambda done, total: seen.append((done, total)))) == 40 * BYTES
    assert seen == sorted(seen)
    assert seen[-1] == (40, 40)
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        fingerprints(reel, cancelled=lambda: next(asked))
