"""Music dragged out as files that hold the session's very notes at its very times, and files dropped in."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDrag, QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from seated import PATIENCE, Seat, at_seat  # noqa: F401  a fixture
from sittings import few, scored

from desktop.dragging import COPIED, MIDI, Catcher, mime_of, put_out, shelf, taken
from desktop.roll import Roll
from desktop.takes import Takes
from desktop.takes_midi import Piece, file_zero, piece_name, piece_score
from engines.errors import OptionError
from engines.picture.timecode import Timecode
from engines.score.notes import STEMS
from engines.score.smf import read_smf, smf_bytes
from engines.session.deliver import score_of
from engines.session.keep import bar_of
from engines.session.model import Session
from engines.session.refill import Wish, refilled
from engines.watch import Watch

CLOSE = 0.0011
"""Seconds: a tick of 960 at 60 beats a minute, rounded either way, and the microseconds of the tempo track."""


@pytest.fixture(scope="module")
def cue(trio: str) -> Session:
    """Three scenes, the second with a second take."""
    return refilled(scored(), Wish(2, seed=40), Watch())[0]


def sounding(
    session: Session, scene: int, stem: str | None = None, take: int | None = None
) -> list[tuple[float, float, int, int]]:
    """What the session plays of a take: seconds from the scene's bar line, length in seconds, pitch, velocity."""
    span = session.span(scene)
    begin, clock = span.seconds[0], session.tempo_map.seconds
    rows = (row.played for row in session.take(span.scene, take)[1].notes)
    return sorted(
        (
            float(clock(span.start + n.start) - begin),
            float(clock(span.start + n.end) - clock(span.start + n.start)),
            n.pitch,
            n.velocity,
        )
        for n in rows
        if stem in (None, n.stem)
    )


def by_pretty_midi(path: Path) -> list[tuple[float, float, int, int]]:
    import pretty_midi

    return sorted(
        (note.start, note.end - note.start, note.pitch, note.velocity)
        for part in pretty_midi.PrettyMIDI(str(path)).instruments
        for note in part.notes
    )


def by_mido(path: Path) -> list[tuple[float, float, int, int]]:
    """Note-ons and note-offs in the order of the file, by mido's own clock."""
    import mido

    now, open_notes, out = 0.0, {}, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity:
            open_notes.setdefault((message.channel, message.note), []).append((now, message.velocity))
        elif message.type in ("note_on", "note_off"):
            start, velocity = open_notes[message.channel, message.note].pop(0)
            out.append((start, now - start, message.note, velocity))
    return sorted(out)


def same(one: list[tuple[float, float, int, int]], other: list[tuple[float, float, int, int]]) -> None:
    """Whether two lots of notes are one, but for the ticks of a file."""
    key = lambda row: (row[2], row[3], round(row[0], 2), row[1])  # noqa: E731
    assert len(one) == len(other)
    for a, b in zip(sorted(one, key=key), sorted(other, key=key), strict=True):
        assert a[2:] == b[2:]
        assert abs(a[0] - b[0]) < CLOSE
        assert abs(a[1] - b[1]) < 2 * CLOSE


@few(12)
@given(scene=st.integers(1, 3), stem=st.sampled_from([None, *STEMS]), first=st.booleans())
def test_a_dragged_scene_holds_the_sessions_notes_from_its_bar_line(
    cue: Session, scene: int, stem: str | None, first: bool
) -> None:
    take = 1 if first else None
    path = put_out(cue, Piece(scene, take, stem))
    expected = sounding(cue, scene, stem, take)
    same(by_pretty_midi(path), expected)
    same(by_mido(path), expected)


