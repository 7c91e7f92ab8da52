"""Takes: locks, versions, verdicts and the keys of the grid, on real sessions composed by the quick engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from long_sessions import long_session
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot
from seated import PATIENCE, Seat, at_seat  # noqa: F401  a fixture
from sittings import few, scored

from bridge.jobs import JobReading
from desktop import theme
from desktop.hits import summary
from desktop.sheet import sheet_of_session
from desktop.takes import Takes
from desktop.takes_cells import zones
from desktop.takes_keep import bars_of, holding, note_words, opening, releasing, shut, shutting
from desktop.takes_progress import composing
from desktop.takes_report import FileReport
from desktop.takes_table import HITS, SCENE, TAKE, verdict_words
from desktop.takes_verdict import Verdict, Verdicts, verdict_of
from desktop.theme import current
from engines.commands import Join
from engines.score.notes import STEMS
from engines.score.report import hit_report
from engines.session.deliver import cue_report, write_cue
from engines.session.keep import bar_of, held, kept, parse
from engines.session.model import PlayedNote, SceneTake, Session, Span
from engines.spotting.hits import Hit

Key, Mod = Qt.Key, Qt.KeyboardModifier


def holding_words(span: Span, words: tuple[str, ...]) -> Span:
    keep = tuple(str(parse(text).moved(-span.first)) for text in words)
    return replace(span, scene=replace(span.scene, keep=keep))


def closed(span: Span) -> set[tuple[str, int]]:
    """Every stem and bar that is kept as a whole."""
    first, last = bars_of(span)
    return {(stem, bar) for stem in STEMS for bar in range(first, last + 1) if shut(span, stem, (bar, bar))}


@st.composite
def locks(draw: st.DrawFn) -> list[tuple[bool, str | None, tuple[int, int] | None]]:
    """Some turns of locks: shutting or opening, a stem or all, bars 8 to 13 of the second scene or all of it."""
    bars = st.none() | st.tuples(st.integers(8, 13), st.integers(0, 5)).map(lambda b: (b[0], min(13, b[0] + b[1])))
    turn = st.tuples(st.booleans(), st.sampled_from([None, *STEMS]), bars)
    return draw(st.lists(turn, min_size=1, max_size=6))


@pytest.fixture(scope="module")
def cue(trio: str) -> Session:
    return scored()


@few(60)
@given(turns=locks())
def test_locks_shut_and_open_just_what_they_are_turned_for(
    cue: Session, turns: list[tuple[bool, str | None, tuple[int, int] | None]]
) -> None:
    span = cue.span(2)
    assert bars_of(span) == (8, 13)
    expected: set[tuple[str, int]] = set()
    for shutting_it, stem, bars in turns:
        low, high = bars or bars_of(span)
        turned = {(name, bar) for name in ((stem,) if stem else STEMS) for bar in range(low, high + 1)}
        expected = expected | turned if shutting_it else expected - turned
        span = holding_words(span, (shutting if shutting_it else opening)(span, stem, bars))
        assert closed(span) == expected
    assert shut(span) == (len(expected) == 18)


@few(40)
@given(data=st.data())
def test_single_notes_are_let_go_and_no_other(cue: Session, data: st.DataObject) -> None:
    span = cue.span(2)
    notes = [row.note for row in cue.take(span.scene)[1].notes]
    word = data.draw(st.sampled_from(["melody", "8-10", "piano:9-12", "bridge"]))
    span = holding_words(span, (word,))
    before = kept(notes, span, held(span))
    if not before:
        return
    gone = data.draw(st.lists(st.sampled_from(sorted(before)), min_size=1, max_size=4))
    span = holding_words(span, releasing(span, gone, notes))
    together = {(note.stem, note.start) for note in gone}
    assert kept(notes, span, held(span)) == {note for note in before if (note.stem, note.start) not in together}


@few(40)
@given(data=st.data())
def test_selected_notes_are_kept_with_what_starts_with_them(cue: Session, data: st.DataObject) -> None:
    span = cue.span(3)
    notes = [row.note for row in cue.take(span.scene)[1].notes]
    picked = data.draw(st.lists(st.sampled_from(sorted(notes)), min_size=1, max_size=5))
    span = holding_words(span, holding(span, note_words(span, picked)))
    places = {(note.stem, note.start) for note in picked}
    assert kept(notes, span, held(span)) == {note for note in notes if (note.stem, note.start) in places}


def test_verdicts_of_chosen_takes_are_those_of_the_file_on_the_disk(cue: Session, tmp_path: Path) -> None:
    written, _ = write_cue(cue, tmp_path / "cue.mid")
    lines = {line.hit.frame: line for line in cue_report(cue, written).lines}
    verdicts, seen = Verdicts(cue), 0
    for span in cue.spans:
        for line in verdicts.of(span, cue.take(span.scene)[1]).lines or ():
            filed, seen = lines[line.hit.frame], seen + 1
            assert (line.verdict, line.landed_by) == (filed.verdict, filed.landed_by)
            assert line.error is not None
            assert filed.error is not None
            assert abs(filed.error - line.error) <= Fraction(1, 10_000)
    assert seen == len(cue.hits)


@few(12)
@given(seed=st.integers(0, 10**6), silent=st.sets(st.integers(1, 8), max_size=4))
def test_scenes_and_list_say_together_what_the_hit_report_of_the_cue_says(seed: int, silent: set[int]) -> None:
    """A note just over the bar line counts for the hit before it, in every place where hits are counted; and so do hits of silence."""
    session = long_session(8, 24, 160, seed)
    session = replace(
        session, scenes=tuple(replace(s, chosen=None) if k in silent else s for k, s in enumerate(session.scenes, 1))
    )
    onsets = {session.tempo_map.seconds(note.start) for note in session.notes}
    report = hit_report(onsets, session.hits, session.film.rate, session.start)
    verdicts = Verdicts(session)
    lines = [line for span in session.spans for line in verdicts.of(span, verdicts.heard(span)).lines or ()]
    assert [(line.hit, line.onset, line.verdict) for line in lines] == [(r.hit, r.onset, r.verdict) for r in report.lines]
    counts = Counter(line.verdict for line in report.lines)
    marks = sheet_of_session(session).marks
    assert [mark.hit for mark in marks] == [line.hit for line in report.lines]
    shown = Counter(mark.verdict for mark in marks)
    assert (shown["on"], shown["early"] + shown["late"]) == (counts["on"], counts["near"])
    assert shown["missed"] + shown["silent"] == counts["missed"]
    assert not shown["silent"] or silent
    said = summary(sheet_of_session(session))
    assert said == f"{counts['on']} of 160 on, {counts['near']} near, {counts['missed']} missed"


def test_a_scene_hears_the_notes_beside_it_and_another_take_there_is_noticed(cue: Session) -> None:
    """The hit lies half a frame before the second scene, whose first note is the nearest to it."""
    line = cue.span(2).seconds[0]
    moment = line - Fraction(1, 48)
    hit = Hit(int(moment * cue.film.rate), moment, early=Fraction(0), late=Fraction(0))
    bare = replace(cue, hits=(hit,))
    takes = {name: replace(take, notes=_from(take, 0 if take.scene == "s2" else None)) for name, take in cue.takes.items()}
    session = replace(bare, takes=takes)
    verdicts = Verdicts(session)
    span, take = session.span(1), session.take(session.span(1).scene)[1]
    assert verdicts.hits(span) == (hit,)
    told = verdicts.of(span, take)
    assert told.lines is not None
    assert told.lines[0].onset == line
    assert told.count("on") == 1
    assert verdicts.knows(span, take)
    silenced = session.with_scene(replace(session.scenes[1], chosen=None))
    after = Verdicts(silenced, verdicts)
    assert not after.knows(silenced.span(1), take)
    assert after.of(silenced.span(1), take).count("missed") == 1


def _from(take: SceneTake, beat: int | None) -> tuple[PlayedNote, ...]:
    """Of a take's notes one, on a beat; None leaves none but one far from the end."""
    row = take.notes[0]
    start = Fraction(1 if beat is None else beat)
    return (replace(row, note=replace(row.note, start=start), played=replace(row.played, start=start)),)


