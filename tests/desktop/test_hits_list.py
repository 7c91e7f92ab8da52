"""The list of hits: names and windows are written in it and undone, and it goes along with the timeline."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from desktop.hits import EARLY, LATE, NAME, TIMECODE, WEIGHT, Hits
from desktop.window import Window
from engines.spotting.hits import Hit

PATIENCE = 30_000
Key = Qt.Key


class Desk:
    """A window with a session whose film is nowhere, its list of hits in front."""

    def __init__(self, window: Window, bot: QtBot) -> None:
        self.window, self.bot = window, bot
        panel = window.docks["hits"].bring_up()
        assert isinstance(panel, Hits)
        self.panel, self.table = panel, panel.table
        self.table.setFocus()

    @property
    def hits(self) -> tuple[Hit, ...]:
        assert self.window.document.now is not None
        return self.window.document.now.session.hits

    @property
    def steps(self) -> list[str]:
        assert self.window.document.now is not None
        return [step.sentence for step in self.window.document.now.history.done]

    def at(self, row: int, column: int) -> None:
        self.table.setCurrentIndex(self.panel.rows.index(row, column))

    def write(self, text: str) -> None:
        """Into the editor that is open, and Enter."""
        editor = self.table.viewport().findChild(QLineEdit)  # type: ignore[union-attr]
        assert editor is not None
        editor.selectAll()
        self.bot.keyClicks(editor, text)
        self.bot.keyClick(editor, Key.Key_Return)

    def until(self, call: object) -> None:
        self.bot.waitUntil(call, timeout=PATIENCE)

    def shown(self, row: int, column: int) -> str:
        return str(self.panel.rows.data(self.panel.rows.index(row, column)))


@pytest.fixture
def desk(window: Window, trio: str, tmp_path: Path, qtbot: QtBot) -> Desk:
    window.commands.take(saved(scored(), tmp_path / "cue.hitpoint"))
    qtbot.waitUntil(lambda: window.timeline.sheet is not None and window.transport.timing.frames > 1, timeout=PATIENCE)
    return Desk(window, qtbot)


def test_a_name_and_a_window_are_written_with_the_keys_and_undone(desk: Desk) -> None:
    before = desk.hits
    desk.at(1, TIMECODE)
    desk.bot.keyClick(desk.table, Key.Key_F2)  # of whatever cannot be written, the name
    desk.write("the door, at last")
    desk.until(lambda: desk.hits[1].label == "the door, at last")
    assert desk.steps[-1] == f"Name the hit at frame {before[1].frame}"
    desk.until(lambda: desk.shown(1, NAME) == "the door, at last")
    rate = desk.window.document.now.session.film.rate  # type: ignore[union-attr]
    for column, text, frames in ((EARLY, "0", Fraction(0)), (LATE, "2,5", Fraction(5, 2))):
        desk.at(1, column)
        desk.bot.keyClick(desk.table, Key.Key_F2)
        desk.write(text)
        desk.until(lambda frames=frames, column=column: (desk.hits[1].early, desk.hits[1].late)[column == LATE] == frames / rate)
        desk.until(lambda column=column, frames=frames: desk.shown(1, column) == f"{float(frames):g}")
    assert desk.steps[-1] == f"Set the window of the hit at frame {before[1].frame}"
    assert desk.table.currentIndex().row() == 1  # it stands where it stood
    assert desk.table.currentIndex().column() == LATE
    for _ in range(3):
        desk.window.actions_by_name["undo"].trigger()
    desk.until(lambda: desk.hits == before)


def test_a_double_click_writes_and_what_is_no_number_is_refused(desk: Desk) -> None:
    before, steps = desk.hits, desk.steps
    place = desk.table.visualRect(desk.panel.rows.index(0, EARLY)).center()
    pane = desk.table.viewport()
    desk.bot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=place)
    desk.bot.mouseDClick(pane, Qt.MouseButton.LeftButton, pos=place)
    desk.write("soon")
    desk.until(lambda: "soon is no number of frames" in desk.window.message.text)
    assert desk.hits == before
    desk.bot.mouseDClick(pane, Qt.MouseButton.LeftButton, pos=place)
    desk.write(desk.shown(0, EARLY))  # as it is: no act
    assert desk.steps == steps
    where = desk.table.visualRect(desk.panel.rows.index(0, WEIGHT)).center()
    desk.bot.mouseDClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(where))
    assert not desk.table.viewport().findChildren(QLineEdit) or QApplication.focusWidget() is not None  # type: ignore[union-attr]
    assert not desk.panel.rows.flags(desk.panel.rows.index(0, WEIGHT)) & Qt.ItemFlag.ItemIsEditable


def test_what_is_typed_is_not_lost_when_the_session_is_drawn_anew(desk: Desk) -> None:
    """A scene that is ready, a report: they come when they come."""
    document, before = desk.window.document, desk.hits
    desk.at(2, NAME)
    desk.bot.keyClick(desk.table, Key.Key_F2)
    editor = desk.table.viewport().findChild(QLineEdit)  # type: ignore[union-attr]
    assert editor is not None
    desk.bot.keyClicks(editor, "the kn")
    anew = replace(document.sheet, marks=document.sheet.marks[:3])  # type: ignore[type-var, union-attr]
    desk.panel.draw(anew)
    assert desk.panel.rows.rowCount() == len(before)
    assert desk.table.viewport().findChild(QLineEdit) is editor  # type: ignore[union-attr]
    desk.bot.keyClicks(editor, "ife")
    desk.bot.keyClick(editor, Key.Key_Return)
    desk.until(lambda: desk.hits[2].label == "the knife")
    desk.until(lambda: desk.shown(2, NAME) == "the knife")
    desk.bot.keyClick(desk.table, Key.Key_F2)
    desk.panel.draw(anew)
    desk.bot.keyClick(desk.table.viewport().findChild(QLineEdit), Key.Key_Escape)  # type: ignore[union-attr, arg-type]
    desk.until(lambda: desk.panel.rows.rowCount() == 3)
    desk.panel.draw(document.sheet)
    assert desk.panel.rows.rowCount() == len(before)


def test_the_list_goes_along_with_the_timeline_and_the_other_way_round(desk: Desk) -> None:
    window, timeline = desk.window, desk.window.timeline
    head = window.transport.frame
    timeline.select(desk.hits[3].frame)
    assert desk.table.currentIndex().row() == 3
    assert {index.row() for index in desk.table.selectionModel().selectedRows()} == {3}  # type: ignore[union-attr]
    assert window.transport.frame == head  # what is selected is not gone to
    desk.bot.keyClick(desk.table, Key.Key_Down)
    assert timeline.hits.selected == desk.hits[4].frame
    assert window.transport.frame == desk.hits[4].frame
    timeline.select(None)
    assert not desk.table.currentIndex().isValid()
    timeline.select(desk.hits[2].frame)
    to = desk.hits[2].frame + 5
    window.commands.move_hit(desk.hits[2].frame, to)
    desk.until(lambda: to in [hit.frame for hit in desk.hits])
    desk.until(lambda: desk.shown(desk.table.currentIndex().row(), TIMECODE) == str(timeline.sheet.start + to))  # type: ignore[union-attr]


def test_the_menu_names_the_selected_hit_or_says_to_select_one(desk: Desk) -> None:
    desk.window.timeline.select(None)
    desk.window.actions_by_name["hit_name"].trigger()
    desk.until(lambda: "Select a hit first" in desk.window.message.text)
    desk.window.timeline.select(desk.hits[5].frame)
    desk.window.actions_by_name["hit_name"].trigger()
    desk.write("storm")
    desk.until(lambda: desk.hits[5].label == "storm")


def test_nothing_is_written_where_nothing_can_be_kept(desk: Desk, tmp_path: Path) -> None:
    rows = desk.panel.rows
    assert rows.flags(rows.index(0, NAME)) & Qt.ItemFlag.ItemIsEditable
    other = Window(desk.window.document.__class__(), desk.window.preferences)
    other.commands.take(tmp_path / "cue.hitpoint")  # open elsewhere: read-only here
    desk.until(lambda: other.timeline.sheet is not None and bool(other.timeline.sheet.marks))
    panel = other.docks["hits"].build()
    assert isinstance(panel, Hits)
    assert not panel.rows.flags(panel.rows.index(0, NAME)) & Qt.ItemFlag.ItemIsEditable
    assert not panel.rows.setData(panel.rows.index(0, NAME), "x")
    other.close()


def test_what_cannot_be_seen_is_said(desk: Desk) -> None:
    rows, role = desk.panel.rows, Qt.ItemDataRole.AccessibleTextRole
    assert rows.data(rows.index(0, EARLY), role) == f"on up to {desk.shown(0, EARLY)} frames early"
    assert rows.data(rows.index(0, LATE), role) == f"on up to {desk.shown(0, LATE)} frames late"
