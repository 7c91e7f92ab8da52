"""The language changes at once: after English, Chinese and English again a window says what a window says that never spoke another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QEvent, QSettings, Qt
from PyQt6.QtWidgets import QApplication, QComboBox, QDockWidget, QHeaderView, QTabBar, QTableView, QWidget
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from bridge.doctor import Diagnosis
from desktop.app import speak
from desktop.document import Document
from desktop.lately import waiting
from desktop.preferences import Preferences
from desktop.roll_select import Selection
from desktop.window import Window
from engines.commands import Lock

PATIENCE = 60_000
SAYS = ("text", "title", "toolTip", "accessibleName", "accessibleDescription", "placeholderText", "windowTitle", "statusTip",
        "prefix", "suffix", "specialValueText")  # fmt: skip
EVERY = ("hits", "takes", "roll", "candidates", "compose", "recut", "links")
PAIRS = (("hits", "takes"), ("candidates", "roll"), ("compose", "recut"), ("links",), ("compose", "takes"))
"""Docks that are seen at once, one of each pile; with the last of them nothing is open."""


def said(window: Window) -> Counter[tuple[str, str, str]]:
    """Every text of a window, seen or told to a screen reader, by the kind of widget that says it, and every row of the menus."""
    found: Counter[tuple[str, str, str]] = Counter()
    for widget in (window, *window.findChildren(QWidget)):
        if isinstance(widget, QHeaderView) or (widget is not window and not widget.isVisibleTo(window)):
            continue
        kind = type(widget).__name__
        for name in SAYS:
            text = getattr(widget, name, None)
            if callable(text) and isinstance(told := text(), str) and told:
                found[kind, name, told] += 1
        if isinstance(widget, QComboBox):
            found.update((kind, "item", widget.itemText(k)) for k in range(widget.count()))
        if isinstance(widget, QTabBar):
            found.update((kind, "tab", widget.tabText(k)) for k in range(widget.count()))
        if isinstance(widget, QTableView) and (model := widget.model()) is not None:
            titles = (model.headerData(k, Qt.Orientation.Horizontal) for k in range(model.columnCount()))
            found.update((kind, "column", str(title)) for title in titles)
    for key, menu in window.actions_by_name.menus.items():
        found["menu", key, menu.title()] += 1
        for action in menu.actions():
            found.update(("action", name, told) for name in ("text", "toolTip", "statusTip") if (told := getattr(action, name)()))
    found.update(("lane", "title", lane.title) for lane in window.timeline.lanes)
    return found


class Rooms:
    """Windows of a test, each with a copy of one session."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.bot, self.folder, self.made = qtbot, folder, []

    def open(self, docks: tuple[str, ...] = EVERY, sitting: bool = True) -> Window:
        home = self.folder / str(len(self.made)) / "score"
        home.mkdir(parents=True)
        kept = Preferences(QSettings(str(home / "settings.ini"), QSettings.Format.IniFormat))
        kept.set("music", False)
        window = Window(Document(), kept)
        self.made.append(window)
        window.resize(1300, 900)
        for dock in window.docks.values():
            dock.setVisible(dock.place.name in docks)
        window.show()
        for name in docks:
            panel = window.docks[name].bring_up()
            if name == "links":
                panel._look = lambda _: Diagnosis(())  # what every port of this machine says is no business of this test
                panel._looked = True
                panel._show_findings(())
        if sitting:
            window.commands.take(saved(scored(), home / "cue.hitpoint"))
            self.bot.waitUntil(lambda: window.timeline.sheet is not None and window.transport.timing.frames > 1, timeout=PATIENCE)
            window.document.act(Lock((3, 5)))
            self.bot.waitUntil(lambda: bool(window.timeline.sheet and window.timeline.sheet.locked), timeout=PATIENCE)
        self.settle(window)
        return window

    def settle(self, window: Window) -> None:
        """Waits until nothing is worked on and every panel speaks the language of the window."""
        window.message.dismiss()

        def still() -> bool:
            status = window.statusBar()
            assert status is not None
            status.clearMessage()
            making = any(dock.stale or (dock._seen and dock.hollow) for dock in window.docks.values())
            return not (making or waiting() or window.jobs.isVisible() or self._spotting(window))

        self.bot.waitUntil(still, timeout=PATIENCE)
        self.bot.wait(250)  # what is worked out aside of a panel is told within a few turns
        self.bot.waitUntil(still, timeout=PATIENCE)

    def _spotting(self, window: Window) -> bool:
        panel = window.docks["candidates"].panel
        if panel is None or not panel.seen.on or window.document.now is None:
            return False
        return panel._settle.isActive() or bool(panel._job) or not panel.effect.text()  # what the chosen map does is said last

    def change(self, code: str, window: Window) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        speak(application, code)
        self.bot.waitUntil(lambda: window.actions_by_name.menus["file"].title() in ("&File", "文件(&F)"), timeout=PATIENCE)
        QCoreApplication.sendPostedEvents()
        self.settle(window)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def rooms(qapp: QApplication, trio: str, tmp_path: Path, qtbot: QtBot) -> Iterator[Rooms]:
    speak(qapp, "en")
    made = Rooms(qtbot, tmp_path)
    yield made
    for window in made.made:
        window.close()
        window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    speak(qapp, "en")