def test_a_missed_hit_outshines_all_that_are_caught(cue: Session) -> None:
    span = cue.span(1)
    _, take = cue.take(span.scene)
    hits = Verdicts(cue).hits(span)
    silent = replace(take, notes=tuple(row for row in take.notes if row.note.start > 20))
    verdict = verdict_of(cue, span, silent, hits)
    assert verdict.light == "missed"
    assert verdict.count("missed") >= 1
    assert verdict.worst is not None
    assert verdict.worst.verdict == "missed"
    assert f"{verdict.count('missed')} missed" in verdict_words(verdict)
    assert verdict_of(cue, span, replace(take, notes=()), hits).count("missed") == len(hits)


def test_a_take_for_other_bars_claims_nothing(cue: Session) -> None:
    span = cue.span(1)
    stranger = replace(cue.take(cue.span(2).scene)[1], scene=span.scene.id)
    assert verdict_of(cue, span, stranger, ()) == Verdict(None)
    assert verdict_words(Verdict(None)) == "made for other bars"


def test_a_verdict_is_worked_out_once_for_takes_that_stay(cue: Session) -> None:
    first = Verdicts(cue)
    span, (_, take) = cue.span(1), cue.take(cue.span(1).scene)
    told = first.of(span, take)
    renamed = replace(cue, cue="1m2")
    assert Verdicts(renamed, first).of(renamed.span(1), take) is told


