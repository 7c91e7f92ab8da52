"""The window: every act of a sitting, by the keys and the mouse that a composer uses, with the quick engine of `sittings`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from numbered_films import write_film
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QApplication, QFileDialog, QLabel, QTabBar, QWidget
from pytestqt.qtbot import QtBot
from sittings import bytes_of, saved, scored

from bridge.events import Message
from desktop.actions import items, plain
from desktop.app import Faults
from desktop.document import Document
from desktop.hits import Hits
from desktop.keys_page import KeysPage
from desktop.palette import Palette, likeness
from desktop.preferences import Preferences
from desktop.takes_report import FileReport
from desktop.takes_table import HITS
from desktop.window import Window
from engines.commands import Hold
from engines.errors import HitpointError, OptionError
from engines.picture.demo_film import CUTS, FRAMES, make_demo_film
from engines.picture.reel import digest
from engines.score.smf import write_smf
from engines.session.deliver import score_of
from engines.session.desk import Desk
from engines.session.lock import locked_bars
from engines.session.model import Session

PATIENCE = 60_000
"""Milliseconds that a busy machine may take."""


@pytest.fixture(scope="session")
def demo_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo_film(tmp_path_factory.mktemp("demo") / "demo.mp4")


@pytest.fixture
def session_file(trio: str, tmp_path: Path) -> Path:
    folder = tmp_path / "film" / "score"  # near which its film is looked for
    folder.mkdir(parents=True)
    return saved(scored(), folder / "cue.hitpoint")


@pytest.fixture
def sitting(window: Window, session_file: Path, qtbot: QtBot) -> Window:
    """A window in which a session of three scenes is open; its film is nowhere."""
    window.commands.take(session_file)
    qtbot.waitUntil(lambda: window.timeline.sheet is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.transport.timing.frames > 1, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "not here any more" in window.message.text, timeout=PATIENCE)
    window.message.dismiss()
    return window


def session(window: Window) -> Session:
    assert window.document.now is not None
    return window.document.now.session


def trigger(window: Window, name: str) -> None:
    action = window.actions_by_name[name]
    assert action.isEnabled(), name
    action.trigger()


def settle(window: Window, qtbot: QtBot, before: object) -> Session:
    """Waits until the session is another and is drawn."""
    qtbot.waitUntil(lambda: session(window) is not before, timeout=PATIENCE)
    now = session(window)
    qtbot.waitUntil(
        lambda: window.timeline.sheet is not None and len(window.timeline.sheet.marks) == len(now.hits), timeout=PATIENCE
    )
    return now


def test_from_the_demo_film_to_a_score_and_back(
    window: Window, demo_film: Path, tmp_path: Path, with_trio: Callable[[Document], None], qtbot: QtBot
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(demo_film.read_bytes())
    assert window.picture.currentWidget() is window.welcome
    window.commands.take(film)
    document = window.document
    qtbot.waitUntil(lambda: document.film is not None and document.film.spotted is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.timeline.sheet is not None and len(window.timeline.sheet.marks) > 0, timeout=PATIENCE)
    sheet = window.timeline.sheet
    assert sheet is not None
    assert sheet.cut_frames.tolist() == list(CUTS)
    assert {mark.verdict for mark in sheet.marks} == {"silent"}
    assert len(sheet.bars) > 4
    qtbot.waitUntil(lambda: window.viewer.shown == 0, timeout=PATIENCE)
    assert window.transport.timing.frames == FRAMES
    assert window.transport_bar.score.isVisible()

    with_trio(document)
    window.docks["takes"].bring_up()
    window.transport.locate(FRAMES - 10)
    window.transport.play(0.05)
    qtbot.mouseClick(window.transport_bar.score, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: document.now is not None and all(scene.chosen for scene in document.now.session.scenes), timeout=PATIENCE
    )
    assert window.transport.frame >= FRAMES - 10  # the score pulls it nowhere, and the picture rolls on
    assert window.transport.speed
    window.transport.stop()
    qtbot.waitUntil(lambda: {m.verdict for m in window.timeline.sheet.marks} - {"silent"} != set(), timeout=PATIENCE)  # type: ignore[union-attr]
    assert not window.transport_bar.score.isVisible()
    assert document.now is not None
    assert document.now.path == tmp_path / "film-score" / "cue.hitpoint"
    assert window.actions_by_name["undo"].text() == "&Undo: Score the cue"
    trigger(window, "undo")
    qtbot.waitUntil(lambda: all(scene.chosen is None for scene in session(window).scenes), timeout=PATIENCE)
    assert window.actions_by_name["redo"].text() == "&Redo: Score the cue"
    trigger(window, "redo")
    qtbot.waitUntil(lambda: all(scene.chosen for scene in session(window).scenes), timeout=PATIENCE)


def test_a_double_click_scores_once_and_a_second_request_is_refused_in_words(
    window: Window, demo_film: Path, tmp_path: Path, with_trio: Callable[[Document], None], qtbot: QtBot
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(demo_film.read_bytes())
    window.commands.take(film)
    document, button = window.document, window.transport_bar.score
    qtbot.waitUntil(lambda: button.isVisible() and button.isEnabled(), timeout=PATIENCE)
    with_trio(document)
    refused: list[HitpointError] = []
    document.refused.connect(refused.append)
    go, here = threading.Event(), button.rect().center()
    held = document.studio.jobs.begin("hold the engine", lambda watch: go.wait(60))
    for click in (qtbot.mouseClick, qtbot.mouseDClick):
        click(button, Qt.MouseButton.LeftButton, pos=here)
    assert document.scoring
    assert not button.isEnabled()
    assert not any(window.actions_by_name[name].isEnabled() for name in ("score", "refill_all"))
    assert refused == []
    document.score()
    assert [str(error) for error in refused] == ["film.mp4: is being scored already; wait for it, or cancel it first"]
    go.set()
    qtbot.waitUntil(lambda: document.now is not None and not document.scoring, timeout=PATIENCE)
    scored_by = [job for job in document.studio.jobs.readings() if job.sentence == "Score film.mp4"]
    assert [job.state for job in scored_by] == ["done"]
    assert len(refused) == 1
    assert held.result()
    assert window.actions_by_name["score"].isEnabled(), "and all of it may be composed again"


def test_what_cannot_be_scored_may_be_tried_again(sitting: Window, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    document, before = sitting.document, session(sitting)

    def refuse(*_: object, **__: object) -> None:
        raise OptionError("too many jobs wait")

    with monkeypatch.context() as patched:
        patched.setattr(document.studio, "score", refuse)
        trigger(sitting, "score")
        assert not sitting.actions_by_name["score"].isEnabled()
        qtbot.waitUntil(lambda: not document.scoring and "too many" in sitting.message.text, timeout=PATIENCE)
    assert session(sitting) is before
    trigger(sitting, "score")
    settle(sitting, qtbot, before)
    qtbot.waitUntil(lambda: not document.scoring, timeout=PATIENCE)


def test_enter_refills_the_scene_under_the_playhead_and_nothing_else(sitting: Window, qtbot: QtBot) -> None:
    before = session(sitting)
    sitting.transport.locate(int(before.spans[1].seconds[0] * 24) + 10)
    sitting.timeline.setFocus()
    qtbot.keyClick(sitting.timeline, Qt.Key.Key_Return)
    after = settle(sitting, qtbot, before)
    chosen = [(a.chosen == b.chosen) for a, b in zip(before.scenes, after.scenes, strict=True)]
    assert chosen == [True, False, True]
    qtbot.waitUntil(lambda: sitting.actions_by_name["undo"].text() == "&Undo: Refill scene 2", timeout=PATIENCE)


def test_a_long_sentence_is_short_in_the_menu_and_whole_beside_it(sitting: Window, qtbot: QtBot) -> None:
    before = session(sitting)
    words = tuple(f"piano@1.{Fraction(k, 2) + 1}" for k in range(7))
    sitting.document.act(Hold(1, words))
    settle(sitting, qtbot, before)
    undo = sitting.actions_by_name["undo"]
    qtbot.waitUntil(lambda: undo.text().startswith("&Undo: Keep piano@1.1,"), timeout=PATIENCE)
    assert len(undo.text()) <= 60
    assert undo.text().endswith("…")
    whole = f"Keep {', '.join(words)} of scene 1"
    assert undo.toolTip().startswith(whole)
    assert sitting.document.now is not None
    assert sitting.document.now.history.done[-1].sentence == whole
    trigger(sitting, "undo")
    qtbot.waitUntil(lambda: not sitting.actions_by_name["undo"].isEnabled(), timeout=PATIENCE)
    assert "Keep" not in undo.toolTip()


def test_marked_moved_weighed_deleted_and_all_taken_back(sitting: Window, session_file: Path, qtbot: QtBot) -> None:
    start = session(sitting)
    sitting.transport.locate(77)
    trigger(sitting, "hit_add")
    marked = settle(sitting, qtbot, start)
    assert 77 in [hit.frame for hit in marked.hits]
    qtbot.waitUntil(lambda: sitting.timeline.hits.selected == 77, timeout=PATIENCE)
    trigger(sitting, "hit_lighter")
    lighter = settle(sitting, qtbot, marked)
    assert next(hit.weight for hit in lighter.hits if hit.frame == 77) == 0.9
    trigger(sitting, "hit_hard")
    soft = settle(sitting, qtbot, lighter)
    assert not next(hit.hard for hit in soft.hits if hit.frame == 77)
    trigger(sitting, "hit_drop")
    gone = settle(sitting, qtbot, soft)
    assert 77 not in [hit.frame for hit in gone.hits]
    for _ in range(4):
        before = session(sitting)
        trigger(sitting, "undo")
        settle(sitting, qtbot, before)
    assert session(sitting) == start


def test_a_hit_is_dragged_to_another_frame_with_the_mouse(sitting: Window, qtbot: QtBot) -> None:
    before = session(sitting)
    timeline, lane = sitting.timeline, sitting.timeline.hits
    timeline.zoom(8, 0)
    top = sum(other.height for other in timeline.lanes[: timeline.lanes.index(lane)])
    hit = before.hits[0]
    view = timeline.viewport()
    assert view is not None
    x, y = round(timeline.scale.x(float(hit.time))), top + lane.height // 2
    to = round(timeline.scale.x(float(hit.time) + 7 / 24))
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPointF(x, y).toPoint())
    for step in range(x, to + (1 if to > x else -1), 3 if to > x else -3):
        qtbot.mouseMove(view, QPointF(step, y).toPoint())
    qtbot.mouseMove(view, QPointF(to, y).toPoint())
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPointF(to, y).toPoint())
    after = settle(sitting, qtbot, before)
    moved = {h.frame for h in after.hits} - {h.frame for h in before.hits}
    assert len(moved) == 1
    assert abs(moved.pop() - hit.frame - 7) <= 1
    assert hit.frame not in {h.frame for h in after.hits}


def test_a_hit_is_weighed_with_the_mouse(sitting: Window, qtbot: QtBot) -> None:
    before = session(sitting)
    timeline, lane = sitting.timeline, sitting.timeline.hits
    top = sum(other.height for other in timeline.lanes[: timeline.lanes.index(lane)])
    hit = before.hits[1]
    view = timeline.viewport()
    assert view is not None
    x, y = round(timeline.scale.x(float(hit.time))), top + lane.height - 4
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPointF(x, y).toPoint())
    for up in range(0, 16, 3):
        qtbot.mouseMove(view, QPointF(x, y - up).toPoint())
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPointF(x, y - 15).toPoint())
    after = settle(sitting, qtbot, before)
    heavier = next(h for h in after.hits if h.frame == hit.frame)
    assert heavier.weight > hit.weight


def test_the_composers_curve_is_drawn_over_the_pictures(sitting: Window, qtbot: QtBot) -> None:
    before = session(sitting)
    sitting.commands.shape({2: 0.8, 3: 0.9, 8: None})
    after = settle(sitting, qtbot, before)
    told = {scope: told.energy for scope, told in after.told.items()}
    assert told == {"s1/3": 0.8, "s1/4": 0.9}
    qtbot.waitUntil(lambda: sitting.timeline.sheet.own[2:4].tolist() == [0.8, 0.9], timeout=PATIENCE)  # type: ignore[union-attr]
    sitting.commands.shape({2: None, 3: None})
    assert settle(sitting, qtbot, after).told == {}


def test_scenes_are_split_and_joined_where_the_playhead_is(sitting: Window, qtbot: QtBot) -> None:
    before = session(sitting)
    sitting.transport.locate(int(before.tempo_map.seconds(before.bars[3].start) * 24) + 2)
    trigger(sitting, "split")
    qtbot.waitUntil(lambda: len(session(sitting).scenes) == 4, timeout=PATIENCE)
    qtbot.waitUntil(lambda: len(sitting.timeline.sheet.scenes) == 4, timeout=PATIENCE)  # type: ignore[union-attr]
    sitting.transport.locate(5)
    trigger(sitting, "join")
    qtbot.waitUntil(lambda: len(session(sitting).scenes) == 3, timeout=PATIENCE)


def test_j_k_l_space_and_arrows(sitting: Window, qtbot: QtBot) -> None:
    transport, target = sitting.transport, sitting.timeline
    transport.locate(100)
    for key, speed in ((Qt.Key.Key_L, 1), (Qt.Key.Key_L, 2), (Qt.Key.Key_J, -1), (Qt.Key.Key_K, 0), (Qt.Key.Key_Space, 1)):
        qtbot.keyClick(target, key)
        assert transport.speed == speed
    qtbot.keyClick(target, Qt.Key.Key_Space)
    assert transport.speed == 0
    transport.locate(100)
    qtbot.keyClick(target, Qt.Key.Key_Right)
    qtbot.keyClick(target, Qt.Key.Key_Right)
    qtbot.keyClick(target, Qt.Key.Key_Left)
    assert transport.frame == 101
    qtbot.keyClick(target, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert transport.frame == 125
    cuts = sitting.timeline.sheet.cut_frames  # type: ignore[union-attr]
    qtbot.keyClick(target, Qt.Key.Key_Down)
    assert transport.frame == next(frame for frame in cuts if frame > 125)
    qtbot.keyClick(target, Qt.Key.Key_Up)
    assert transport.frame == max(frame for frame in cuts if frame < transport.frame or frame <= 125)
    qtbot.keyClick(target, Qt.Key.Key_Home)
    assert transport.frame == 0


def test_every_row_of_the_menus_has_a_call_a_name_and_a_tip(window: Window) -> None:
    actions = window.actions_by_name.every()
    assert len(actions) > 35
    for action in actions:
        assert action.text()
        assert action.toolTip()
    keys = [key.toString() for action in actions for key in action.shortcuts()]
    assert sorted(keys) == sorted(set(keys)), "one key, one act"


def test_what_a_dock_does_is_in_menus_and_palette_before_it_was_opened(window: Window, session_file: Path, qtbot: QtBot) -> None:
    for dock in window.docks.values():
        dock.hide()
    unopened = Window(Document(), window.preferences)  # nothing was ever shown
    rows = [item for item in items() if item.dock]
    assert {item.dock for item in rows} == {"candidates", "recut", "links", "takes", "compose", "hits"}
    assert all(unopened.docks[item.dock].panel is None for item in rows)
    listed = {action.objectName() for menu in unopened.actions_by_name.menus.values() for action in menu.actions()}
    assert {item.name for item in rows} <= listed & {action.objectName() for action in unopened.actions_by_name.all()}
    unopened.commands.take(session_file)
    qtbot.waitUntil(lambda: unopened.timeline.sheet is not None, timeout=PATIENCE)
    unopened.show()
    for dock in unopened.docks.values():
        dock.hide()
    say_to_palette(unopened, qtbot, "Lock or unlock the bar")
    qtbot.waitUntil(lambda: bool(locked_bars(session(unopened))), timeout=PATIENCE)
    assert unopened.docks["candidates"].panel is not None, "built on demand"
    assert not unopened.docks["candidates"].isVisible()
    unopened.close()
    unopened.deleteLater()


def test_every_row_of_a_dock_is_a_method_of_its_panel(window: Window) -> None:
    for item in items():
        if item.dock:
            assert callable(getattr(window.docks[item.dock].build(), item.name)), item.name


def test_a_row_of_a_dock_brings_it_up(window: Window, qtbot: QtBot) -> None:
    window.docks["links"].hide()
    trigger(window, "look_around")
    assert window.docks["links"].isVisible()
    assert window.docks["links"].panel is not None


def say_to_palette(window: Window, qtbot: QtBot, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
    """Asks for the palette and types, into whatever has the keys by then."""
    trigger(window, "palette")
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), Palette), timeout=PATIENCE)
    qtbot.keyClicks(QApplication.focusWidget(), text)
    qtbot.keyClick(QApplication.focusWidget(), key)
    qtbot.waitUntil(lambda: not open_palettes() and window.isActiveWindow(), timeout=PATIENCE)


def open_palettes() -> list[QWidget]:
    return [top for top in QApplication.topLevelWidgets() if isinstance(top, Palette) and top.isVisible()]


def test_the_palette_finds_an_act_by_a_few_letters_and_does_it(sitting: Window, qtbot: QtBot) -> None:
    sitting.transport.locate(50)
    say_to_palette(sitting, qtbot, "first fr")
    assert sitting.transport.frame == 0
    say_to_palette(sitting, qtbot, "last fr", Qt.Key.Key_Escape)
    assert sitting.transport.frame == 0, "nothing was chosen"


def test_the_palette_closes_when_anything_else_is_clicked(sitting: Window, qtbot: QtBot) -> None:
    trigger(sitting, "palette")
    qtbot.waitUntil(lambda: isinstance(QApplication.activeWindow(), Palette), timeout=PATIENCE)
    sitting.activateWindow()
    qtbot.waitUntil(lambda: not open_palettes(), timeout=PATIENCE)


def test_docks_are_found_in_the_palette_and_shown_where_they_lie_under_others(sitting: Window, qtbot: QtBot) -> None:
    roll, takes = sitting.docks["roll"], sitting.docks["takes"]
    takes.bring_up()
    qtbot.waitUntil(lambda: roll.covered and not takes.covered, timeout=PATIENCE)
    say_to_palette(sitting, qtbot, "piano roll")
    qtbot.waitUntil(lambda: takes.covered and not roll.covered, timeout=PATIENCE)
    assert roll.action.isChecked()
    qtbot.keyClick(sitting, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert roll.isHidden()
    assert not roll.action.isChecked()


def test_the_page_of_keys_tells_every_key_and_fits_the_screen(window: Window, qtbot: QtBot) -> None:
    trigger(window, "keys")
    page = window.findChild(KeysPage)
    assert page is not None
    screen = window.screen()
    assert screen is not None
    assert page.height() < 0.9 * screen.availableGeometry().height()
    told = [label.text() for label in page.findChildren(QLabel)]
    keyed = [action for action in window.actions_by_name.every() if action.shortcuts()]
    assert {dock.action for dock in window.docks.values()} <= set(keyed)
    missing = [a.text() for a in keyed if plain(a.text()) not in told or not any(a.shortcut().toString() in t for t in told)]
    assert missing == []
    page.close()


def test_letters_in_order_are_like_a_name_and_others_are_not() -> None:
    assert likeness("refill", "Refill the scene") == 0
    near, far = likeness("rts", "Refill the scene"), likeness("zzz", "Refill the scene")
    assert near is not None
    assert near > 0
    assert far is None


def test_what_cannot_be_done_is_one_calm_line(sitting: Window, qtbot: QtBot) -> None:
    sitting.commands.move_hit(5, 77)
    qtbot.waitUntil(lambda: "no hit at frame 5" in sitting.message.text, timeout=PATIENCE)
    assert "\n" not in sitting.message.text
    qtbot.keyClick(sitting, Qt.Key.Key_Escape)
    assert sitting.message.text == ""
    sitting.commands.take(Path("somewhere/notes.docx"))
    assert "nothing that can be opened" in sitting.message.text


def test_a_fault_that_nobody_caught_is_told_and_written_down(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    log = tmp_path / "logs" / "hitpoint.log"
    hooks = sys.excepthook, threading.excepthook
    faults = Faults(log)
    try:
        faults.told.connect(window.refuse)

        def fail() -> None:
            raise RuntimeError("a screw came loose")

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: "a screw came loose" in window.message.text, timeout=PATIENCE)
        assert "Traceback" not in window.message.text
        assert "a screw came loose" in log.read_text("utf-8")
        faults.catch(OptionError, OptionError("is no key", cure="write C:maj"), None)
        assert window.message.text == "is no key; write C:maj"
    finally:
        faults.release()
    assert hooks == (sys.excepthook, threading.excepthook)


def drop(window: Window, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    everywhere = Qt.DropAction.CopyAction
    window.catcher.eventFilter(
        window, QDropEvent(QPointF(9, 9), everywhere, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    )


def test_a_session_that_is_dropped_is_opened_and_a_cut_list_without_a_film_is_told(
    window: Window, session_file: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    cuts = tmp_path / "cuts.edl"
    cuts.write_text("TITLE: nothing\n")
    drop(window, cuts)
    assert "no film for this cut list" in window.message.text
    drop(window, session_file)
    qtbot.waitUntil(lambda: window.document.now is not None, timeout=PATIENCE)
    document = window.document
    assert document.now is not None
    qtbot.waitUntil(lambda: window.timeline.sheet is not None, timeout=PATIENCE)
    tune = write_smf(tmp_path / "tune.mid", score_of(document.now.session))
    drop(window, tune)
    panel = window.docks["takes"].build()
    qtbot.waitUntil(lambda: bool(panel.findChildren(FileReport)), timeout=PATIENCE)
    panel.findChildren(FileReport)[0].close()


def test_a_film_that_is_nowhere_is_told_with_its_cure(window: Window, session_file: Path, qtbot: QtBot) -> None:
    window.commands.take(session_file)
    qtbot.waitUntil(lambda: "not here any more" in window.message.text, timeout=PATIENCE)
    assert window.message._offer.text() == "Find it…"
    assert window.transport.timing.frames == session(window).film.frames, "the timeline works without it"


def test_what_still_holds_comes_back_from_under_newer_lines(window: Window, session_file: Path, qtbot: QtBot) -> None:
    window.commands.take(session_file)
    qtbot.waitUntil(lambda: "not here any more" in window.message.text, timeout=PATIENCE)
    message, away = window.message, [True]
    window.document.studio.events.publish(Message("the port went away; plug it in again", "error", lambda: away[0]))
    qtbot.waitUntil(lambda: message.text == "the port went away; plug it in again", timeout=PATIENCE)
    assert not message._offer.isVisible()
    window.document.studio.events.publish(Message("something was placed"))
    qtbot.waitUntil(lambda: message.text == "something was placed", timeout=PATIENCE)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert message.text == "the port went away; plug it in again"
    away[0] = False
    qtbot.waitUntil(lambda: "not here any more" in message.text, timeout=PATIENCE)
    assert message._offer.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert message.text == "", "put away by hand, it stays away"


def test_a_film_that_moved_is_found_from_the_menu_and_its_line_goes(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    find = window.actions_by_name["relink"]
    assert not find.isEnabled()
    home = tmp_path / "a" / "score"
    home.mkdir(parents=True)
    known = scored().film
    film = write_film(tmp_path / "a" / "film.mp4", known.frames, known.rate, 240)
    there = replace(known, path=str(film), digest=digest(film), size=film.stat().st_size)
    path = saved(replace(scored(), film=there), home / "cue.hitpoint")
    moved = tmp_path / "b" / "elsewhere.mp4"
    moved.parent.mkdir()
    film.rename(moved)
    window.commands.take(path)
    qtbot.waitUntil(lambda: "not here any more" in window.message.text, timeout=PATIENCE)
    assert find.isEnabled()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    window.message._offer.click()
    assert "not here any more" in window.message.text, "nothing was chosen: it still holds"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(moved), ""))
    find.trigger()
    qtbot.waitUntil(lambda: window.document.reel is not None, timeout=PATIENCE)
    assert window.message.text == ""
    assert not find.isEnabled()


def test_what_could_not_be_done_is_forgotten_once_something_else_is_open(window: Window, demo_film: Path, qtbot: QtBot) -> None:
    window.document.undo()
    qtbot.waitUntil(lambda: "no session is open" in window.message.text, timeout=PATIENCE)
    window.commands.take(demo_film)
    qtbot.waitUntil(lambda: window.document.film is not None and window.document.film.spotted is not None, timeout=PATIENCE)
    assert "no session is open" not in window.message.text


def test_a_list_keeps_its_arrows_and_gives_the_window_its_letters(sitting: Window, qtbot: QtBot) -> None:
    panel = sitting.docks["hits"].build()
    assert isinstance(panel, Hits)
    sitting.docks["hits"].raise_()
    panel.table.setFocus()
    panel.table.selectRow(0)
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert panel.table.currentIndex().row() == 1
    assert sitting.transport.frame == session(sitting).hits[1].frame
    qtbot.keyClick(panel.table, Qt.Key.Key_L)
    assert sitting.transport.speed == 1
    qtbot.keyClick(panel.table, Qt.Key.Key_K)
    assert sitting.transport.speed == 0


def test_tab_goes_to_what_is_seen_and_leaves_the_playhead_where_it_is(sitting: Window, qtbot: QtBot) -> None:
    for dock in sitting.docks.values():
        dock.bring_up()
    panels = [dock.build() for dock in sitting.docks.values()]
    qtbot.waitUntil(lambda: all(panel.isVisible() for panel in panels), timeout=PATIENCE)  # to Qt, under others too
    for name in ("takes", "candidates"):
        sitting.docks[name].bring_up()
    qtbot.waitUntil(
        lambda: [d.place.name for d in sitting.docks.values() if not d.covered] == ["takes", "candidates"], timeout=PATIENCE
    )
    sitting.transport.locate(77)
    sitting.activateWindow()
    sitting.timeline.setFocus()
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
        visited: list[QWidget] = []
        while not visited or visited[-1] is not sitting.timeline:
            assert len(visited) < 200, "Tab goes round"
            qtbot.keyClick(QApplication.focusWidget(), key)
            focus = QApplication.focusWidget()
            assert focus is not None
            visited.append(focus)
        unseen = [type(widget).__name__ for widget in visited if widget.visibleRegion().isEmpty()]
        assert unseen == []
        names = {widget.accessibleName() for widget in visited}
        assert {"Tempo maps, the best first", "Takes of the scene"} <= names
        assert len(visited) == len(set(map(id, visited))) > 15
    assert sitting.transport.frame == 77


def test_a_list_that_gets_the_keys_leaves_the_playhead_and_arrows_and_clicks_move_it(sitting: Window, qtbot: QtBot) -> None:
    dock = sitting.docks["hits"]
    panel = dock.bring_up()
    assert isinstance(panel, Hits)
    hits, table = session(sitting).hits, panel.table
    sitting.transport.locate(77)
    table.setFocus(Qt.FocusReason.TabFocusReason)
    assert table.hasFocus()
    assert table.currentIndex().row() == 0
    assert sitting.transport.frame == 77, "the first row is current, and nobody went there"
    view = table.viewport()
    assert view is not None
    first = table.visualRect(table.model().index(0, 0)).center()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=first)
    assert sitting.transport.frame == hits[0].frame, "a click on the row where the list stands is a click"
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert sitting.transport.frame == hits[1].frame


def test_keys_leave_a_dock_that_is_covered(sitting: Window, qtbot: QtBot) -> None:
    hits = sitting.docks["hits"].bring_up()
    assert isinstance(hits, Hits)
    sitting.activateWindow()
    hits.table.setFocus()
    assert hits.table.hasFocus()
    sitting.docks["candidates"].bring_up()
    qtbot.waitUntil(lambda: sitting.docks["hits"].covered, timeout=PATIENCE)
    assert not hits.table.hasFocus()
    sitting.transport.locate(77)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Right)
    assert sitting.transport.frame == 78


def test_enter_in_a_line_that_is_written_is_the_line_s_own(sitting: Window, qtbot: QtBot) -> None:
    before = session(sitting)
    panel = sitting.docks["compose"].bring_up()
    field = panel.brief.chords  # type: ignore[attr-defined]
    qtbot.waitUntil(field.isEnabled, timeout=PATIENCE)
    field.setFocus()
    qtbot.keyClicks(field, "Cm7 F/A")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    after = settle(sitting, qtbot, before)
    assert after.told["s1"].chords == ("C:min7", "F:maj/A")
    assert sitting.document.now is not None
    assert [step.sentence for step in sitting.document.now.history.done] == ["Brief scene 1"]  # and nothing was refilled


def test_what_was_done_just_before_the_window_closes_is_in_the_file(sitting: Window, session_file: Path) -> None:
    marked = [41 + 7 * k for k in range(8)]
    for frame in marked:
        sitting.commands.add_hit(frame)
    sitting.close()
    with Desk.open(session_file) as desk:
        assert set(marked) <= {hit.frame for hit in desk.session.hits}


def test_a_disk_that_refuses_the_last_save_keeps_the_window_at_work(
    sitting: Window, session_file: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    before = session(sitting)
    home, away = session_file.parent, tmp_path / "unplugged"
    sitting.document.studio.flush()
    home.rename(away)
    home.write_text("no folder any more")
    sitting.commands.add_hit(41)
    sitting.close()
    assert sitting.isVisible()
    assert "cue.hitpoint" in sitting.message.text
    settle(sitting, qtbot, before)  # what was asked for before is there, and what is asked for now is done
    before = session(sitting)
    sitting.commands.add_hit(48)
    settle(sitting, qtbot, before)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    saved_at: list[object] = []
    sitting.document.do(lambda: sitting.document.studio.save(elsewhere / "cue.hitpoint"), saved_at.append)
    qtbot.waitUntil(lambda: bool(saved_at), timeout=PATIENCE)
    sitting.close()
    assert not sitting.isVisible()
    with Desk.open(elsewhere / "cue.hitpoint") as desk:
        assert {41, 48} <= {hit.frame for hit in desk.session.hits}


def test_what_is_asked_of_a_window_that_was_closed_is_dropped(sitting: Window) -> None:
    sitting.close()
    sitting.commands.add_hit(41)
    sitting.document.undo()
    sitting.document.beside(lambda: 1, print)


def test_everything_done_is_on_the_disk_without_a_save(sitting: Window, session_file: Path, qtbot: QtBot) -> None:
    before = session(sitting)
    sitting.commands.add_hit(77)
    after = settle(sitting, qtbot, before)
    sitting.document.studio.flush()
    with Desk.open(session_file, read_only=True) as desk:
        assert desk.session == after
        assert bytes_of(desk)


def test_a_session_that_another_program_has_open_can_be_looked_at(window: Window, session_file: Path, qtbot: QtBot) -> None:
    with Desk.open(session_file):
        window.commands.take(session_file)
        qtbot.waitUntil(lambda: "read-only" in window.message.text, timeout=PATIENCE)
        assert not window.actions_by_name["refill"].isEnabled()
        assert not window.actions_by_name["hit_add"].isEnabled()


def test_a_damaged_session_is_told_and_the_open_one_stays(sitting: Window, tmp_path: Path, qtbot: QtBot) -> None:
    bad = tmp_path / "bad.hitpoint"
    bad.write_text("{")
    before = session(sitting)
    sitting.commands.take(bad)
    qtbot.waitUntil(lambda: "is no session" in sitting.message.text, timeout=PATIENCE)
    assert session(sitting) is before


def test_a_window_remembers_how_it_lay(qapp: QApplication, preferences: Preferences, qtbot: QtBot) -> None:
    one = Window(Document(), preferences)
    one.show()
    one.docks["hits"].hide()
    one.actions_by_name["streamers"].trigger()
    one.close()
    two = Window(Document(), preferences)
    two.show()
    assert two.docks["hits"].isHidden()
    assert not two.viewer.streamers
    two.close()


def test_no_row_of_tabs_lies_about(qapp: QApplication, preferences: Preferences, qtbot: QtBot) -> None:
    """Qt leaves some behind while docks are piled up and put back."""
    for _ in range(3):  # new, and as it lay
        window = Window(Document(), preferences)
        window.resize(1100, 760)
        window.show()
        qtbot.wait(50)
        bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.parent() is window]
        shown = sorted(tuple(bar.tabText(k) for k in range(bar.count())) for bar in bars)
        piles = {
            tuple(sorted([d.windowTitle(), *(o.windowTitle() for o in window.tabifiedDockWidgets(d))]))
            for d in window.docks.values()
        }
        assert sorted(tuple(sorted(tabs)) for tabs in shown) == sorted(piles)
        window.close()
        window.deleteLater()


@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_with_every_panel_made_it_fits_a_small_screen_and_no_panel_moves_the_picture(
    sitting: Window, qapp: QApplication, qtbot: QtBot, tongue: str
) -> None:
    window = sitting
    if tongue != "en":
        trigger(window, "tongue")
    window.resize(1366, 740)
    for dock in window.docks.values():
        dock.bring_up()
        qtbot.waitUntil(lambda dock=dock: dock.panel is not None and not dock.hollow, timeout=PATIENCE)  # type: ignore[misc]
    qtbot.wait(50)
    assert (window.width(), window.height()) == (1366, 740)
    place = window.picture.geometry(), window.transport_bar.geometry()
    for dock in window.docks.values():
        dock.bring_up()
        qtbot.wait(20)
        assert (window.picture.geometry(), window.transport_bar.geometry()) == place, dock.place.name
    window.resize(1024, 700)
    qtbot.wait(50)
    assert (window.width(), window.height()) == (1024, 700), window.minimumSizeHint()
    grid = window.docks["takes"].bring_up().grid  # type: ignore[attr-defined]
    qtbot.wait(50)
    cell = grid.visualRect(grid.table.index(0, HITS))
    assert cell.width() > 80
    assert 0 <= cell.left() < cell.right() < grid.viewport().width()
    report = window.docks["takes"].panel.report  # type: ignore[union-attr]
    ends = [report.view.columnViewportPosition(k) + report.view.columnWidth(k) for k in (1, 3, 4)]
    assert max(ends) <= report.view.viewport().width()  # timecode, frames and milliseconds


def test_a_message_moves_nothing(sitting: Window, qtbot: QtBot) -> None:
    window = sitting
    window.message.hide()
    qtbot.wait(20)
    places = [part.mapTo(window, QPoint(0, 0)) for part in (window.picture, window.transport_bar.score, window.timeline)]
    window.message.say("A word to the composer, long enough for two lines. " * 4, "Do it", lambda: None)
    qtbot.wait(20)
    assert places == [part.mapTo(window, QPoint(0, 0)) for part in (window.picture, window.transport_bar.score, window.timeline)]
    assert window.message.isVisible()
    tall = window.message.height()
    assert window.message.width() == window.picture.width()
    window.message.say("Short.")
    assert window.message.height() < tall
    window.resize(window.width() - 100, window.height())
    qtbot.wait(20)
    assert window.message.width() == window.picture.width()


def test_light_and_dark_are_worn_by_everything(sitting: Window, qtbot: QtBot) -> None:
    dark = sitting.grab().toImage().pixelColor(3, sitting.height() - 3).lightness()
    trigger(sitting, "light")
    qtbot.waitUntil(sitting.updatesEnabled, timeout=PATIENCE)  # in two turns, between which nothing is painted
    light = sitting.grab().toImage().pixelColor(3, sitting.height() - 3).lightness()
    assert dark < 80 < light
    trigger(sitting, "light")


def test_whatever_can_be_reached_by_keys_has_a_name_for_screen_readers(sitting: Window) -> None:
    def named(widget: QWidget) -> bool:
        text = getattr(widget, "text", None)
        return bool(widget.accessibleName() or (callable(text) and text()) or isinstance(widget, QLabel))

    reached = [
        widget
        for widget in sitting.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and not widget.objectName().startswith("qt_")
    ]
    assert len(reached) > 5
    assert [type(widget).__name__ for widget in reached if not named(widget)] == []


def test_the_picture_goes_to_full_screen_and_back(sitting: Window, qtbot: QtBot) -> None:
    trigger(sitting, "full_screen")
    alone = sitting.second_display.view
    assert alone is not None
    assert alone.isFullScreen()
    sitting.transport.locate(60)
    assert alone.timecode == sitting.viewer.timecode
    qtbot.keyClick(alone, Qt.Key.Key_Escape)
    assert sitting.second_display.view is None
    assert not sitting.actions_by_name["full_screen"].isChecked()


def test_a_timecode_or_a_frame_is_gone_to(sitting: Window) -> None:
    from desktop.commands import place

    sheet = sitting.timeline.sheet
    assert sheet is not None
    assert place("00:00:02:01", sheet) == 49
    assert place(" 77 ", sheet) == 77
    with pytest.raises(HitpointError, match="outside the film"):
        place("01:00:00:00", sheet)


def test_a_name_is_told_without_the_key_of_its_menu() -> None:
    assert [plain(text) for text in ("&Open…", "Place in the DA&W", "打开(&O)…", "English / 中文")] == [
        "Open…", "Place in the DAW", "打开…", "English / 中文"
    ]  # fmt: skip
