"""The piano roll: what lies where, what the mouse and the keys select, and that a selection becomes a keep that holds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QKeyEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from seated import PATIENCE, Seat, at_seat  # noqa: F401  a fixture
from sittings import few, scored

from desktop import roll_paint, theme
from desktop.roll import Roll
from desktop.roll_find import bar_at, note_at, note_words
from desktop.roll_fit import THICKEST, THINNEST, fitted
from desktop.roll_notes import Clock, Shapes, Stage
from desktop.roll_paint import HIGHEST, KEYS, LOWEST, RULER, Frame, Looks, pitch_name
from desktop.roll_select import Selection, is_kept, keep_or_release, notes_in, piece_of, refills
from desktop.roll_view import COARSEST, FINEST, RollView
from desktop.scale import Scale
from desktop.theme import current
from engines.score.notes import STEMS, Note
from engines.session.keep import bar_of, held, kept
from engines.session.model import Session

Key, Mod = Qt.Key, Qt.KeyboardModifier


@pytest.fixture(scope="module")
def cue(trio: str) -> Session:
    return scored()


@few(40)
@given(beat=st.fractions(min_value=-4, max_value=200, max_denominator=960))
def test_pixels_know_the_time_to_a_microsecond(cue: Session, beat: Fraction) -> None:
    clock = Clock(cue.tempo_map)
    assert abs(float(clock.seconds(float(beat))) - float(cue.tempo_map.seconds(beat))) < 1e-6
    assert abs(float(clock.beat(float(cue.tempo_map.seconds(beat)))) - float(beat)) < 1e-6


def test_every_note_lies_where_it_sounds(cue: Session) -> None:
    stage, frame = Stage(cue, Shapes()), Frame(Scale(0.0, 0.01, 100_000, 1000.0), 100_000, 1200, 110.0, 8.0)
    found = 0
    for span in cue.spans:
        for row in cue.take(span.scene)[1].notes:
            start, end = (float(cue.tempo_map.seconds(span.start + beat)) for beat in (row.played.start, row.played.end))
            place = QPointF(frame.x((start + end) / 2), frame.y(row.played.pitch) + 4)
            here = note_at(place, frame, stage, Looks())
            assert here is not None
            other = here[0].take.notes[here[1]].played
            assert other.pitch == row.played.pitch  # the shortest of those that lie over one another
            assert other.length <= row.played.length
            found += 1
    assert found == len(cue.notes)
    assert note_at(QPointF(frame.x(1.0), frame.y(20)), frame, stage, Looks()) is None
    assert note_at(QPointF(1, 1), frame, stage, Looks()) is None


def test_scenes_that_an_act_left_alone_are_carried_over(cue: Session) -> None:
    shapes = Shapes()
    before = Stage(cue, shapes)
    placed = [before.scene(span) for span in cue.spans]
    after = cue.with_scene(replace(cue.scenes[1], chosen=None)).with_scene(replace(cue.scenes[2], keep=("melody",)))
    stage = Stage(after, shapes, before)
    assert stage.scene(after.span(1)) is placed[0]
    assert stage.scene(after.span(2)) is None
    third, old = stage.scene(after.span(3)), placed[2]
    assert third is not None
    assert old is not None
    assert third.start is old.start
    assert third.span.scene.keep == ("melody",)  # locks are those of now
    moved = replace(cue, map=replace(cue.map, tempo_map=replace(cue.tempo_map, origin=Fraction(2))))
    other = Stage(moved, shapes, before).scene(moved.span(1))
    assert other is not None
    assert placed[0] is not None
    assert other.start[0] > placed[0].start[0] + 1


def test_a_pixel_knows_its_bar(cue: Session) -> None:
    stage, frame = Stage(cue, Shapes()), Frame(Scale(0.0, 0.01, 10_000, 1000.0), 10_000, 400)
    for bar in cue.bars:
        line = float(cue.tempo_map.seconds(bar.start))
        assert bar_at(frame.x(line + 0.02), frame, stage) == bar.index + 1
        if bar.index:
            assert bar_at(frame.x(line - 0.02), frame, stage) == bar.index
    assert bar_at(-500, frame, stage) == 1
    assert bar_at(9e9, frame, stage) == len(cue.bars)


def test_the_keyboard_is_never_scrolled_away() -> None:
    frame = Frame(Scale(), 800, 400)
    for top in (-50.0, 30.0, 84.0, 500.0):
        shown = frame.raised(top)
        assert shown.top <= HIGHEST
        assert shown.top - shown.notes.height() / shown.key + 1 >= LOWEST - 1e-9
    assert pitch_name(60) == "C4"
    assert pitch_name(21) == "A0"


@few(30)
@given(data=st.data())
def test_selected_bars_are_kept_and_let_go_scene_by_scene(cue: Session, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, 20))
    last = data.draw(st.integers(first, 20))
    stems = tuple(data.draw(st.lists(st.sampled_from(STEMS), min_size=1, unique=True)))
    picked = Selection(bars=(first, last), stems=stems)
    session = held_by(cue, picked)
    assert is_kept(session, picked)
    for span in session.spans:
        notes = [row.note for row in session.take(span.scene)[1].notes]
        inside = {n for n in notes if n.stem in stems and first <= bar_of(n.start, span)[0] <= last}
        assert kept(notes, span, held(span)) == inside
    released = held_by(session, picked)
    assert all(not scene.keep for scene in released.scenes)


def held_by(session: Session, picked: Selection) -> Session:
    """The session after the acts that a selection asks for."""
    from engines.watch import Watch

    for act in keep_or_release(session, picked):
        session = act.do(session, Watch())
    return session


def test_a_selection_goes_out_from_the_bar_line_before_it(cue: Session) -> None:
    span = cue.span(2)
    notes = cue.take(span.scene)[1].notes
    rows = [k for k, row in enumerate(notes) if row.note.stem == "melody"][3:6]
    piece = piece_of(cue, Selection(notes=frozenset((span.scene.id, k) for k in rows)))
    assert piece is not None
    assert piece.stem == "melody"
    assert piece.notes == {notes[k].note for k in rows}
    bars = [bar_of(notes[k].note.start, span)[0] for k in rows]
    assert piece.bars == (min(bars), max(bars))
    assert piece_of(cue, Selection()) is None


def test_what_to_compose_again_for_a_selection(cue: Session) -> None:
    assert refills(cue, Selection(bars=(6, 9))) == [(1, None, ((6, 7),)), (2, None, ((8, 9),))]
    assert refills(cue, Selection(bars=(6, 6), stems=("piano",))) == [(1, ("piano",), ((6, 6),))]
    span = cue.span(3)
    note = cue.take(span.scene)[1].notes[0].note
    bar = bar_of(note.start, span)[0]
    assert refills(cue, Selection(notes=frozenset({("s3", 0)}))) == [(3, (note.stem,), ((bar, bar),))]


# the panel


@pytest.fixture
def roll(seat: Seat, qtbot: QtBot) -> Roll:
    made = Roll(seat.document, seat.transport)
    qtbot.addWidget(made)
    made.resize(1200, 600)
    made.show()
    made.view.setFocus()
    return made


def sweep(qtbot: QtBot, roll: Roll, start: QPointF, end: QPointF) -> None:
    """Presses, draws across, and lets go."""
    pane = roll.view.viewport()
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=start.toPoint())
    qtbot.mouseMove(pane, ((start + end) / 2).toPoint())
    qtbot.mouseMove(pane, end.toPoint())
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=end.toPoint())


def picked_notes(roll: Roll) -> set[Note]:
    session = roll.view.session
    assert session is not None
    return {note for span in session.spans for note in notes_in(session, span, roll.view.selection)}


def test_a_rubber_band_selects_and_shift_k_keeps_through_a_refill(seat: Seat, roll: Roll, qtbot: QtBot) -> None:
    area = roll.view.frame.notes
    sweep(
        qtbot,
        roll,
        QPointF(area.x() + area.width() * 0.3, area.y() + 2),
        QPointF(area.x() + area.width() * 0.6, area.bottom() - 2),
    )
    picked = picked_notes(roll)
    before = seat.chosen(1)
    assert 3 < len(picked) < len(before.notes)
    seat.change(lambda: qtbot.keyClick(roll.view, Key.Key_K, Mod.ShiftModifier))
    span = seat.session.span(1)
    locked = kept((row.note for row in before.notes), span, held(span))
    assert picked <= locked
    assert roll.keep.text() == "Release"
    assert not roll.again.isEnabled()
    seat.composed(lambda: seat.document.refill(1))
    after = seat.chosen(1)
    assert {row for row in before.notes if row.note in locked} <= set(after.notes)
    assert set(after.notes) != set(before.notes)
    assert not roll.view.selection.notes  # rows of another take


def test_the_ruler_selects_bars_over_two_scenes_in_one_step(seat: Seat, roll: Roll, qtbot: QtBot) -> None:
    view = roll.view
    view._show(Frame(view.frame.scale.fitted(), view.frame.width, view.frame.height))
    tempo_map = seat.session.tempo_map

    def over(bar: int) -> QPointF:
        start, end = (
            float(tempo_map.seconds(beat)) for beat in (seat.session.bars[bar - 1].start, seat.session.bars[bar - 1].end)
        )
        return QPointF(view.frame.x((start + end) / 2), RULER / 2)

    sweep(qtbot, roll, over(9), over(6))
    assert view.selection == Selection(bars=(6, 9))
    assert roll.told.text().startswith("bars 6–9, ")
    qtbot.keyClick(view, Key.Key_K, Mod.ShiftModifier)
    qtbot.waitUntil(lambda: [s.keep for s in seat.session.scenes] == [("6-7",), ("1-2",), ()], timeout=PATIENCE)
    seat.change(seat.document.undo)
    assert [scene.keep for scene in seat.session.scenes] == [(), (), ()]


def test_hidden_stems_are_neither_seen_nor_selected(seat: Seat, roll: Roll, qtbot: QtBot) -> None:
    qtbot.mouseClick(roll.chips[2], Qt.MouseButton.LeftButton)
    area = roll.view.frame.notes
    sweep(qtbot, roll, area.topLeft() + QPointF(1, 1), area.bottomRight() - QPointF(1, 1))
    assert picked_notes(roll)
    assert {note.stem for note in picked_notes(roll)} == {"melody", "bridge"}
    qtbot.keyClick(roll.view, Key.Key_A, Mod.ControlModifier)
    seat.change(roll.keep_selected)
    assert seat.session.scenes[0].keep == ("melody:1-7", "bridge:1-7")


def test_the_roll_is_worked_with_the_keys_alone(seat: Seat, roll: Roll, qtbot: QtBot) -> None:
    view = roll.view
    qtbot.keyClick(view, Key.Key_Right)
    (first,) = view.selection.notes
    qtbot.keyClick(view, Key.Key_Right)
    (second,) = view.selection.notes
    assert first != second
    qtbot.keyClick(view, Key.Key_Left)
    assert view.selection.notes == {first}
    qtbot.keyClick(view, Key.Key_Right, Mod.ShiftModifier)
    assert view.selection.notes == {first, second}
    assert view.accessibleDescription() == "2 notes"
    qtbot.keyClick(view, Key.Key_Right, Mod.ControlModifier)
    assert view.selection == Selection(bars=(1, 1))
    qtbot.keyClick(view, Key.Key_Right, Mod.ControlModifier | Mod.ShiftModifier)
    qtbot.keyClick(view, Key.Key_Right, Mod.ControlModifier | Mod.ShiftModifier)
    assert view.selection == Selection(bars=(1, 3))
    takes = len(seat.session.takes)
    qtbot.keyClick(view, Key.Key_Return)
    qtbot.waitUntil(lambda: len(seat.session.takes) == takes + 1, timeout=PATIENCE)
    assert seat.steps[0] == "Refill bars 1-3 of scene 1"
    qtbot.keyClick(view, Key.Key_Escape)
    assert not view.selection
    step = view.frame.scale.step
    qtbot.keyClick(view, Key.Key_Plus)
    assert view.frame.scale.step < step
    qtbot.keyClick(view, Key.Key_F)
    top = view.frame.top
    qtbot.keyClick(view, Key.Key_PageUp)
    assert view.frame.top >= top


def test_the_wheel_zooms_around_the_pointer_and_scrolls(roll: Roll) -> None:
    view = roll.view
    place = QPointF(600, 200)

    def turn(amount: int, keys: Qt.KeyboardModifier = Mod.NoModifier) -> None:
        pane = view.viewport()
        assert pane is not None
        wheel = QWheelEvent(
            place,
            pane.mapToGlobal(place),
            QPoint(),
            QPoint(0, amount),
            Qt.MouseButton.NoButton,
            keys,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(pane, wheel)

    under = view.frame.seconds(place.x())
    for _ in range(4):
        turn(120, Mod.ControlModifier)
    assert view.frame.seconds(place.x()) == pytest.approx(under)
    left = view.frame.scale.left
    turn(-240, Mod.ShiftModifier)
    assert view.frame.scale.left > left
    key = view.frame.key
    turn(240, Mod.ControlModifier | Mod.ShiftModifier)
    assert view.frame.key > key


def test_the_playhead_moves_without_drawing_the_music_again(seat: Seat, roll: Roll, qtbot: QtBot) -> None:
    view = roll.view
    view.repaint()
    layer = view._layer
    assert layer is not None
    seat.transport.locate(30)
    seat.transport.locate(31)
    x = view.frame.x(float(seat.transport.seconds))
    picture = view.viewport().grab().toImage()  # type: ignore[union-attr]
    assert view._layer is layer
    accent = QColor(current().accent).rgb()
    assert any(picture.pixel(int(x) + k, view.frame.height // 2) == accent for k in (0, 1))
    seat.transport.locate(seat.transport.timing.frames - 1)
    assert view.looks.scene == 3
    assert view.frame.scale.left <= float(seat.session.span(3).seconds[0]) < view.frame.scale.right


@pytest.mark.parametrize("crowd", [roll_paint.CROWD, 0], ids=["one by one", "as one picture"])
def test_notes_are_drawn_where_they_sound(
    seat: Seat, roll: Roll, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, crowd: int
) -> None:
    """Take the notes out, and the pixels where they were are others."""
    monkeypatch.setattr(roll_paint, "CROWD", crowd)
    roll.view.redraw()
    view = roll.view
    view.repaint()
    qtbot.waitUntil(lambda: not view._rest.isActive(), timeout=PATIENCE)  # all of it is worked out
    shown = view.viewport().grab().toImage()  # type: ignore[union-attr]
    frame, stage = view.frame, view.stage
    assert stage is not None
    places = []
    for placed in stage.scenes(frame.seconds(KEYS), frame.seconds(frame.width)):
        for row in range(len(placed.shape.rows)):
            middle = float(placed.start[row] + placed.end[row]) / 2
            spot = QPointF(frame.x(middle), frame.y(int(placed.shape.pitch[row])) + frame.key / 2)
            if frame.notes.contains(spot):
                places.append(spot.toPoint())
    silent = replace(seat.session, scenes=tuple(replace(scene, chosen=None) for scene in seat.session.scenes))
    view.show_session(silent)
    empty = view.viewport().grab().toImage()  # type: ignore[union-attr]
    assert len(places) > 40
    lost = [(p.x(), p.y()) for p in places if shown.pixel(p) == empty.pixel(p)]
    assert lost == [], (len(places), frame.key)


def pictures(view: RollView, qtbot: QtBot, *sessions: Session) -> list[QImage]:
    """The roll as it is with each of some sessions, all of it worked out."""
    made = []
    for session in sessions:
        view.show_session(session)
        view.repaint()
        qtbot.waitUntil(lambda: not view._rest.isActive(), timeout=PATIENCE)
        made.append(view.viewport().grab().toImage())  # type: ignore[union-attr]
    return made


def apart(one: QColor, other: QColor) -> int:
    """How far two colours are from each other, 0 to 765."""
    return sum(abs(a - b) for a, b in zip(one.getRgb()[:3], other.getRgb()[:3], strict=True))  # type: ignore[operator]


@pytest.mark.parametrize("crowd", [roll_paint.CROWD, 0], ids=["one by one", "as one picture"])
@pytest.mark.parametrize("look", ["dark", "light"])
@pytest.mark.parametrize("key", [FINEST, 4.0, 8.0, COARSEST])
def test_kept_notes_are_seen_and_told_from_others_at_every_zoom(
    seat: Seat, roll: Roll, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, key: float, look: theme.Choice, crowd: int
) -> None:
    """Where a kept note lies, hardly a pixel may look as it does without any note, and some must look unlike a note that is not kept."""
    monkeypatch.setattr(roll_paint, "CROWD", crowd)
    theme.wear(QApplication.instance(), look)  # type: ignore[arg-type]
    view, free = roll.view, seat.session
    view.zoom_keys(key / view.frame.key)
    assert view.frame.key == key
    silent = replace(free, scenes=tuple(replace(scene, chosen=None) for scene in free.scenes))
    held = free.with_scene(replace(free.scenes[0], keep=("1-3", "piano:4-7")))
    kept_, free_, empty = pictures(view, qtbot, held, free, silent)
    stage, frame = Stage(held, Shapes()), view.frame
    placed = stage.scene(held.span(1))
    assert placed is not None
    checked = 0
    for row in np.flatnonzero(stage.shapes.kept(placed.span, placed.take)).tolist():
        left, right = (frame.x(float(at[row])) for at in (placed.start, placed.end))
        top = frame.y(int(placed.shape.pitch[row]))
        note = QRectF(left, top, right - left - 1, frame.key - 1).toAlignedRect()
        if not frame.notes.contains(QRectF(note)) or note.width() < 4:
            continue
        across, down = range(note.left(), note.right()), range(note.top(), note.bottom() + 1)
        clear = [[apart(kept_.pixelColor(x, y), empty.pixelColor(x, y)) > 60 for y in down] for x in across]
        assert all(sum(column) >= max(1, round(0.8 * (key - 1)) - 1) for column in clear), row
        around = [(x, y) for x in range(note.left(), note.right()) for y in range(note.top() - 1, note.bottom() + 3)]
        other = [spot for spot in around if apart(kept_.pixelColor(*spot), free_.pixelColor(*spot)) > 60]
        assert len(other) >= note.width() - 2, (row, len(other))
        checked += 1
    assert checked > 5


@few(60)
@given(
    pitches=st.lists(st.integers(LOWEST + 1, HIGHEST - 1), min_size=1, max_size=40),
    high=st.integers(RULER + 60, 900),
)
def test_notes_are_thick_enough_and_as_many_as_can_be_are_in_sight(pitches: list[int], high: int) -> None:
    frame = fitted(Frame(Scale(), 800, high), np.array(pitches, np.int16))
    assert THINNEST <= frame.key <= THICKEST
    area = frame.notes
    seen = [area.top() - 0.01 <= frame.y(p) and frame.y(p) + frame.key <= area.bottom() + 0.01 for p in pitches]
    if (max(pitches) - min(pitches) + 3) * THINNEST <= area.height():
        assert all(seen)
    else:
        rows = int(area.height() / frame.key)
        assert sum(seen) == max(sum(low <= p < low + rows for p in pitches) for low in range(LOWEST, HIGHEST))


def test_a_note_that_the_keys_reach_is_scrolled_to(seat: Seat, roll: Roll, qtbot: QtBot) -> None:
    roll.resize(1100, 300)
    view = roll.view
    view.go_to(seat.session.span(1))
    view.zoom_keys(COARSEST)
    unseen = 0
    for _ in range(12):
        before = view.frame
        qtbot.keyClick(view, Key.Key_Right)
        ((name, row),) = view.selection.notes
        pitch = seat.session.takes[seat.session.scenes[int(name[1:]) - 1].chosen or ""].notes[row].played.pitch
        unseen += not before.notes.top() <= before.y(pitch) <= before.notes.bottom() - before.key
        frame = view.frame
        assert frame.notes.top() <= frame.y(pitch) <= frame.notes.bottom() - frame.key
    assert unseen  # or nothing had to be scrolled


@pytest.mark.parametrize("word", ["melody", "piano:2-3", "3", "bridge@2.1", "piano@1.1"])
def test_which_notes_are_kept_is_what_the_words_say(cue: Session, word: str) -> None:
    session = cue.with_scene(replace(cue.scenes[1], keep=(word, "piano@4.2")))
    span = session.span(2)
    take = session.take(span.scene)[1]
    shapes = Shapes()
    assert not shapes.knows_kept(span, take)
    wanted = kept((row.note for row in take.notes), span, held(span))
    assert shapes.kept(span, take).tolist() == [row.note in wanted for row in take.notes]
    assert shapes.knows_kept(span, take)


def test_an_empty_roll_says_what_to_do_next(seat: Seat, roll: Roll) -> None:
    assert not roll.hollow.isVisible()
    silent = replace(seat.session, scenes=tuple(replace(scene, chosen=None) for scene in seat.session.scenes))
    roll.show_session(silent)
    assert roll.hollow.isVisible()
    assert "score the film (Ctrl+Enter)" in roll.hollow.text()  # a session is open: no word of opening a film
    roll.show_session(seat.session)
    assert roll.view.isVisible()
    assert not roll.hollow.isVisible()


def test_enter_without_a_selection_is_left_to_the_window(roll: Roll, qtbot: QtBot) -> None:
    enter = QKeyEvent(QEvent.Type.KeyPress, Key.Key_Return, Mod.NoModifier)
    assert not roll.view.selection
    QApplication.sendEvent(roll.view, enter)
    assert not enter.isAccepted()


def test_a_note_says_itself(cue: Session) -> None:
    stage = Stage(cue, Shapes())
    placed = stage.scene(cue.span(2))
    assert placed is not None
    words = note_words(placed, 0, stage)
    row = placed.take.notes[0]
    assert words.split()[:2] == [row.note.stem, pitch_name(row.note.pitch)]
    assert f"velocity {row.played.velocity}" in words
    bar, place = bar_of(row.note.start, cue.span(2))
    metre = cue.span(2).bars[bar - 8].metre
    assert f"{bar}|{float(place * metre.unit / 4) + 1:g}" in words


def test_an_empty_roll_is_empty(qtbot: QtBot, seat: Seat, roll: Roll) -> None:
    roll.show_session(None)
    roll.view.repaint()
    qtbot.keyClick(roll.view, Key.Key_Right)
    assert not roll.view.selection
    assert not roll.keep.isEnabled()
    assert np.isfinite(roll.view.frame.scale.left)
    assert QRectF(roll.view.frame.notes).width() > 0
