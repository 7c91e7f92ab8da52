"""Conform in the window: a new cut is looked at, its changes ticked, and carried out as one act; nothing blocks, nothing is lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent, QMouseEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from seated import PATIENCE
from sittings import bytes_of, saved

sys.path.insert(0, str(Path(__file__).parents[1] / "engines" / "conform"))
sys.path.insert(0, str(Path(__file__).parents[1] / "engines" / "session"))
from recuts import Clip, cut_list, inserted, removed, swapped, trimmed
from test_recut import OLD, session

from bridge.studio import Offer
from desktop import theme
from desktop.app import speak
from desktop.document import Document
from desktop.recut import Recut
from desktop.recut_rows import ACCEPT, BARS, COLOURS, KIND, LETTERS, PATTERNS
from desktop.recut_strips import NAMES
from desktop.transport import Transport
from engines.picture.cutlist import CutList
from engines.session.before import AFTER, BEFORE
from engines.session.desk import Desk
from engines.session.recut import NewCut, previewed

NEW = inserted(removed(trimmed(trimmed(OLD, 5, tail=14), 20, head=10), 12), 16, Clip(77, 500, 70))
TICK = Qt.ItemDataRole.CheckStateRole


class Sitting:
    """A session on the old cut, and the panel."""

    def __init__(self, document: Document, panel: Recut, bot: QtBot) -> None:
        self.document, self.panel, self.bot = document, panel, bot

    def offer(self, new: CutList) -> None:
        assert self.document.now is not None
        cut = NewCut(new)
        self.panel.show_offer(Offer(cut, previewed(self.document.now.session, cut), "new.edl"))
        self.bot.waitUntil(lambda: self.panel.recutting is not None, timeout=PATIENCE)

    @property
    def costly(self) -> list[int]:
        assert self.panel.recutting is not None
        return [row.number for row in self.panel.recutting.rows if row.runs]

    def carried(self, call: object) -> None:
        """Does something that carries the session over, and waits for it."""
        call()  # type: ignore[operator]
        self.bot.waitUntil(lambda: self.panel.recutting is None, timeout=PATIENCE)


@pytest.fixture
def sitting(qapp: QApplication, qtbot: QtBot, trio: str, tmp_path: Path) -> Iterator[Sitting]:
    theme.wear(qapp, "dark")
    speak(qapp, "en")
    document = Document()
    panel = Recut(document, Transport())
    panel.resize(1100, 520)
    qtbot.addWidget(panel)
    panel.show()
    with qtbot.waitSignal(document.drawn, timeout=PATIENCE):
        document.open(saved(session(), tmp_path / "cue.hitpoint"))
    yield Sitting(document, panel, qtbot)
    panel.put_aside()
    document.close()


def test_the_list_shows_what_was_changed_and_not_what_slid_along(sitting: Sitting) -> None:
    sitting.offer(cut_list(NEW))
    panel = sitting.panel
    assert panel.recutting is not None
    kinds = [row.change.kind for row in panel.model.rows]
    assert kinds.count("trimmed") == 2
    assert kinds.count("gone") == kinds.count("new") == 1
    assert not [row for row in panel.model.rows if row.along and not row.runs]
    panel.every.setChecked(True)
    assert len(panel.model.rows) == len(panel.recutting.rows) > len(kinds)
    for k, row in enumerate(panel.model.rows):
        assert (panel.model.data(panel.model.index(k, ACCEPT), TICK) is not None) == bool(row.runs)
        said = panel.model.data(panel.model.index(k, KIND), Qt.ItemDataRole.AccessibleTextRole)
        assert said.startswith(f"Change {row.number}, {row.change.kind}")
        assert ("are composed again" in said) == bool(row.runs)
    assert not panel.grab().toImage().isNull()


def test_a_shot_that_changed_places_is_no_shot_that_slid_along(sitting: Sitting) -> None:
    sitting.offer(cut_list(swapped(OLD, 8, 9)))
    moved = [row.change.old.shot for row in sitting.panel.model.rows if row.change.kind == "moved" and row.change.old]
    assert {9, 10} <= set(moved)
    assert "frames later" in next(row.what for row in sitting.panel.model.rows if row.change.old and row.change.old.shot == 9)


def test_every_kind_is_told_apart_without_its_colour() -> None:
    assert set(COLOURS) == set(LETTERS) == set(PATTERNS)
    assert len(set(COLOURS.values())) == len(set(LETTERS.values())) == len(set(PATTERNS.values())) == 5


def test_what_is_not_ticked_is_left_to_the_composer(sitting: Sitting) -> None:
    sitting.offer(cut_list(NEW))
    panel, before = sitting.panel, bytes_of(Desk(session()))
    assert panel.recutting is not None
    refused = sitting.costly[0]
    at = panel.model.index(panel.model.row_of(refused), ACCEPT)
    assert panel.model.setData(at, Qt.CheckState.Unchecked.value, TICK)
    assert panel.recutting.refused == {refused}
    assert "left to your hand" in panel.summary.text()
    assert "by hand" in panel.model.data(at.siblingAtColumn(BARS))
    assert [kind for *_, kind in panel.strips._bars].count("by hand") == panel.recutting.counts()[2]
    sitting.carried(panel.ticked.click)
    now = sitting.document.studio.now.session
    names = [{take.name for take in now.takes_of(span.scene).values()} for span in now.spans]
    assert any(BEFORE in name and AFTER in name for name in names)
    assert "Before and after are takes of scenes" in panel.summary.text()
    sitting.bot.waitUntil(lambda: sitting.document.now is not None and sitting.document.now.session is now, timeout=PATIENCE)
    with sitting.bot.waitSignal(sitting.document.session_changed, timeout=PATIENCE):
        sitting.document.undo()
    assert bytes_of(Desk(sitting.document.studio.now.session)) == before


def test_accept_all_composes_what_was_unticked_too(sitting: Sitting) -> None:
    sitting.offer(cut_list(NEW))
    panel = sitting.panel
    panel.table.selectAll()
    panel.table.setFocus()
    sitting.bot.keyClick(panel.table, Qt.Key.Key_Space)
    assert panel.recutting is not None
    assert panel.recutting.refused == set(sitting.costly)
    panel.toggle_selected()
    assert panel.recutting.refused == set()
    panel.toggle_selected()
    sitting.carried(panel.all.click)
    session_now = sitting.document.studio.now.session
    assert {span.scene.chosen is not None for span in session_now.spans} == {True}
    assert any(take.name == AFTER for take in session_now.takes.values())


def test_keys_zoom_the_strips(sitting: Sitting) -> None:
    sitting.offer(cut_list(NEW))
    strips = sitting.panel.strips
    whole = strips.scale.step
    sitting.bot.keyClick(strips, Qt.Key.Key_Plus)
    assert strips.scale.step == pytest.approx(whole / 1.5)
    sitting.bot.keyClick(strips, Qt.Key.Key_0)
    assert strips.scale.step == pytest.approx(whole)


def test_a_cut_list_is_looked_at_beside_the_window_and_put_aside(sitting: Sitting, tmp_path: Path) -> None:
    new = cut_list(trimmed(OLD, 5, tail=14))
    path = tmp_path / "new.csv"
    rows = ["frame,time_s,kind", *(f"{cut.frame},{float(cut.time):.6f},cut" for cut in new.cuts)]
    path.write_text("\n".join(rows))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    sitting.panel.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, left, none))
    sitting.bot.waitUntil(lambda: sitting.panel.recutting is not None, timeout=PATIENCE)
    assert "new.csv" in sitting.panel.name.text()
    assert "by their lengths alone" in sitting.panel.name.text()
    assert sitting.document.now is not None
    assert sitting.document.now.session.programme == session().programme, "nothing changed yet"
    sitting.panel.drop.click()
    assert sitting.panel.recutting is None
    assert not sitting.panel.all.isEnabled()


def test_a_cut_that_an_editor_handed_over_is_shown_as_well(sitting: Sitting, tmp_path: Path) -> None:
    new = cut_list(trimmed(OLD, 5, tail=14))
    path = tmp_path / "handed.csv"
    path.write_text("\n".join(["frame,time_s,kind", *(f"{c.frame},{float(c.time):.6f},cut" for c in new.cuts)]))
    sitting.document.studio.look_at_cut(path)  # by whoever else drives the studio
    sitting.bot.waitUntil(lambda: sitting.panel.recutting is not None, timeout=PATIENCE)
    assert "handed.csv" in sitting.panel.name.text()


def test_a_broken_cut_list_is_one_line_and_the_panel_waits_on(sitting: Sitting, tmp_path: Path) -> None:
    path = tmp_path / "broken.edl"
    path.write_text("nothing of an edit\n")
    with sitting.bot.waitSignal(sitting.document.refused, timeout=PATIENCE) as told:
        sitting.panel.look_at([path])
    assert "\n" not in str(told.args[0])
    sitting.bot.waitUntil(lambda: "Drop a new cut here" in sitting.panel.summary.text(), timeout=PATIENCE)


def test_ribbons_join_the_same_pictures(sitting: Sitting) -> None:
    sitting.offer(cut_list(NEW))
    recutting = sitting.panel.recutting
    assert recutting is not None
    covered: list[int] = []
    for ribbon in recutting.ribbons:
        covered += range(ribbon.first, ribbon.last + 1)
        change = recutting.rows[ribbon.first - 1].change
        above, below = ribbon.above[1] - ribbon.above[0], ribbon.below[1] - ribbon.below[0]
        if change.old is None:
            assert above == 0 < below
        elif change.new is None:
            assert below == 0 < above
        else:
            assert above == pytest.approx(below), "as long in both cuts"
    assert covered == [row.number for row in recutting.rows]
    assert len(recutting.ribbons) < len(recutting.rows), "what slid along slid as one"


def test_a_click_on_a_shot_selects_its_change(sitting: Sitting) -> None:
    sitting.offer(cut_list(NEW))
    strips, recutting = sitting.panel.strips, sitting.panel.recutting
    assert recutting is not None
    shot = next(s for s in recutting.here.shots if s.row.change.kind == "new")
    place = QPointF(NAMES + strips.scale.x((shot.start + shot.end) / 2), strips.height() * 0.6)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    strips.mousePressEvent(QMouseEvent(QEvent.Type.MouseButtonPress, place, place, left, left, none))
    row = sitting.panel.table.currentIndex().row()
    assert sitting.panel.model.rows[row].number == shot.row.number
    slid = next(s for s in recutting.here.shots if not s.row.telling)
    strips.selected.emit(slid.row.number)
    row = sitting.panel.table.currentIndex().row()
    assert sitting.panel.model.rows[row].number == slid.row.number, "it is listed as soon as it is asked for"


def test_another_session_puts_the_new_cut_aside(sitting: Sitting, tmp_path: Path) -> None:
    sitting.offer(cut_list(NEW))
    sitting.document.open(saved(session(), tmp_path / "other.hitpoint"))
    sitting.bot.waitUntil(lambda: sitting.panel.recutting is None, timeout=PATIENCE)