def test_a_dragged_scene_has_the_tempo_map_of_its_span(cue: Session) -> None:
    for span in cue.spans:
        smf = read_smf(put_out(cue, Piece(span.number)))
        begin = span.seconds[0]
        lines = [cue.tempo_map.seconds(bar.start) - begin for bar in span.bars]
        beats = [bar.start - span.start for bar in span.bars]
        for beat, line in zip(beats, lines, strict=True):
            assert abs(smf.seconds(int(beat * smf.division)) - line) < Fraction(1, 20_000)
        assert smf.metres[0] == (0, span.bars[0].metre)
        assert smf.length >= lines[-1]
        marker = smf.markers[0]
        assert marker.time == 0
        frame = floor(begin * cue.film.rate)
        assert marker.text.startswith(f"Scene {span.number}, bar {span.first + 1}: {cue.start + frame}")
        cuts = [cut for cut in cue.programme.cuts if begin <= cut.time < span.seconds[1]]
        assert len(smf.markers) == 1 + len(cuts)
        for found, cut in zip(smf.markers[1:], cuts, strict=True):
            assert abs(found.time + begin - cut.time) < Fraction(1, 1000)


def test_the_cue_goes_out_as_it_is_delivered(cue: Session) -> None:
    path = put_out(cue, Piece())
    assert path.read_bytes() == smf_bytes(score_of(cue))
    stem = put_out(cue, Piece(stem="melody"))
    notes = [n for n in cue.notes if n.stem == "melody"]
    assert len(read_smf(stem).notes) == len(notes)


def test_some_bars_go_out_from_their_own_bar_line(cue: Session) -> None:
    span = cue.span(2)
    smf = read_smf(put_out(cue, Piece(2, None, None, (10, 11))))
    begin = cue.tempo_map.seconds(span.bars[2].start)
    inside = [row for row in cue.take(span.scene)[1].notes if 10 <= bar_of(row.note.start, span)[0] <= 11]
    starts = sorted(float(max(Fraction(0), cue.tempo_map.seconds(span.start + row.played.start) - begin)) for row in inside)
    assert len(starts) > 4
    assert [float(note.start) for note in smf.notes] == pytest.approx(starts, abs=CLOSE)
    one = sorted(row.note for row in inside)[0]
    only = read_smf(put_out(cue, Piece(2, None, one.stem, (10, 11), frozenset({one}))))
    assert [note.pitch for note in only.notes] == [one.pitch]


def test_a_take_for_other_bars_goes_out_at_its_own_tempo(cue: Session) -> None:
    strange = replace(cue, takes={**cue.takes, "t99": replace(cue.take(cue.span(1).scene)[1], scene="s2", number=9)})
    assert not strange.fits(strange.span(2), strange.takes["t99"])
    same(by_pretty_midi(put_out(strange, Piece(2, 9))), sounding(cue, 1))


def test_names_say_cue_scene_stem_and_take_on_every_system(cue: Session) -> None:
    assert piece_name(cue, Piece(2, None, "melody")) == "film_1m1_scene-2_melody_take-2"
    assert piece_name(cue, Piece()) == "film_1m1"
    odd = replace(cue, cue='2m4: "The Door?"')
    odd = odd.with_scene(replace(odd.scenes[0], name="con/prn"))
    name = piece_name(odd, Piece(1, 1, None, (3, 4)))
    assert not set('<>:"/\\|?*') & set(name)
    assert put_out(odd, Piece(1, 1)).is_file()


def test_what_has_no_notes_is_refused_in_a_sentence(cue: Session) -> None:
    span = cue.span(1)
    name, take = cue.take(span.scene)
    silent = replace(cue, takes={**cue.takes, name: replace(take, notes=tuple(r for r in take.notes if r.note.stem != "bridge"))})
    with pytest.raises(OptionError, match="bridge has no notes"):
        piece_score(silent, Piece(1, None, "bridge"))
    with pytest.raises(OptionError, match="has no take 7"):
        put_out(cue, Piece(1, 7))


def test_other_notes_never_take_the_place_of_a_file_that_was_dropped(cue: Session) -> None:
    first, again = put_out(cue, Piece(2, 1)), put_out(cue, Piece(2, 1))
    assert first == again
    span = cue.span(2)
    name, take = cue.take(span.scene, 1)
    other = replace(cue, takes={**cue.takes, name: replace(take, notes=take.notes[1:])})
    second = put_out(other, Piece(2, 1))
    assert second.name == first.name
    assert second != first
    assert len(read_smf(first).notes) == len(take.notes)


