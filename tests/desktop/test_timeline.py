"""The timeline: round labels at every zoom, drop-frame too; a scale that keeps what is under the hand; only what is in view is painted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_films import long_sheet
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent, QWheelEvent
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sittings import scored, unscored

from desktop.lanes.hits import head, nearest_frame
from desktop.lanes.lane import Ink, in_view, thinned
from desktop.lanes.ruler import labels
from desktop.scale import CLOSEST, Scale
from desktop.sheet import Sheet, sheet_of_session
from desktop.thumbnails import Thumbnails
from desktop.timeline import Timeline
from desktop.transport import Transport, even
from desktop.transport_bar import place_in_bars
from engines.picture.reel import Reel
from engines.picture.timecode import RATES, Timecode, drops
from engines.score.report import hit_report


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    length = draw(st.floats(0.5, 20_000))
    width = draw(st.integers(100, 4000))
    made = Scale(0.0, 1.0, width, length).fitted()
    return made.zoomed(draw(st.floats(1, 10_000)), draw(st.floats(0, width))).moved(draw(st.floats(-10, 20_000)))


@settings(max_examples=60)
@given(scale=scales(), factor=st.floats(1.01, 8), share=st.floats(0.2, 0.8))
def test_a_zoom_keeps_the_moment_under_the_hand(scale: Scale, factor: float, share: float) -> None:
    x = share * scale.width
    closer = scale.zoomed(factor, x)
    assert CLOSEST <= closer.step <= scale.step or closer.step == pytest.approx(scale.step)
    assert closer.left >= 0
    assert closer.right <= scale.length * (1 + 1e-9) or closer.step >= closer.widest * (1 - 1e-9)
    held = closer.left in (0.0,) or closer.right >= scale.length * (1 - 1e-9)
    assert held or closer.seconds(x) == pytest.approx(scale.seconds(x), abs=closer.step)
    assert closer.x(closer.seconds(x)) == pytest.approx(x, abs=1e-3)


@settings(max_examples=80)
@given(
    rate=st.sampled_from(RATES), drop=st.booleans(), start=st.integers(0, 10**6), first=st.integers(0, 10**6),
    span=st.integers(1, 400_000), most=st.floats(2, 30),
)  # fmt: skip
def test_labels_are_round_in_order_and_not_too_many(
    rate: Fraction, drop: bool, start: int, first: int, span: int, most: float
) -> None:
    begins = Timecode(start, rate, drop and bool(drops(rate)))
    found = labels(begins, first, first + span, most)
    assert found == sorted(set(found))
    assert all(first <= frame <= first + span for frame in found)
    assert len(found) <= most * 2 + 2
    texts = [(begins + frame).fields for frame in found]
    coarse = [f for f in texts if f[3] == 0 or (begins.drop and f[2] == 0 and f[1] % 10 and f[3] == drops(rate))]
    if len(found) > 1 and found[1] - found[0] >= 24:
        assert len(coarse) == len(texts), "seconds are labelled at their first frame, or at the first that drop-frame has"


def test_the_minutes_of_drop_frame_are_labelled_with_the_frames_that_there_are() -> None:
    start = Timecode.parse("00:58:00;02", Fraction(30000, 1001))
    texts = [str(start + frame) for frame in labels(start, 0, 4 * 60 * 30 + 10, 5.5)]
    assert texts == ["00:58:00;02", "00:59:00;02", "01:00:00;00", "01:01:00;02", "01:02:00;02"]


@settings(max_examples=60)
@given(
    times=st.lists(st.floats(0, 1000), max_size=60).map(sorted),
    left=st.floats(0, 900),
    step=st.floats(0.001, 1),
    beyond=st.floats(0, 20),
)
def test_what_is_in_view_and_one_on_each_side(times: list[float], left: float, step: float, beyond: float) -> None:
    at, scale = np.array(times), Scale(left, step, 500, 1000)
    shown = in_view(at, scale, beyond)
    inside = [k for k, time in enumerate(times) if scale.left - beyond * step <= time <= scale.right + beyond * step]
    assert set(inside) <= set(range(shown.start, shown.stop))
    assert shown.stop - shown.start <= len(inside) + 2


def test_of_a_crowd_one_a_pixel_is_left() -> None:
    xs = np.array([0.1, 0.5, 0.9, 1.2, 7.0, 7.01])
    assert thinned(xs).tolist() == [0, 3, 4]
    assert thinned(xs, 4).tolist() == [0, 4]
    assert thinned(np.zeros(0)).tolist() == []


def test_every_verdict_has_a_shape_of_its_own() -> None:
    """For those to whom the colours are alike."""
    shapes = [tuple((p.x(), p.y()) for p in head(v, True, 0, 0)) for v in ("early", "late", "silent")]
    assert len(set(shapes)) == 3
    early, late = shapes[0], shapes[1]
    assert min(x for x, _ in early) == early[0][0], "early points to the left"
    assert max(x for x, _ in late) == late[0][0], "late points to the right"


@pytest.fixture(scope="module")
def reel() -> Sheet:
    return long_sheet()


@pytest.fixture
def timeline(qtbot: QtBot) -> Iterator[Timeline]:
    transport = Transport()
    made = Timeline(transport)
    transport.setParent(made)
    made.resize(1000, 400)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close_film(wait=True)
    made.close()


def test_a_reel_of_two_thousand_shots_asks_for_the_pictures_in_view_alone(reel: Sheet, timeline: Timeline, qtbot: QtBot) -> None:
    timeline.transport.load(even(reel.rate, reel.frames))
    timeline.draw(reel)
    timeline.zoom(200, 300)
    timeline.grab()
    seen = timeline.scale
    assert 0 < len(timeline.shots.wanted) < 40
    widest = 2 * timeline.shots.shape * timeline.shots.height * seen.step
    for frame in timeline.shots.wanted:
        shot = reel.cuts[max(0, int(np.searchsorted(reel.cut_frames, frame, side="right")) - 1)]
        assert shot - widest <= frame / float(reel.rate) <= seen.right + 1


def test_a_rolling_playhead_paints_the_lanes_no_more_than_once_a_page(reel: Sheet, timeline: Timeline, qtbot: QtBot) -> None:
    timeline.transport.load(even(reel.rate, reel.frames))
    timeline.draw(reel)
    timeline.zoom(1000, 0)
    timeline.grab()
    painted = []
    paint = timeline._paint
    timeline._paint = lambda ratio: painted.append(ratio) or paint(ratio)  # type: ignore[func-returns-value, method-assign]
    scenes = set()
    frames = range(0, int(3 * timeline.scale.width * timeline.scale.step * float(reel.rate)), 3)
    for frame in frames:
        timeline.transport.locate(frame)
        scenes.add(timeline.scenes.current)
        timeline.grab()
    assert len(painted) <= 4 + len(scenes)


def test_the_wheel_scrolls_and_zooms_with_ctrl(reel: Sheet, timeline: Timeline) -> None:
    timeline.transport.load(even(reel.rate, reel.frames))
    timeline.draw(reel)

    def turn(by: int, keys: Qt.KeyboardModifier) -> None:
        at = QPointF(400, 50)
        none = Qt.MouseButton.NoButton
        timeline.wheelEvent(QWheelEvent(at, at, QPoint(), QPoint(0, by), none, keys, Qt.ScrollPhase.NoScrollPhase, False))

    whole = timeline.scale
    turn(120, Qt.KeyboardModifier.ControlModifier)
    closer = timeline.scale
    assert closer.step < whole.step
    assert closer.seconds(400) == pytest.approx(whole.seconds(400))
    turn(-120, Qt.KeyboardModifier.NoModifier)
    assert timeline.scale.left > closer.left
    timeline.fit()
    assert timeline.scale == whole


def test_a_press_on_the_ruler_moves_the_playhead_to_that_frame(timeline: Timeline, qtbot: QtBot) -> None:
    session = unscored()
    sheet = sheet_of_session(session)
    timeline.transport.load(even(session.film.rate, session.film.frames))
    timeline.draw(sheet)
    view = timeline.viewport()
    assert view is not None
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(500, 8))
    assert timeline.transport.frame == int(timeline.scale.seconds(500) * 24)
    press, left = QEvent.Type.MouseMove, Qt.MouseButton.LeftButton
    at = QPointF(600, 8)
    timeline.mouseMoveEvent(QMouseEvent(press, at, at, left, left, Qt.KeyboardModifier.NoModifier))
    assert timeline.transport.frame == int(timeline.scale.seconds(600) * 24)


def test_a_sheet_says_what_the_hit_report_says(trio: str) -> None:
    session = scored()
    sheet = sheet_of_session(session)
    onsets = [session.tempo_map.seconds(beat) for beat in sorted({note.start for note in session.notes})]
    lines = hit_report(onsets, session.hits, session.film.rate, session.start).lines
    plain = {"on": {"on"}, "near": {"early", "late"}, "missed": {"missed"}}
    assert [mark.hit for mark in sheet.marks] == [line.hit for line in lines]
    assert all(mark.verdict in plain[line.verdict] for mark, line in zip(sheet.marks, lines, strict=True))
    assert {mark.verdict for mark in sheet_of_session(unscored()).marks} == {"silent"}
    times = [float(session.tempo_map.seconds(bar.start)) for bar in session.bars]
    assert sheet.bars[:-1].tolist() == pytest.approx(times)
    assert [scene.bars for scene in sheet.scenes] == [scene.bars for scene in session.scenes]


def test_bar_and_beat_are_those_of_the_map() -> None:
    session = unscored()
    sheet = sheet_of_session(session)
    for beat in (0, 1, 4, 21, 22, 30):
        bar = session.tempo_map.bar_at(beat)
        said = place_in_bars(sheet, float(session.tempo_map.seconds(beat)) + 1e-4)
        assert said.startswith(f"{bar.index + 1}|{int(beat - bar.start) + 1} "), (beat, said)


@settings(max_examples=40)
@given(frame=st.integers(0, 1000), off=st.floats(-0.45, 0.45))
def test_a_dragged_hit_lies_on_the_nearest_frame(frame: int, off: float) -> None:
    timing = even(Fraction(24000, 1001), 1001)
    sheet = sheet_of_session(unscored((2, 2)))
    seconds = float(timing.time(frame)) + off / 24
    assert nearest_frame(timing, seconds, sheet) == frame


def test_a_text_that_comes_back_is_laid_out_once(qapp: object) -> None:
    from desktop.lanes.lane import _static

    ink = Ink.fresh()
    ink.width("01:00:00:00", figures=True)
    before = _static.cache_info().hits
    for _ in range(5):
        ink.width("01:00:00:00", figures=True)
    assert _static.cache_info().hits == before + 5


def test_thumbnails_wait_while_the_picture_is_searched_for(long_gop: Path, qtbot: QtBot) -> None:
    reel = Reel.open(long_gop)
    made: list[int] = []
    thumbnails = Thumbnails(reel)
    thumbnails.made.connect(lambda frame, image: made.append(frame))
    thumbnails.hush()
    thumbnails._later.stop()  # a hand that never rests
    thumbnails.want([0, 100])
    qtbot.wait(100)
    assert made == []
    thumbnails.hush()
    qtbot.waitUntil(lambda: len(made) == 2, timeout=30_000)
    thumbnails.close()
