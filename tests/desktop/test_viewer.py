"""The picture: the frame shown is the frame asked for, at rest always, rolling within one; timecode, streamers, what it follows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from weakref import finalize

import numpy as np
import pytest
from numbered_films import number_in
from PyQt6.QtGui import QImage
from pytestqt.qtbot import QtBot

from bridge.chase import Reading
from desktop.ending import forget_ended
from desktop.frames import Frames
from desktop.sheet import HitMark
from desktop.streamers import AHEAD, FLUTTER, streamers
from desktop.transport import Transport
from desktop.viewer import Viewer
from engines.picture.reel import Reel
from engines.picture.timecode import Timecode
from engines.spotting.hits import Hit

PATIENCE = 30_000
"""Milliseconds that a busy machine may take for a frame."""


def pixels(image: QImage) -> np.ndarray:
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    data = grey.constBits()
    assert data is not None
    data.setsize(grey.sizeInBytes())
    return np.frombuffer(data, np.uint8).reshape(grey.height(), grey.bytesPerLine())[:, : grey.width()].copy()


class Hand:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns

    def turn(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def look(qapp: object, clock: Hand) -> Iterator[Callable[[Reel], Viewer]]:
    """Opens films in viewers of their own, and ends their threads with the test."""
    made: list[Viewer] = []

    def open_one(reel: Reel) -> Viewer:
        transport = Transport(clock)
        viewer = Viewer(transport)
        viewer.burn_in = viewer.streamers = False
        transport.setParent(viewer)
        made.append(viewer)
        transport.load(reel.timing)
        viewer.resize(384, 128)
        viewer.open(reel)
        viewer.show()
        return viewer

    yield open_one
    for viewer in made:
        viewer.close_film()
        viewer.close()


def on_screen(viewer: Viewer) -> int:
    """The frame number that can be read off the widget itself."""
    place = viewer.place().toRect()
    return number_in(pixels(viewer.grab(place).toImage()))


@pytest.mark.parametrize("film", ["long_gop", "uneven"])
def test_at_rest_the_frame_shown_is_the_frame_asked_for(
    film: str, request: pytest.FixtureRequest, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    viewer = look(Reel.open(request.getfixturevalue(film)))
    last = viewer.transport.timing.frames - 1
    rng = Random(7)
    asked = [0, last, 1, last - 1, *(rng.randrange(last + 1) for _ in range(25))]
    for frame in asked:
        viewer.transport.locate(frame)
        qtbot.waitUntil(lambda frame=frame: viewer.shown == frame, timeout=PATIENCE)
        assert on_screen(viewer) == frame


def test_the_last_of_many_frames_asked_for_at_once_is_shown(
    long_gop: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    viewer = look(Reel.open(long_gop))
    rng = Random(3)
    for _ in range(4):
        for _ in range(30):  # a hand that scrubs faster than any decoder
            viewer.transport.locate(rng.randrange(480))
        qtbot.waitUntil(lambda: viewer.shown == viewer.transport.frame, timeout=PATIENCE)
        assert on_screen(viewer) == viewer.transport.frame


def test_while_a_frame_is_searched_for_one_on_the_way_is_shown_and_at_rest_the_right_one(
    long_gop: Path, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    viewer = look(Reel.open(long_gop))
    qtbot.waitUntil(lambda: viewer.shown == 0, timeout=PATIENCE)
    assert viewer.frames is not None
    told: list[tuple[int, int | None, int]] = []
    viewer.frames.passed.connect(lambda frame: told.append((frame, viewer.shown, on_screen(viewer))))
    for goal in (230, 470):
        viewer.transport.locate(goal)
        qtbot.waitUntil(lambda goal=goal: viewer.shown == goal, timeout=PATIENCE)
        assert on_screen(viewer) == goal
    assert {frame for frame, _, _ in told} >= {240, 252}
    assert all(shown == seen for _, shown, seen in told), "the label is that of the picture"
    viewer.transport.locate(300)  # near which small pictures are in hand already
    assert viewer.shown is not None
    assert abs(viewer.shown - 300) <= 12
    qtbot.waitUntil(lambda: viewer.shown == 300, timeout=PATIENCE)
    assert on_screen(viewer) == 300


def test_a_film_that_is_let_go_of_is_destroyed_in_the_windows_thread(
    long_gop: Path, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    """Its thread is the last to hold it while it ends."""
    viewer = look(Reel.open(long_gop))
    gone: list[int] = []
    for _ in range(5):
        viewer.transport.locate(470)
        assert viewer.frames is not None
        thread = viewer.frames._thread
        finalize(viewer.frames, lambda: gone.append(threading.get_ident()))
        viewer.open(viewer.frames.reel)
        thread.join()
    viewer.open(None)
    forget_ended()
    qtbot.waitUntil(lambda: len(gone) >= 4, timeout=PATIENCE)
    assert set(gone) == {threading.get_ident()}


def test_stepping_back_through_a_long_group_of_pictures_shows_every_frame(
    long_gop: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    viewer = look(Reel.open(long_gop))
    viewer.transport.locate(250)
    seen = []
    for _ in range(40):
        viewer.transport.step(-1)
        qtbot.waitUntil(lambda: viewer.shown == viewer.transport.frame, timeout=PATIENCE)
        seen.append(on_screen(viewer))
    assert seen == list(range(249, 209, -1))


def test_rolling_it_shows_the_frame_of_the_moment_or_the_one_beside_it(
    uneven: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    """The clock is turned by hand, so that a slow machine takes longer and shows the same."""
    viewer = look(Reel.open(uneven))
    transport, now = viewer.transport, Fraction(0)
    qtbot.waitUntil(lambda: viewer.shown == 0, timeout=PATIENCE)
    transport.play(1)
    for _ in range(60):
        clock.turn(1 / 30)
        now += Fraction(round(1e9 / 30), 10**9)
        transport.look()
        frame = transport.timing.at(now)
        assert transport.frame == frame
        qtbot.waitUntil(lambda frame=frame: viewer.shown is not None and abs(viewer.shown - frame) <= 1, timeout=PATIENCE)
        assert abs(on_screen(viewer) - frame) <= 1
    transport.stop()
    qtbot.waitUntil(lambda: viewer.shown == transport.frame, timeout=PATIENCE)
    assert on_screen(viewer) == transport.frame


def test_it_rolls_backwards_and_stops_at_the_first_frame(
    long_gop: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    viewer = look(Reel.open(long_gop))
    transport = viewer.transport
    transport.locate(30)
    transport.shuttle(-1)
    transport.shuttle(-1)
    assert transport.speed == -2
    for _ in range(20):
        clock.turn(0.05)
        transport.look()
    assert (transport.frame, transport.speed) == (0, 0)


def test_the_pictures_in_hand_keep_to_their_budget(long_gop: Path, qapp: object, qtbot: QtBot) -> None:
    budget = 192 * 64 * 4 * 20  # twenty pictures
    frames = Frames(Reel.open(long_gop), 192, budget)
    try:
        for frame in (0, 100, 300, 240, 239):
            frames.want(frame)
            qtbot.waitUntil(lambda frame=frame: frames.image(frame) is not None, timeout=PATIENCE)
            assert 0 < frames.bytes_held <= budget
    finally:
        frames.close()


def test_it_follows_what_leads_and_does_not_go_where_it_is_sent(
    long_gop: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    viewer = look(Reel.open(long_gop))
    lead = {"frame": 100}

    def reading() -> Reading:
        return Reading("locked", Fraction(0), None, lead["frame"], 1.0, 0.0, 0.0, "a DAW", "it leads")

    viewer.transport.follow(reading)
    for frame in (100, 101, 240, 9_999):
        lead["frame"] = frame
        held = min(frame, 479)
        qtbot.waitUntil(lambda held=held: viewer.shown == held, timeout=PATIENCE)
        assert on_screen(viewer) == held
    viewer.transport.locate(5)
    assert viewer.transport.frame == 479
    viewer.transport.follow(None)
    viewer.transport.locate(5)
    qtbot.waitUntil(lambda: viewer.shown == 5, timeout=PATIENCE)


def test_the_timecode_is_the_reels_own(long_gop: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot) -> None:
    viewer = look(Reel.open(long_gop))
    viewer.transport.locate(49)
    qtbot.waitUntil(lambda: viewer.shown == 49, timeout=PATIENCE)
    assert viewer.timecode == Timecode.parse("01:00:02:01", Fraction(24))


def test_the_timecode_box_is_painted_over_the_picture(
    long_gop: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    viewer = look(Reel.open(long_gop))
    qtbot.waitUntil(lambda: viewer.shown == 0, timeout=PATIENCE)
    without = pixels(viewer.grab().toImage())
    viewer.burn_in = True
    assert (pixels(viewer.grab().toImage()) != without).any()


def marks(*frames: int, hard: bool = True) -> tuple[tuple[HitMark, ...], np.ndarray]:
    hits = [Hit(frame, Fraction(frame, 24), 1.0, hard) for frame in frames]
    return tuple(HitMark(hit, "on", 0.0, "engine") for hit in hits), np.array([float(hit.time) for hit in hits])


def test_a_streamer_takes_two_seconds_and_meets_its_hit() -> None:
    some, at = marks(96)
    ways = []
    for frame in range(96):
        shown = list(streamers(some, at, frame / 24, frame))
        ways.append(shown[0].way if shown else None)
    assert ways[:48] == [None] * 48
    assert ways[48] == 0
    rising = [way for way in ways[48:] if way is not None]
    assert rising == sorted(rising)
    assert len(rising) == 48
    assert rising[-1] == pytest.approx(1 - 1 / 24 / AHEAD)


def test_a_punch_flickers_from_the_hit_on() -> None:
    some, at = marks(96)
    shown = {frame: list(streamers(some, at, frame / 24, frame)) for frame in range(96, 96 + FLUTTER + 2)}
    assert [bool(shown[frame]) for frame in shown] == [True, False, True, False, True, False, False]
    assert all(streamer.punch for found in shown.values() for streamer in found)


def test_soft_hits_have_a_punch_and_no_streamer() -> None:
    some, at = marks(96, hard=False)
    assert list(streamers(some, at, 95 / 24, 95)) == []
    assert len(list(streamers(some, at, 4.0, 96))) == 1


def test_a_film_that_breaks_off_is_told_in_one_line(
    long_gop: Path, tmp_path: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot
) -> None:
    """Open, then gone from under us: the line comes, the window stays."""
    copy = tmp_path / "gone.mov"
    copy.write_bytes(long_gop.read_bytes())
    reel = Reel.open(copy)
    _ = reel.timing
    said: list[object] = []
    copy.unlink()
    viewer = look(reel)
    viewer.failed.connect(said.append)
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    assert "no such film" in str(said[0])


def test_going_on_needs_no_search(long_gop: Path, clock: Hand, look: Callable[[Reel], Viewer], qtbot: QtBot) -> None:
    """Frames ahead are in hand before they are asked for."""
    viewer = look(Reel.open(long_gop))
    frames = viewer.frames
    assert frames is not None
    viewer.transport.locate(250)
    qtbot.waitUntil(lambda: all(frames.image(k) is not None for k in range(240, 270)), timeout=PATIENCE)
    began = time.perf_counter()
    for _ in range(15):
        viewer.transport.step(1)
        assert viewer.shown == viewer.transport.frame
    assert time.perf_counter() - began < 5