# drags


class Receiver:
    """Another program: takes the file of every drag, as a drop target does."""

    def __init__(self) -> None:
        self.got: list[Path] = []

    def __call__(self, drag: QDrag) -> Qt.DropAction:
        data = drag.mimeData()
        assert data is not None
        (url,) = data.urls()
        path = Path(url.toLocalFile())
        assert data.data(MIDI).data() == path.read_bytes()
        assert data.data(MIDI).startsWith(b"MThd")
        self.got.append(path)
        return Qt.DropAction.CopyAction


def pull(qtbot: QtBot, widget: QWidget, place: QPoint) -> None:
    """Presses, and goes off with what is there."""
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, pos=place)
    far = QApplication.startDragDistance()
    for k in (1, 2, 3):
        qtbot.mouseMove(widget, place + QPoint(0, k * far))


def test_a_stem_a_scene_and_a_take_are_dragged_out_and_a_second_time(seat: Seat, qtbot: QtBot) -> None:
    takes = Takes(seat.document, seat.transport)
    qtbot.addWidget(takes)
    takes.resize(1300, 700)
    takes.show()
    receiver = takes.giver.run = Receiver()
    grid = takes.grid
    for many, column in enumerate((1, 0, 1), 1):
        cell = grid.visualRect(grid.table.index(1, column))
        qtbot.mousePress(grid.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
        qtbot.waitUntil(lambda: takes.giver._ready is not None, timeout=PATIENCE)
        takes.giver.drag(takes.giver._ready[0], grid)  # type: ignore[index]
        qtbot.mouseRelease(grid.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
        assert len(receiver.got) == many
    assert [path.stem for path in receiver.got] == [
        "film_1m1_scene-2_melody_take-1",
        "film_1m1_scene-2_take-1",
        "film_1m1_scene-2_melody_take-1",
    ]
    assert receiver.got[0] == receiver.got[2]
    same(by_pretty_midi(receiver.got[0]), sounding(seat.session, 2, "melody"))


def test_the_mouse_itself_begins_the_drag(seat: Seat, qtbot: QtBot) -> None:
    takes, roll = Takes(seat.document, seat.transport), Roll(seat.document, seat.transport)
    for panel in (takes, roll):
        qtbot.addWidget(panel)
        panel.resize(1300, 700)
        panel.show()
    asked: list[Piece] = []
    takes.giver.drag = lambda piece, source: asked.append(piece)  # type: ignore[method-assign]
    roll.giver.drag = lambda piece, source: asked.append(piece)  # type: ignore[method-assign]
    grid = takes.grid
    pull(qtbot, grid.viewport(), grid.visualRect(grid.table.index(0, 3)).center())  # type: ignore[arg-type]
    pull(qtbot, takes.versions.viewport(), takes.versions.visualRect(takes.versions.table.index(0, 0)).center())  # type: ignore[arg-type]
    chip = roll.chips[1]
    for handle in (chip, takes.bar.handles[""], takes.bar.handles["melody"]):
        pull(qtbot, handle, handle.rect().center())
    assert asked == [Piece(1, 1, "piano"), Piece(1, 1), Piece(1, 1, "bridge"), Piece(), Piece(stem="melody")]
    assert chip.isChecked()  # a drag is no click


def test_what_is_selected_in_the_roll_is_dragged_out_of_it(seat: Seat, qtbot: QtBot) -> None:
    roll = Roll(seat.document, seat.transport)
    qtbot.addWidget(roll)
    roll.resize(1200, 600)
    roll.show()
    asked: list[Piece] = []
    roll.giver.drag = lambda piece, source: asked.append(piece)  # type: ignore[method-assign]
    stage, frame = roll.view.stage, roll.view.frame
    assert stage is not None
    placed = stage.scene(seat.session.span(1))
    assert placed is not None
    row = next(k for k in range(len(placed.shape.rows)) if placed.start[k] > 1 and placed.end[k] - placed.start[k] > 0.5)
    place = QPointF(frame.x(float(placed.start[row]) + 0.1), frame.y(int(placed.shape.pitch[row])) + frame.key / 2).toPoint()
    pull(qtbot, roll.view.viewport(), place)  # type: ignore[arg-type]
    (piece,) = asked
    (note,) = piece.notes or ()
    assert note.pitch == placed.shape.pitch[row]
    assert piece.scene == 1
    assert read_smf(put_out(seat.session, piece)).notes[0].pitch == note.pitch


def test_a_copy_lies_on_the_clipboard_as_a_file(seat: Seat, qtbot: QtBot) -> None:
    takes = Takes(seat.document, seat.transport)
    qtbot.addWidget(takes)
    takes.show()
    takes.grid.setCurrentIndex(takes.grid.table.index(2, 2))
    with qtbot.waitSignal(takes.giver.said, timeout=PATIENCE) as said:
        qtbot.keyClick(takes.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert said.args == ["film_1m1_scene-3_bridge_take-1.mid is on the clipboard"]
    data = QApplication.clipboard().mimeData()  # type: ignore[union-attr]
    assert data is not None
    (url,) = data.urls()
    assert data.data(COPIED).data() == b"copy\n" + url.toEncoded().data()
    same(by_pretty_midi(Path(url.toLocalFile())), sounding(seat.session, 3, "bridge"))
    with qtbot.waitSignal(takes.giver.said, timeout=PATIENCE):
        takes.cue_copy()
    (url,) = QApplication.clipboard().mimeData().urls()  # type: ignore[union-attr]
    assert Path(url.toLocalFile()).read_bytes() == smf_bytes(score_of(seat.session))


# drops


def drop(target: QWidget, data: QMimeData) -> bool:
    """A drag that comes over a widget and is let go there; whether it was taken."""
    place, none, left = QPointF(5, 5), Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, data, left, none)
    enter.ignore()
    QApplication.sendEvent(target, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(place, Qt.DropAction.CopyAction, data, left, none)
    QApplication.sendEvent(target, event)
    return event.isAccepted()


def test_dropped_files_are_told_by_what_they_are(qtbot: QtBot, tmp_path: Path, cue: Session) -> None:
    target = QWidget()
    qtbot.addWidget(target)
    target.resize(400, 300)
    target.show()
    catcher, drops = Catcher(target), []
    catcher.dropped.connect(drops.append)
    data = QMimeData()
    names = ("cut 3.EDL", "reel.mov", "sketch.mid", "cue.hitpoint", "notes.txt")
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in names])
    assert drop(target, data)
    (known,) = drops  # what came at once is told at once
    assert [(what, path.name) for what, path in known] == [
        ("cuts", "cut 3.EDL"),
        ("film", "reel.mov"),
        ("midi", "sketch.mid"),
        ("session", "cue.hitpoint"),
    ]
    assert catcher.veil.isHidden()
    other = QMimeData()
    other.setUrls([QUrl("https://example.org/reel.mov"), QUrl.fromLocalFile(str(tmp_path / "notes.txt"))])
    assert not drop(target, other)
    own = mime_of(put_out(cue, Piece(1)))
    assert taken(own) == []
    assert not drop(target, own)
    assert shelf().is_dir()


def test_a_file_that_tells_where_it_begins_is_held_there(cue: Session, tmp_path: Path) -> None:
    own = read_smf(put_out(cue, Piece()))
    assert file_zero(own, cue.start, cue.film.frames) == score_of(cue).zero != 0
    scene = read_smf(put_out(cue, Piece(2)))
    assert file_zero(scene, cue.start, cue.film.frames) == 0  # it tells of none
    hour = Timecode.parse("01:00:00:00", Fraction(30000, 1001), True)
    later = replace(own, offset=own.offset._replace(hours=1, minutes=0, seconds=10, frames=0))  # type: ignore[union-attr]
    assert file_zero(later, hour, 10_000) == 300 / Fraction(30000, 1001)
    strange = replace(own, offset=own.offset._replace(hours=5))  # type: ignore[union-attr]
    assert file_zero(strange, hour, 10_000) == 0
