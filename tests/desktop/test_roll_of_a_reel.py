"""The roll of a whole reel: what is drawn and selected of a hundred scenes, and that no turn of it holds the window up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import thread_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from long_sessions import long_session
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sittings import few, scored

from desktop import theme
from desktop.allowance import Allowance
from desktop.roll_count import Tally
from desktop.roll_crowd import PITCHES, _covered
from desktop.roll_find import inside
from desktop.roll_notes import Shapes, Stage
from desktop.roll_paint import KEYS, Looks
from desktop.roll_select import Selection, is_kept, notes_in, spans_of
from desktop.roll_strip import Strip, premultiplied
from desktop.roll_view import RollView
from engines.score.notes import STEMS
from engines.session.model import Session

SCENES, NOTES = 120, 150
LONGEST = 0.05
"""Seconds of the window's own time that a turn may take."""
PATIENCE = 60_000


@pytest.fixture(scope="module")
def reel() -> Session:
    """Half an hour and more: 120 scenes of eight bars, 18,000 notes, 600 hits."""
    return long_session(SCENES, NOTES, 600)


@pytest.fixture
def view(qapp: object, qtbot: QtBot, reel: Session) -> Iterator[RollView]:
    """All of it in view, and everything worked out."""
    theme.wear(qapp, "dark")  # type: ignore[arg-type]
    made = RollView()
    qtbot.addWidget(made)
    made.resize(1500, 700)
    made.show()
    made.show_session(reel)
    made.zoom(1 / SCENES / 4)
    yield made
    made._rest.stop()


def settled(view: RollView, qtbot: QtBot) -> None:
    pane = view.viewport()
    assert pane is not None
    pane.repaint()
    qtbot.waitUntil(lambda: not view._rest.isActive(), timeout=PATIENCE)


def spent(calls: list[object]) -> float:
    """The least of a few tries: a crowded machine lengthens any one of them."""
    times = []
    for call in calls:
        began = thread_time()
        call()  # type: ignore[operator]
        times.append(thread_time() - began)
    return min(times)


def test_no_turn_of_it_takes_long(view: RollView, reel: Session, qtbot: QtBot) -> None:
    pane = view.viewport()
    assert pane is not None

    def paint() -> None:
        view.redraw()
        pane.repaint()

    turns = []
    while view._rest.isActive() or not turns:
        view._rest.stop()
        began = thread_time()
        view._catch_up()
        turns.append(thread_time() - began)
        assert len(turns) < 2000
    assert float(np.median(turns)) < LONGEST
    assert spent([paint] * 4) < LONGEST
    band, stage = QRectF(view.frame.notes), view.stage
    assert stage is not None
    assert spent([lambda: inside(band, view.frame, stage, view.looks)] * 4) < LONGEST
    view.select(inside(band, view.frame, stage, view.looks))
    assert len(view.selection.notes) > 15_000
    assert spent([paint] * 4) < LONGEST
    assert spent([lambda: view.show_session(replace(reel, cue="1m9"))] * 4) < LONGEST
    assert spent([paint] * 4) < LONGEST


def test_a_band_over_what_was_never_worked_out_selects_it_once_it_is(view: RollView, reel: Session, qtbot: QtBot) -> None:
    fresh = RollView()
    qtbot.addWidget(fresh)
    fresh.resize(1500, 700)
    fresh.show()
    fresh.show_session(reel)
    fresh.zoom(1 / SCENES / 4)
    pane, area = fresh.viewport(), fresh.frame.notes
    assert pane is not None
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, pos=(area.topLeft() + QPointF(1, 1)).toPoint())
    QTest.mouseMove(pane, area.center().toPoint())
    QTest.mouseMove(pane, (area.bottomRight() - QPointF(1, 1)).toPoint())
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=(area.bottomRight() - QPointF(1, 1)).toPoint())
    qtbot.waitUntil(lambda: bool(fresh.selection.notes), timeout=PATIENCE)
    assert len(fresh.selection.by_scene) == SCENES
    settled(view, qtbot)
    assert view.stage is not None
    seen = inside(fresh.frame.notes.adjusted(1, 1, -1, -1), fresh.frame, view.stage, fresh.looks)
    assert len(fresh.selection.notes ^ seen.notes) < len(seen.notes) / 100  # a pixel more or less at the edges


