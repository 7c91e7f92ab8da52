"""A film just opened is worked on before anything is composed: marks, maps, locks and words begin its session; scoring keeps them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from sittings import Trio

from desktop.candidates import Candidates
from desktop.compose_panel import Compose
from desktop.compose_wish import wishes_of
from desktop.document import Document
from desktop.lately import waiting
from desktop.roll import Roll
from desktop.takes import Takes
from desktop.window import Window
from engines.errors import Cancelled
from engines.picture.demo_film import CUTS, FRAMES, make_demo_film
from engines.session.desk import Desk
from engines.session.lock import locked_bars
from engines.session.model import Session

PATIENCE = 60_000


@pytest.fixture(scope="module")
def demo_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo_film(tmp_path_factory.mktemp("demo") / "demo.mp4")


@pytest.fixture
def film(demo_film: Path, tmp_path: Path) -> Path:
    path = tmp_path / "film" / "reel.mp4"
    path.parent.mkdir()
    path.write_bytes(demo_film.read_bytes())
    return path


def is_ready(window: Window, qtbot: QtBot) -> None:
    """Waits until what a film begins with is shown by every panel and drawn."""
    document = window.document
    qtbot.waitUntil(lambda: document.now is None and document.draft is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: document.sheet is not None and len(document.sheet.scenes) > 0, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not waiting(), timeout=PATIENCE)


@pytest.fixture
def spotted(window: Window, film: Path, with_trio: Callable[[Document], None], qtbot: QtBot) -> Window:
    """A window in which a film was opened, and no more."""
    window.commands.take(film)
    is_ready(window, qtbot)
    with_trio(window.document)
    return window


def session(window: Window) -> Session:
    assert window.document.now is not None
    return window.document.now.session


def begun(window: Window, qtbot: QtBot) -> Session:
    """The session once there is one."""
    qtbot.waitUntil(lambda: window.document.now is not None, timeout=PATIENCE)
    return session(window)


def steps(window: Window) -> list[str]:
    assert window.document.now is not None
    return [step.sentence for step in window.document.now.history.done]


def lies(film: Path) -> list[str]:
    """What lies beside a film."""
    return sorted(path.name for path in film.parent.iterdir() if path != film)


def trigger(window: Window, name: str) -> None:
    action = window.actions_by_name[name]
    assert action.isEnabled(), name
    action.trigger()


def test_opening_shows_silent_scenes_everywhere_and_writes_nothing(spotted: Window, film: Path, qtbot: QtBot) -> None:
    takes, roll, compose = (spotted.docks[name].build() for name in ("takes", "roll", "compose"))
    assert isinstance(takes, Takes)
    assert isinstance(roll, Roll)
    assert isinstance(compose, Compose)
    draft = spotted.document.draft
    assert draft is not None
    assert takes.grid.table.rowCount() == len(draft.scenes) > 1
    assert takes.grid.table.say(draft.spans[0], 4) == "no take"
    assert not takes.report.isHidden()
    assert takes.report.table.rowCount() == 0
    assert roll.view.session is draft
    assert compose.brief.isEnabled()
    assert compose.refill.isEnabled()
    assert {mark.verdict for mark in spotted.timeline.sheet.marks} == {"silent"}  # type: ignore[union-attr]
    for part in (takes, roll, spotted.timeline):
        part.grab()  # paints, and nothing fails
    spotted.transport.play(1)
    spotted.transport.stop()
    assert lies(film) == []
    assert spotted.message.text == ""
    spotted.close()
    assert lies(film) == [], "and closing writes nothing either"


def lane_y(window: Window) -> int:
    timeline = window.timeline
    return sum(other.height for other in timeline.lanes[: timeline.lanes.index(timeline.hits)])


def pull(window: Window, qtbot: QtBot, across: int, up: int) -> None:
    """Drags the first hit of the lane."""
    view, sheet = window.timeline.viewport(), window.timeline.sheet
    assert view is not None
    assert sheet is not None
    at = QPoint(round(window.timeline.scale.x(float(sheet.hit_at[0]))), lane_y(window) + window.timeline.hits.height - 4)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at)
    for k in range(1, 11):
        qtbot.mouseMove(view, at + QPoint(across * k // 10, -up * k // 10))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at + QPoint(across, -up))


def mark(window: Window, qtbot: QtBot) -> None:
    window.transport.locate(60)
    qtbot.keyClick(window.timeline, Qt.Key.Key_M)


def double_click(window: Window, qtbot: QtBot) -> None:
    at = QPoint(round(window.timeline.scale.x(2.0)), lane_y(window) + 20)
    qtbot.mouseDClick(window.timeline.viewport(), Qt.MouseButton.LeftButton, pos=at)


def drop_hit(window: Window, qtbot: QtBot) -> None:
    window.transport.locate(CUTS[0])
    trigger(window, "hit_drop")


def soften(window: Window, qtbot: QtBot) -> None:
    window.transport.locate(CUTS[1])
    trigger(window, "hit_hard")


def lock(window: Window, qtbot: QtBot) -> None:
    window.transport.locate(130)
    trigger(window, "lock_bar")


def lock_by_hand(window: Window, qtbot: QtBot) -> None:
    panel = window.docks["candidates"].build()
    assert isinstance(panel, Candidates)
    qtbot.waitUntil(lambda: panel.locks.lock.isEnabled(), timeout=PATIENCE)
    panel.locks.first.setValue(2)
    panel.locks.last.setValue(3)
    panel.locks.lock.click()


def choose_map(window: Window, qtbot: QtBot) -> None:
    panel = window.docks["candidates"].build()
    assert isinstance(panel, Candidates)
    qtbot.waitUntil(lambda: len(panel.model.rows) > 1, timeout=PATIENCE)
    panel.list.setCurrentIndex(panel.model.index(1))
    panel.choose()


def say_mood(window: Window, qtbot: QtBot) -> None:
    panel = window.docks["compose"].build()
    assert isinstance(panel, Compose)
    panel.brief.moods.button(3).click()


def say_key(window: Window, qtbot: QtBot) -> None:
    panel = window.docks["compose"].build()
    assert isinstance(panel, Compose)
    panel.scope.button(0).click()
    panel.brief.key.setCurrentIndex(panel.brief.key.findData("D:min"))
    panel.brief.key.activated.emit(panel.brief.key.currentIndex())


FIRST: dict[str, tuple[Callable[[Window, QtBot], None], str]] = {
    "M": (mark, "Mark a hit at frame 60"),
    "a double-click": (double_click, "Mark a hit at frame"),
    "a drag": (lambda window, qtbot: pull(window, qtbot, 40, 0), f"Move the hit at frame {CUTS[0]} to"),
    "a drag up": (lambda window, qtbot: pull(window, qtbot, 0, 20), f"Weigh the hit at frame {CUTS[0]}"),
    "a hit deleted": (drop_hit, f"Delete the hit at frame {CUTS[0]}"),
    "a hit softened": (soften, f"Weigh the hit at frame {CUTS[1]}"),
    "a bar locked": (lock, "Lock bar 4"),
    "bars locked": (lock_by_hand, "Lock bars 2-3"),
    "a tempo map": (choose_map, "Use the tempo map"),
    "a mood": (say_mood, "Brief scene 1"),
    "a key": (say_key, "Brief the cue"),
    "a curve": (lambda window, _: window.commands.shape({2: 0.8}), "Shape the intensity of bar 3"),
    "a scene split": (lambda window, _: (window.transport.locate(200), trigger(window, "split"))[1], "Split at bar"),
    "a scene kept": (lambda window, _: trigger(window, "take_keep"), "Keep"),
}


@pytest.mark.parametrize("kind", FIRST)
def test_the_first_act_begins_the_session_and_can_be_taken_back(kind: str, spotted: Window, film: Path, qtbot: QtBot) -> None:
    draft = spotted.document.draft
    act, sentence = FIRST[kind]
    act(spotted, qtbot)
    after = begun(spotted, qtbot)
    assert steps(spotted)[0].startswith(sentence)
    assert len(steps(spotted)) == 1
    assert after != draft
    assert after.takes == {}
    path = film.parent / "reel-score" / "cue.hitpoint"
    assert spotted.document.now is not None
    assert spotted.document.now.path == path
    with Desk.open(path, read_only=True) as desk:
        assert desk.session == after
    assert spotted.message.text == ""
    qtbot.waitUntil(lambda: spotted.actions_by_name["undo"].isEnabled(), timeout=PATIENCE)
    trigger(spotted, "undo")
    qtbot.waitUntil(lambda: session(spotted) != after, timeout=PATIENCE)
    assert session(spotted).hits == draft.hits  # type: ignore[union-attr]
    assert session(spotted).told == {}
    assert spotted.transport_bar.score.isVisible()


def test_score_it_composes_with_the_hits_the_map_and_the_brief_that_were_set_before(
    spotted: Window, film: Path, qtbot: QtBot
) -> None:
    for k, act in enumerate((choose_map, mark, drop_hit, lock, say_key), 1):
        act(spotted, qtbot)
        qtbot.waitUntil(lambda k=k: spotted.document.now is not None and len(steps(spotted)) == k, timeout=PATIENCE)
        qtbot.waitUntil(lambda: not waiting(), timeout=PATIENCE)
    before = session(spotted)
    qtbot.mouseClick(spotted.transport_bar.score, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(scene.chosen for scene in session(spotted).scenes), timeout=PATIENCE)
    after = session(spotted)
    assert (after.hits, after.tempo_map, after.told) == (before.hits, before.tempo_map, before.told)
    assert locked_bars(after) == locked_bars(before) != set()
    frames = [hit.frame for hit in after.hits]
    assert 60 in frames
    assert CUTS[0] not in frames
    assert after.told["cue"].key == "D:min"
    assert {take.orders[0].brief.key for take in after.takes.values()} == {"D:min"}
    spotted.document.studio.flush()
    assert len(list((film.parent / "reel-score").glob("[!.]*.hitpoint"))) == 1, "in the session that was begun, not in a second"
    assert steps(spotted)[-1] == "Score the cue"


def test_hits_are_marked_while_the_picture_rolls(spotted: Window, qtbot: QtBot) -> None:
    moved: list[float] = []
    spotted.transport.locate(30)
    spotted.transport.rolled.connect(moved.append)
    reel = spotted.document.reel
    spotted.transport.play(1)
    trigger(spotted, "hit_add")
    begun(spotted, qtbot)
    qtbot.waitUntil(lambda: not waiting(), timeout=PATIENCE)
    assert moved == [1.0], "the picture was not stopped by the session that began"
    assert spotted.document.reel is reel
    spotted.transport.stop()


def test_the_engine_that_was_chosen_before_is_the_one_that_scores(window: Window, film: Path, trio: str, qtbot: QtBot) -> None:
    window.commands.take(film)
    is_ready(window, qtbot)
    assert window.document.draft is not None
    assert window.document.draft.engine != trio
    wishes_of(window.document).wish(trio, 7)
    trigger(window, "score")
    after = begun(window, qtbot)
    assert after.engine == trio
    assert {take.facts["engine"] for take in after.takes.values()} == {"trio"}
    assert next(iter(after.takes.values())).seed == 7


def test_enter_composes_a_scene_first_of_all(spotted: Window, qtbot: QtBot) -> None:
    last = session_of(spotted).spans[-1]
    spotted.transport.locate(int(last.seconds[0] * 24) + 10)
    trigger(spotted, "refill")
    after = begun(spotted, qtbot)
    assert [bool(scene.chosen) for scene in after.scenes] == [False] * (len(after.scenes) - 1) + [True]
    qtbot.waitUntil(lambda: {m.verdict for m in spotted.timeline.sheet.marks} > {"silent"}, timeout=PATIENCE)  # type: ignore[union-attr]


def session_of(window: Window) -> Session:
    found = window.document.session
    assert found is not None
    return found


# where nothing may be written


@pytest.mark.parametrize("name", ["hit_add", "score", "save"])
def test_a_film_where_nothing_may_be_written_asks_for_a_folder_and_goes_on_there(
    name: str, spotted: Window, film: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    (film.parent / "reel-score").write_text("a file where the folder would be")  # who runs this as root may write anywhere
    spotted.transport.locate(60)
    trigger(spotted, name)
    qtbot.waitUntil(lambda: "not a folder; choose another folder" in spotted.message.text, timeout=PATIENCE)
    assert spotted.message._offer.text() == "Choose a folder…"
    assert spotted.document.now is None
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    spotted.message._offer.click()
    assert spotted.document.now is None, "nobody chose one"
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(mine))
    trigger(spotted, name)
    qtbot.waitUntil(lambda: spotted.message._offer.isVisible(), timeout=PATIENCE)
    spotted.message._offer.click()
    after = begun(spotted, qtbot)
    assert spotted.document.now is not None
    assert spotted.document.now.path == mine / "reel-score" / "cue.hitpoint"
    assert {"hit_add": 60 in [hit.frame for hit in after.hits], "score": bool(after.takes), "save": True}[name]
    if name == "save":
        qtbot.waitUntil(lambda: spotted.message.text == f"Saved: {mine / 'reel-score' / 'cue.hitpoint'}", timeout=PATIENCE)


# a session that lies there already


def test_a_film_that_has_a_session_offers_it(spotted: Window, film: Path, qtbot: QtBot) -> None:
    mark(spotted, qtbot)
    before = begun(spotted, qtbot)
    trigger(spotted, "close")
    qtbot.waitUntil(lambda: spotted.document.film is None and spotted.document.now is None, timeout=PATIENCE)
    spotted.commands.take(film)
    qtbot.waitUntil(lambda: spotted.message.text == "This film has a session: reel-score / cue.hitpoint", timeout=PATIENCE)
    is_ready(spotted, qtbot)
    assert spotted.message._offer.text() == "Open it"
    spotted.message._offer.click()
    assert begun(spotted, qtbot) == before
    assert spotted.message.text == ""


def test_an_old_session_that_makes_room_is_told_of_and_can_be_opened(
    spotted: Window, film: Path, with_trio: Callable[[Document], None], qtbot: QtBot
) -> None:
    mark(spotted, qtbot)
    before = begun(spotted, qtbot)
    spotted.commands.take(film)
    is_ready(spotted, qtbot)
    with_trio(spotted.document)
    trigger(spotted, "score")
    begun(spotted, qtbot)
    assert spotted.message.text == "The session that lay there is kept: it is cue-1.hitpoint now"
    spotted.message._offer.click()
    qtbot.waitUntil(lambda: spotted.document.now is not None and session(spotted) == before, timeout=PATIENCE)
    assert spotted.document.now is not None
    assert spotted.document.now.path.name == "cue-1.hitpoint"


# a film with its list


def drop(window: Window, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.catcher.eventFilter(window, event)


@pytest.mark.parametrize("way", [1, -1])
def test_a_film_and_its_cut_list_are_dropped_together(way: int, window: Window, film: Path, qtbot: QtBot) -> None:
    cuts = film.with_name("cuts.csv")
    cuts.write_text("frame,time_s,kind\n100,4.166667,cut\n250,10.416667,cut\n")
    drop(window, *(film, cuts)[::way])
    is_ready(window, qtbot)
    assert window.document.film is not None
    assert [cut.frame for cut in window.document.film.programme.cuts] == [100, 250]
    assert window.message.text == ""
    drop(window, film)
    qtbot.waitUntil(lambda: len(window.document.film.programme.cuts) == len(CUTS), timeout=PATIENCE)  # type: ignore[union-attr]


# saving and closing


def test_saving_says_where_and_begins_the_session_of_a_film(spotted: Window, film: Path, qtbot: QtBot) -> None:
    path = film.parent / "reel-score" / "cue.hitpoint"
    for _ in range(2):
        spotted.message.hide()
        qtbot.keyClick(spotted, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(lambda: spotted.message.text == f"Saved: {path}", timeout=PATIENCE)
    assert path.is_file()
    assert steps(spotted) == []
    assert len(list(path.parent.glob("[!.]*.hitpoint"))) == 1


def test_a_film_is_saved_as_a_session_elsewhere(
    spotted: Window, film: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []

    def choose(parent: object, title: str, path: str, kinds: str) -> tuple[str, str]:
        offered.append(path)
        return str(tmp_path / "first"), kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    trigger(spotted, "save_as")
    qtbot.waitUntil(lambda: spotted.message.text == f"Saved: {tmp_path / 'first.hitpoint'}", timeout=PATIENCE)
    assert offered == [str(film.parent / "reel-score" / "cue.hitpoint")]
    mark(spotted, qtbot)
    qtbot.waitUntil(lambda: len(steps(spotted)) == 1, timeout=PATIENCE)
    assert lies(film) == []


def is_bare(window: Window) -> bool:
    return window.picture.currentWidget() is window.welcome and window.timeline.sheet is None


def test_close_saves_and_shows_the_welcome_page_and_everything_can_be_opened_again(
    spotted: Window, film: Path, qtbot: QtBot
) -> None:
    mark(spotted, qtbot)
    begun(spotted, qtbot)
    path = film.parent / "reel-score" / "cue.hitpoint"
    assert spotted.document.at_hand == path
    qtbot.keyClick(spotted, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: is_bare(spotted), timeout=PATIENCE)
    assert spotted.isVisible()
    assert spotted.windowTitle() == "Hitpoint"
    assert spotted.document.at_hand is None
    assert (spotted.document.now, spotted.document.film, spotted.document.reel) == (None, None, None)
    assert spotted.viewer.frames is None
    assert spotted.transport.timing.frames == 1
    with Desk.open(path) as desk:
        assert not desk.read_only, "the session is free for others"
        assert 60 in [hit.frame for hit in desk.session.hits]
    for name in ("close", "save", "save_as", "hit_add", "score", "play", "deliver"):
        assert not spotted.actions_by_name[name].isEnabled(), name
        assert spotted.actions_by_name[name].toolTip().endswith("Open a film or a session first")
    qtbot.waitUntil(lambda: not waiting(), timeout=PATIENCE)
    takes = spotted.docks["takes"].build()
    assert takes.grid.table.rowCount() == 0  # type: ignore[attr-defined]
    assert spotted.preferences.recent == [str(path), str(film)]
    assert [button.text() for button in spotted.welcome._recent] == ["reel-score / cue", "film / reel.mp4"]
    spotted.welcome._recent[1].click()
    is_ready(spotted, qtbot)
    assert spotted.transport.timing.frames == FRAMES
    trigger(spotted, "close")
    qtbot.waitUntil(lambda: is_bare(spotted), timeout=PATIENCE)
    spotted.recent_menu.actions()[1].trigger()
    assert 60 in [hit.frame for hit in begun(spotted, qtbot).hits]


class Slow(Trio):
    """Composes until it is cancelled."""

    began = Flag()

    def compose(self, *args: Any, **named: Any) -> Any:
        cancelled = named.get("cancelled") or args[4]
        self.began.set()
        while not cancelled():
            Flag().wait(0.01)
        raise Cancelled


@pytest.fixture
def slow(trio: str, monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    from engines.engine import ENGINES

    Slow.began.clear()
    monkeypatch.setitem(ENGINES, "slow", f"{__name__}:Slow")
    return Slow


def test_close_ends_what_is_being_composed_without_a_word(spotted: Window, film: Path, slow: type[Slow], qtbot: QtBot) -> None:
    wishes_of(spotted.document).wish("slow")
    trigger(spotted, "score")
    qtbot.waitUntil(slow.began.is_set, timeout=PATIENCE)
    trigger(spotted, "close")
    qtbot.waitUntil(lambda: is_bare(spotted), timeout=PATIENCE)
    qtbot.waitUntil(lambda: all(r.ended for r in spotted.document.studio.jobs.readings()), timeout=PATIENCE)
    qtbot.wait(50)
    assert spotted.message.text == ""
    assert lies(film) == []