def test_what_is_being_composed_is_told_by_scene(cue: Session) -> None:
    refill = JobReading(1, "Refill the melody of scene 2", "engine", "working", "compose", 3, 4)
    waits = JobReading(2, "Refill bars 3-4 of scene 1", "engine", "waiting")
    assert composing(cue, [refill, waits]) == {2: 0.75, 1: 0.0}
    whole = JobReading(3, "Score the cue", "engine", "working", "compose", 10, 20)
    assert composing(cue, [whole]) == composing(cue, [replace(whole, sentence="Score reel.mp4")]) == {2: 0.5, 3: 0.0}
    assert composing(cue, [replace(whole, state="done"), JobReading(4, "Open a.mp4", "picture", "working", "shots", 1, 2)]) == {}


# the panel


@pytest.fixture
def takes(seat: Seat, qtbot: QtBot) -> Takes:
    made = Takes(seat.document, seat.transport)
    qtbot.addWidget(made)
    made.resize(1300, 700)
    made.show()
    made.grid.setFocus()
    return made


def at(takes: Takes, scene: int, column: int) -> None:
    takes.grid.setCurrentIndex(takes.grid.table.index(scene - 1, column))


def red_in(widget: QWidget, rect: QRect | None = None) -> int:
    """Pixels in the colour of a missed hit."""
    picture = widget.grab(rect if rect is not None else widget.rect()).toImage()
    red = QColor(current().missed).rgb()
    return sum(picture.pixel(x, y) == red for x in range(picture.width()) for y in range(picture.height()))