def test_what_is_selected_of_a_crowd_is_seen_note_by_note(view: RollView, qtbot: QtBot) -> None:
    settled(view, qtbot)
    assert view.stage is not None
    placed = view.stage.scene(view.stage.session.spans[40])
    assert placed is not None
    view.select(Selection())
    plain = view.viewport().grab().toImage()  # type: ignore[union-attr]
    row = int(np.argmax(placed.shape.pitch))
    view.select(Selection(notes=frozenset({(placed.span.scene.id, row)})))
    lit = view.viewport().grab().toImage()  # type: ignore[union-attr]
    spot = QPointF(view.frame.x(float(placed.start[row])), view.frame.y(int(placed.shape.pitch[row])) + view.frame.key / 2)
    near = [(int(spot.x()) + k, int(spot.y())) for k in (-1, 0, 1)]
    assert any(plain.pixel(*p) != lit.pixel(*p) == QColor(theme.current().text).rgb() for p in near)


@few(40)
@given(
    notes=st.lists(st.tuples(st.integers(0, 127), st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=40),
    wide=st.integers(61, 90),
)
def test_a_pixel_is_covered_where_a_note_is(notes: list[tuple[int, int, int]], wide: int) -> None:
    pitch, x0, length = (np.array(column, np.int64) for column in zip(*notes, strict=True))
    covered = _covered(pitch, x0, (x0 + length).clip(0, wide), wide)
    wanted = np.zeros((PITCHES, wide), bool)
    for p, x, n in notes:
        wanted[p, x : x + n] = True
    assert (covered == wanted).all()


@few(40)
@given(xs=st.lists(st.floats(-20, 120), max_size=30), ratio=st.sampled_from([1.0, 2.0]), dashed=st.booleans())
def test_a_strip_draws_what_lines_one_by_one_would(xs: list[float], ratio: float, dashed: bool) -> None:
    image = QImage(round(100 * ratio), round(20 * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    strip = Strip(0, 100, ratio)
    strip.add(np.array(xs), premultiplied(QColor("#ff8000")))
    strip.draw(painter, 0, 20, dashed)
    painter.end()
    columns = {int(np.floor(x * ratio + 0.5)) + k for x in xs for k in range(round(ratio))}
    for x in range(image.width()):
        lit = [image.pixelColor(x, y).red() == 255 for y in range(image.height())]
        assert any(lit) == (x in columns)
        assert all(lit) == (x in columns and not dashed)


@few(30)
@given(data=st.data())
def test_a_selection_is_counted_as_its_notes_are(trio: str, data: st.DataObject) -> None:
    cue = CUE[0] if CUE else CUE.append(scored()) or CUE[0]
    first = data.draw(st.integers(1, 20))
    bars = first, data.draw(st.integers(first, 20))
    stems = tuple(data.draw(st.lists(st.sampled_from(STEMS), min_size=1, unique=True)))
    words = data.draw(st.lists(st.sampled_from(["melody", "1-2", "bridge:1", "piano", "1-9"]), unique=True))
    session = cue.with_scene(replace(cue.scenes[0], keep=tuple(words)))
    rows = data.draw(st.sets(st.tuples(st.sampled_from(["s1", "s2", "s3"]), st.integers(0, 30))))
    for picked in (Selection(bars=bars, stems=stems), Selection(notes=frozenset(rows))):
        tally = Tally(Stage(session, Shapes()), picked)
        turns = 0
        while not tally.go(Allowance(0.0001)):
            turns += 1
        notes = [note for span in spans_of(session, picked) for note in notes_in(session, span, picked)]
        assert tally.notes == len(notes)
        assert tally.kept == is_kept(session, picked)


CUE: list[Session] = []


def test_the_looks_of_a_far_roll_are_those_of_its_parts(view: RollView, qtbot: QtBot) -> None:
    """Hits, bar lines and notes are there: take the hits away, and the ruler's lower edge is another picture."""
    settled(view, qtbot)
    with_hits = view.viewport().grab().toImage()  # type: ignore[union-attr]
    assert view.session is not None
    view.show_session(replace(view.session, hits=()))
    settled(view, qtbot)
    without = view.viewport().grab().toImage()  # type: ignore[union-attr]
    changed = [x for x in range(KEYS, view.frame.width) if with_hits.pixel(x, 40) != without.pixel(x, 40)]
    assert len(changed) > 100
    assert isinstance(view.looks, Looks)