@pytest.mark.parametrize("docks", PAIRS, ids=" and ".join)
def test_there_and_back_it_says_what_a_fresh_window_says(rooms: Rooms, docks: tuple[str, ...]) -> None:
    sitting = docks != PAIRS[-1]
    first = rooms.open(docks, sitting)
    english = said(first)
    rooms.change("zh", first)
    chinese = said(first)
    fresh = rooms.open(docks, sitting)
    expected = said(fresh)
    fresh.close()
    assert chinese - expected == Counter()
    assert expected - chinese == Counter()
    rooms.change("en", first)
    back = said(first)
    assert back - english == Counter()
    assert english - back == Counter()
    assert sum((english - chinese).values()) > 100, "it did say something else meanwhile"


def test_a_dock_under_another_speaks_when_it_is_seen(rooms: Rooms) -> None:
    window = rooms.open(("takes", "roll"))
    covered = next(dock for dock in (window.docks["takes"], window.docks["roll"]) if not dock._seen)
    old = covered.panel
    rooms.change("zh", window)
    assert covered.panel is None
    assert old is None or sip.isdeleted(old)
    covered.raise_()
    rooms.bot.waitUntil(lambda: covered.panel is not None, timeout=PATIENCE)


def test_what_was_in_hand_is_in_hand_still(rooms: Rooms) -> None:
    window = rooms.open(("candidates", "compose", "hits", "roll"))
    roll = window.docks["roll"].build()
    roll.chips[0].click()
    roll.view.select(Selection(bars=(2, 3), stems=roll.view.looks.stems))
    candidates = window.docks["candidates"].bring_up()
    rooms.settle(window)
    candidates.listens.setChecked(False)
    maps = candidates._maps
    assert maps is not None
    compose = window.docks["compose"].build()
    compose.scope.button(0).click()
    window.transport.locate(60)
    history = window.document.now.history.done  # type: ignore[union-attr]
    rooms.change("zh", window)
    again = window.docks["candidates"].build()
    assert again is not candidates
    assert again._maps is maps
    assert not again.listens.isChecked()
    assert window.docks["compose"].build().scope.checkedId() == 0
    assert window.docks["roll"].build() is not roll
    assert window.docks["roll"].build().view.selection.bars == (2, 3)
    assert [chip.isChecked() for chip in window.docks["roll"].build().chips] == [False, True, True]
    assert window.transport.frame == 60
    assert window.document.now is not None
    assert window.document.now.history.done == history


def test_panels_that_were_made_anew_leave_none_behind_that_still_hears(rooms: Rooms) -> None:
    """Whatever a panel that is gone would do of an act is a fault: pytest-qt fails for it."""
    window = rooms.open()
    for name in EVERY:
        window.docks[name].bring_up()
        rooms.settle(window)
    for code in ("zh", "en"):
        rooms.change(code, window)
    window.document.act(Lock((8, 8)))
    rooms.bot.waitUntil(lambda: len(window.timeline.sheet.locked) == 2, timeout=PATIENCE)  # type: ignore[union-attr]
    window.timeline.select(window.timeline.sheet.marks[1].hit.frame)  # type: ignore[union-attr]
    window.commands.light()
    rooms.settle(window)
    window.commands.light()
    rooms.settle(window)
    assert window.message.text == ""


def test_the_menu_changes_the_language_and_remembers_it(rooms: Rooms) -> None:
    window = rooms.open(("hits",), sitting=False)
    window.actions_by_name["tongue"].trigger()
    rooms.bot.waitUntil(lambda: window.actions_by_name.menus["file"].title() == "文件(&F)", timeout=PATIENCE)
    assert window.preferences.text("language") == "zh"
    titles = [dock.windowTitle() for dock in window.findChildren(QDockWidget)]
    assert all(ord(title[0]) > 0x2E80 for title in titles), titles
    window.actions_by_name["tongue"].trigger()
    rooms.bot.waitUntil(lambda: window.actions_by_name.menus["file"].title() == "&File", timeout=PATIENCE)


def test_what_was_said_is_said_in_the_new_language(rooms: Rooms) -> None:
    window = rooms.open(("hits",), sitting=False)
    film = rooms.folder / "nothing.hitpoint"
    film.write_bytes(b"")
    window.message.say(lambda: window.actions_by_name["quit"].statusTip(), lambda: window.actions_by_name["quit"].text())
    english = window.message.text
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    speak(application, "zh")
    rooms.bot.waitUntil(lambda: window.message.text not in ("", english), timeout=PATIENCE)


def test_an_answer_for_a_panel_that_is_gone_and_news_after_the_end_find_nobody(qapp: QApplication, qtbot: QtBot) -> None:
    heard: list[object] = []

    class Panel(QWidget):
        def answer(self, value: object) -> None:
            heard.append(value)

    document, here, gone = Document(), Panel(), Panel()
    for panel in (gone, here):
        document.do(lambda: "answer", panel.answer)
    sip.delete(gone)
    qtbot.waitUntil(lambda: heard == ["answer"], timeout=PATIENCE)
    document._call(heard.append, "too late")
    document.close()
    document._call(heard.append, "later still")
    qtbot.wait(50)
    assert heard == ["answer"]
    here.deleteLater()