def test_enter_composes_the_scene_again_and_nothing_else(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    before = seat.session
    at(takes, 2, SCENE)
    after = seat.composed(lambda: qtbot.keyClick(takes.grid, Key.Key_Return))
    assert seat.chosen(2).number == 2
    assert [s.chosen for s in after.scenes if s.id != "s2"] == [s.chosen for s in before.scenes if s.id != "s2"]
    assert {name: after.takes[name] for name in before.takes} == before.takes
    assert takes.versions.table.rowCount() == 2


def test_enter_on_a_stem_composes_that_stem_alone(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    before = {row for row in seat.chosen(1).notes if row.note.stem != "bridge"}
    at(takes, 1, 1 + STEMS.index("bridge"))
    seat.composed(lambda: qtbot.keyClick(takes.grid, Key.Key_Enter))
    after = seat.chosen(1)
    assert [order.brief.stems for order in after.orders] == [("bridge",)]
    # an accent on a hit may lie in the stem that was composed only; the others stay bit by bit
    assert {row for row in after.notes if row.note.stem != "bridge"} == before


def test_what_is_kept_by_key_stays_bit_by_bit(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    melody = [row for row in seat.chosen(3).notes if row.note.stem == "melody"]
    at(takes, 3, 1)
    seat.change(lambda: qtbot.keyClick(takes.grid, Key.Key_K, Mod.ShiftModifier))
    assert seat.session.scenes[2].keep == ("melody",)
    assert seat.steps[0] == "Keep melody of scene 3"
    at(takes, 3, SCENE)
    seat.composed(lambda: qtbot.keyClick(takes.grid, Key.Key_Return))
    assert [row for row in seat.chosen(3).notes if row.note.stem == "melody"] == melody
    at(takes, 3, 1)
    seat.change(lambda: qtbot.keyClick(takes.grid, Key.Key_K, Mod.ShiftModifier))
    assert seat.session.scenes[2].keep == ()


def test_arrows_and_a_or_b_go_through_the_takes_in_one_step_of_undo(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    for _ in range(2):
        seat.composed(takes.grid.refill)
    assert seat.chosen(1).number == 3
    grid = takes.grid
    seat.change(lambda: qtbot.keyClick(grid, Key.Key_BracketLeft))
    assert seat.chosen(1).number == 2
    seat.change(lambda: qtbot.keyClick(grid, Key.Key_BracketLeft))
    assert seat.chosen(1).number == 1
    qtbot.keyClick(grid, Key.Key_BracketLeft)  # there is none before the first
    seat.change(lambda: qtbot.keyClick(grid, Key.Key_X))
    assert seat.chosen(1).number == 2
    seat.change(lambda: qtbot.keyClick(grid, Key.Key_X))
    assert seat.chosen(1).number == 1
    assert sum(step.startswith("Choose take") for step in seat.steps) == 1
    seat.change(seat.document.undo)
    assert seat.chosen(1).number == 3  # as it was before the composer went looking, the refill untouched
    assert len(seat.session.takes) == 5


def test_a_rating_is_given_and_taken_back(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    seat.change(lambda: qtbot.keyClick(takes.grid, Key.Key_4))
    assert seat.chosen(1).rating == 4
    seat.change(lambda: qtbot.keyClick(takes.versions, Key.Key_2))
    assert seat.chosen(1).rating == 2
    seat.change(lambda: qtbot.keyClick(takes.grid, Key.Key_2))
    assert seat.chosen(1).rating is None


def test_names_and_notes_are_written_in_place(seat: Seat, takes: Takes) -> None:
    table = takes.versions.table
    seat.change(lambda: table.setData(table.index(0, 3), " the quiet one "))
    assert seat.chosen(1).name == "the quiet one"
    seat.change(lambda: table.setData(table.index(0, 4), "too busy at the door"))
    assert seat.chosen(1).remark == "too busy at the door"
    assert not table.setData(table.index(0, 0), "7")


def test_a_take_thrown_away_comes_back_with_undo(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    before = seat.session
    seat.change(lambda: qtbot.keyClick(takes.versions, Key.Key_Delete))
    assert seat.session.scenes[0].chosen is None
    assert takes.versions.table.rowCount() == 0
    assert seat.change(seat.document.undo) == before


def test_the_mouse_does_what_the_marks_say(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    grid = takes.grid

    def click(column: int, name: str, along: float = 0.5) -> None:
        spot = zones(column, grid.visualRect(grid.table.index(1, column)))[name]
        place = QPoint(spot.x() + round(along * (spot.width() - 1)), spot.center().y())
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)

    seat.composed(lambda: click(SCENE, "refill"))
    assert seat.chosen(2).number == 2
    seat.change(lambda: click(TAKE, "back"))
    assert seat.chosen(2).number == 1
    seat.change(lambda: click(TAKE, "swap"))
    assert seat.chosen(2).number == 2
    seat.change(lambda: click(TAKE, "rate", 0.95))
    assert seat.chosen(2).rating == 5
    seat.change(lambda: click(3, "keep"))
    assert seat.session.scenes[1].keep == ("piano",)
    seat.change(lambda: click(SCENE, "keep"))
    assert shut(seat.session.span(2))


def test_red_cannot_be_hidden(seat: Seat, takes: Takes) -> None:
    span = seat.session.span(1)
    name, take = seat.session.take(span.scene)
    cut = replace(take, notes=tuple(row for row in take.notes if row.note.start > 20))
    takes.show_session(replace(seat.session, takes={**seat.session.takes, name: cut}))
    grid = takes.grid
    for width, height in ((1300, 700), (900, 500), (700, 420), (1700, 400)):
        takes.resize(width, height)
        grid.repaint()
        seat.bot.waitUntil(lambda: not grid.cells.allowance.short and not grid.grab().isNull(), timeout=PATIENCE)
        cell = grid.visualRect(grid.table.index(0, HITS))
        assert cell.right() <= grid.viewport().width() - 1  # type: ignore[union-attr]
        assert red_in(grid.viewport(), cell) > 20  # type: ignore[arg-type]
        assert red_in(takes.versions) > 10
        assert red_in(takes.report) > 20
    head = grid.horizontalHeader()
    assert head is not None
    assert not head.sectionsClickable()
    assert not takes._halves.childrenCollapsible()
    assert not takes._low.childrenCollapsible()
    assert "missed" in takes.report.sentence.text()


def test_the_bar_over_the_grid_counts_the_hits_of_the_cue(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    lines = [
        line for span in seat.session.spans for line in Verdicts(seat.session).of(span, seat.chosen(span.number)).lines or ()
    ]
    on, missed = (sum(line.verdict == verdict for line in lines) for verdict in ("on", "missed"))
    qtbot.waitUntil(lambda: f"{on} of {len(lines)} hits" in takes.bar.told.text(), timeout=PATIENCE)
    assert (f"{missed} missed" in takes.bar.told.text()) == bool(missed)
    assert takes.bar.light.light == ("missed" if missed else "near" if on < len(lines) else "on")
    alone = seat.session.with_scene(replace(seat.session.scenes[0], chosen=None))
    takes.show_session(alone)
    onsets = {alone.tempo_map.seconds(note.start) for note in alone.notes}
    report = [line.verdict for line in hit_report(onsets, alone.hits, alone.film.rate).lines]
    assert report.count("missed") > missed
    said = f"{report.count('missed')} missed"  # what another map silenced is missed
    qtbot.waitUntil(lambda: said in takes.bar.told.text(), timeout=PATIENCE)
    assert f" of {len(lines)} hits" in takes.bar.told.text()
    lost = len(Verdicts(alone).hits(alone.span(1)))
    assert f"of {lost} hits within a frame" in takes.grid.table.say(alone.span(1), HITS)
    silent = replace(seat.session, scenes=tuple(replace(scene, chosen=None) for scene in seat.session.scenes))
    takes.show_session(silent)
    assert takes.bar.told.text() == ""
    assert not any(handle.isEnabled() for handle in takes.bar.handles.values())


def test_the_current_scene_is_the_one_under_the_playhead(seat: Seat, takes: Takes, qtbot: QtBot) -> None:
    assert takes.grid.scene == 1
    qtbot.keyClick(takes.grid, Key.Key_Down)
    start = seat.session.span(2).seconds[0]
    assert takes.grid.scene == 2
    assert seat.transport.seconds >= start > seat.transport.timing.time(seat.transport.frame - 1)
    seat.transport.locate(seat.transport.timing.frames - 1)
    assert takes.grid.scene == 3
    assert takes.versions.table.home is not None
    assert takes.versions.table.home.number == 3
    seat.transport.locate(0)
    assert takes.grid.scene == 1


def test_showing_a_session_moves_no_playhead(seat: Seat, takes: Takes) -> None:
    session = seat.session
    frame = int(session.span(3).seconds[0] * session.film.rate) + 20
    takes.show_session(None)
    seat.transport.locate(frame)
    takes.show_session(session)  # as the first score of a film does it
    assert seat.transport.frame == frame
    assert takes.grid.scene == 3
    assert takes.versions.table.home == session.span(3)
    joined = seat.change(lambda: seat.document.act(Join(2)))
    assert len(joined.scenes) == 2
    assert seat.transport.frame == frame
    assert takes.grid.scene == 2
    seat.change(seat.document.undo)
    assert seat.transport.frame == frame
    assert takes.grid.scene == 3


def test_words_in_colour_change_with_the_look(seat: Seat, takes: Takes, qapp: QApplication) -> None:
    span = seat.session.span(1)
    name, take = seat.session.take(span.scene)
    cut = replace(take, notes=tuple(row for row in take.notes if row.note.start > 20))
    takes.show_session(replace(seat.session, takes={**seat.session.takes, name: cut}))
    seat.bot.waitUntil(lambda: "missed" in takes.bar.told.text(), timeout=PATIENCE)
    for label in (takes.bar.told, takes.report.sentence):
        assert theme.DARK.missed in label.text()
    theme.wear(qapp, "light")
    for label in (takes.bar.told, takes.report.sentence):
        seat.bot.waitUntil(lambda label=label: theme.LIGHT.missed in label.text(), timeout=PATIENCE)  # type: ignore[misc]
        assert theme.DARK.missed not in label.text()


def test_keys_of_the_window_pass_through_the_grid(takes: Takes, qtbot: QtBot) -> None:
    heard: list[int] = []

    class Outer(QWidget):
        def keyPressEvent(self, event: object) -> None:
            heard.append(event.key())  # type: ignore[attr-defined]

    outer = Outer()
    qtbot.addWidget(outer)
    takes.setParent(outer)
    for key in (Key.Key_Space, Key.Key_J, Key.Key_K, Key.Key_L, Key.Key_M):
        qtbot.keyClick(takes.grid, key)
        qtbot.keyClick(takes.versions, key)
    takes.setParent(None)
    assert heard == [key for key in (Key.Key_Space, Key.Key_J, Key.Key_K, Key.Key_L, Key.Key_M) for _ in range(2)]


def test_every_cell_says_itself_aloud(seat: Seat, takes: Takes) -> None:
    table = takes.grid.table
    for row in range(table.rowCount()):
        for column in range(table.columnCount()):
            index = table.index(row, column)
            assert table.data(index, Qt.ItemDataRole.AccessibleTextRole).strip()
            assert table.data(index, Qt.ItemDataRole.ToolTipRole).strip()
    assert "hits within a frame" in table.data(table.index(0, HITS))


def test_anybodys_midi_file_is_held_against_the_hits(seat: Seat, takes: Takes, qtbot: QtBot, tmp_path: Path) -> None:
    written, report = write_cue(seat.session, tmp_path / "someone's.mid")
    takes.report_file(written)
    qtbot.waitUntil(lambda: bool(takes.findChildren(QDialog)), timeout=PATIENCE)
    (dialog,) = takes.findChildren(QDialog)
    assert isinstance(dialog, FileReport)
    assert [line.error for line in dialog.report.table.lines] == [line.error for line in report.lines]
    dialog.close()
    takes.report_file(tmp_path / "nowhere.mid")
    qtbot.waitUntil(lambda: bool(seat.refused), timeout=PATIENCE)


def test_a_bar_of_the_cue_is_found_for_every_note(cue: Session) -> None:
    for span in cue.spans:
        first, last = bars_of(span)
        for row in cue.take(span.scene)[1].notes:
            assert first <= bar_of(row.note.start, span)[0] <= last
