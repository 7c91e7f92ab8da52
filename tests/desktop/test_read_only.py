"""A session that may not be written here is read, handed on and copied; what would change it is greyed out and says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from sittings import saved, scored, unscored

from desktop.candidates import Candidates
from desktop.compose_panel import Compose
from desktop.lately import waiting
from desktop.roll import Roll
from desktop.roll_select import Selection
from desktop.window import Window
from engines.session.desk import Desk

PATIENCE = 60_000
READS = (
    *("save", "save_as", "deliver", "place", "preview", "cue_sheet", "cuts_out", "click_out", "brief_out", "cue_copy"),
    *("new_cut", "spot_again", "play", "close", "go_to"),
)
WRITES = (
    *(
        "hit_add",
        "hit_drop",
        "hit_heavier",
        "hit_lighter",
        "hit_hard",
        "respot",
        "refill",
        "refill_all",
        "score",
        "split",
        "join",
    ),
    *("lock_bar", "take_keep", "take_on", "take_back", "take_swap", "take_name", "brief_in", "accept_cut"),
)
WHY = "The session is read-only here: save a copy to go on (Ctrl+Shift+S)"


@pytest.fixture
def session_file(trio: str, tmp_path: Path) -> Path:
    folder = tmp_path / "film" / "score"  # near which its film is looked for
    folder.mkdir(parents=True)
    return saved(scored(), folder / "cue.hitpoint")


@pytest.fixture
def looking(window: Window, session_file: Path, qtbot: QtBot) -> Iterator[Window]:
    """A window that looks at a session which another program has open."""
    with Desk.open(session_file):
        window.commands.take(session_file)
        qtbot.waitUntil(lambda: "read-only" in window.message.text, timeout=PATIENCE)
        qtbot.waitUntil(lambda: window.timeline.sheet is not None and not waiting(), timeout=PATIENCE)
        assert window.message._offer.text() in ("Save a copy…", "Find it…")
        qtbot.waitUntil(lambda: "not here any more" in window.message.text, timeout=PATIENCE)  # its film is nowhere
        window.message.hide()
        yield window


def test_what_reads_can_be_done_and_what_writes_says_why_it_cannot(looking: Window) -> None:
    for name in READS:
        action = looking.actions_by_name[name]
        assert action.isEnabled(), name
        assert WHY not in action.toolTip(), name
    for name in WRITES:
        action = looking.actions_by_name[name]
        assert not action.isEnabled(), name
        assert action.toolTip().endswith(WHY), name
        assert action.toolTip() != WHY, "and what it does is said all the same"
    assert not looking.transport_bar.score.isVisible()


def test_a_silent_session_offers_no_score_that_would_be_refused(window: Window, trio: str, tmp_path: Path, qtbot: QtBot) -> None:
    path = saved(unscored(), tmp_path / "cue.hitpoint")
    with Desk.open(path):
        window.commands.take(path)
        qtbot.waitUntil(lambda: window.document.read_only, timeout=PATIENCE)
        assert not window.transport_bar.score.isVisible()


def test_panels_that_write_are_shut_and_say_why(looking: Window, qtbot: QtBot) -> None:
    compose, candidates, roll = (looking.docks[name].bring_up() for name in ("compose", "candidates", "roll"))
    assert isinstance(compose, Compose)
    assert isinstance(candidates, Candidates)
    assert isinstance(roll, Roll)
    for part in (compose.brief, compose.engine, compose.seed, compose.refill, compose.refill_all):
        assert not part.isEnabled()
    assert compose.rights.isEnabled()
    assert not compose.shut.isHidden()
    assert compose.refill.toolTip() == compose.refill_all.toolTip() == compose.shut.text() != ""
    qtbot.waitUntil(lambda: len(candidates.model.rows) > 1, timeout=PATIENCE)  # other maps may be looked at
    assert not candidates.use.isEnabled()
    assert not candidates.locks.isEnabled()
    assert "save a copy" in candidates.use.toolTip()
    roll.view.select(Selection(bars=(1, 2)))
    qtbot.wait(20)
    assert not roll.keep.isEnabled()
    assert not roll.again.isEnabled()


def test_a_hand_that_writes_all_the_same_is_told_and_offered_a_copy(looking: Window, qtbot: QtBot) -> None:
    looking.timeline.hit_wanted.emit(77)  # a double-click
    qtbot.waitUntil(lambda: "open in another program" in looking.message.text, timeout=PATIENCE)
    assert looking.message._offer.text() == "Save a copy…"
    looking.message.hide()
    looking.actions_by_name["save"].trigger()
    qtbot.waitUntil(lambda: "save a copy" in looking.message.text, timeout=PATIENCE)


def test_a_copy_is_gone_on_in(
    looking: Window, session_file: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = session_file.read_bytes()
    compose = looking.docks["compose"].build()
    assert isinstance(compose, Compose)
    copy = tmp_path / "copy.hitpoint"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(copy), ""))
    looking.timeline.hit_wanted.emit(77)
    qtbot.waitUntil(lambda: looking.message._offer.text() == "Save a copy…", timeout=PATIENCE)
    looking.message._offer.click()
    qtbot.waitUntil(lambda: not looking.document.read_only, timeout=PATIENCE)
    qtbot.waitUntil(lambda: looking.message.text == f"Saved: {copy}", timeout=PATIENCE)
    for name in WRITES:
        if name != "accept_cut":
            assert looking.actions_by_name[name].isEnabled(), name
            assert WHY not in looking.actions_by_name[name].toolTip()
    compose.show_session(looking.document.session)
    assert compose.brief.isEnabled()
    assert compose.shut.isHidden()
    looking.commands.add_hit(77)
    qtbot.waitUntil(lambda: 77 in [hit.frame for hit in looking.document.session.hits], timeout=PATIENCE)  # type: ignore[union-attr]
    looking.document.studio.flush()
    with Desk.open(copy, read_only=True) as desk:
        assert 77 in [hit.frame for hit in desk.session.hits]
    assert session_file.read_bytes() == before
    assert looking.preferences.recent[0] == str(copy)


def test_a_disk_that_takes_nothing_is_named_as_the_reason(
    window: Window, session_file: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engines.errors import OutputError
    from engines.session import desk

    def refuse(path: Path) -> None:
        raise OutputError("lies on a read-only disk", where=path, cure="choose a folder that you may write to")

    monkeypatch.setattr(desk, "_locked", refuse)
    said: list[tuple[str, str]] = []
    show = window.message.say

    def say(line: object, *rest: object, **named: object) -> None:
        show(line, *rest, **named)  # type: ignore[arg-type]
        said.append((window.message.text, window.message._offer.text()))

    monkeypatch.setattr(window.message, "say", say)
    window.commands.take(session_file)
    qtbot.waitUntil(lambda: window.document.read_only and bool(said), timeout=PATIENCE)
    assert said[0] == ("cue.hitpoint lies where nothing can be written: here it is read-only", "Save a copy…")


def test_what_a_film_without_a_session_cannot_do_says_so(window: Window) -> None:
    for name in ("save", "deliver", "refill", "cuts_out"):
        assert window.actions_by_name[name].toolTip().endswith("Open a film or a session first")
    assert window.actions_by_name["open"].isEnabled()
