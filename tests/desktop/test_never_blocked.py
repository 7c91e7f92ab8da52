"""The window never blocks over 50 ms: while an engine composes, while hits are moved, while a film is opened."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from sittings import saved, scored
from watchdog import Away, Watchdog

from desktop.window import Window

LONGEST_MS = 50
PATIENCE = 60_000


class Blocked(AssertionError):
    """The window was away too long."""


# a thread that shares its core, or the caches, with an engine is lengthened now and then; a window that blocks does so every time
when_quiet = pytest.mark.flaky(reruns=5, only_rerun=["Blocked"])


def unblocked(away: Away) -> None:
    """Its own work is short, and it waits at no place for longer than the machine lets a sleeping thread wait too. Raises Blocked."""
    crowded = os.getloadavg()[0] > (os.cpu_count() or 1)  # threads that share a core and its caches take twice the processor time
    assert away.ticks > 2
    if away.busy >= LONGEST_MS * (2 if crowded else 1) or away.stuck >= LONGEST_MS + 2 * away.beside:
        raise Blocked(away)


@pytest.fixture(params=["picture and timeline", "every dock"])
def large(request: pytest.FixtureRequest, window: Window, trio: str, tmp_path: Path, qtbot: QtBot) -> Window:
    """A session of ten scenes in a window with its docks closed, and with all of them open."""
    for dock in window.docks.values():
        dock.setVisible(request.param == "every dock")
        if dock.panel is not None and request.param != "every dock":
            dock.panel.hide()
            dock.panel.deleteLater()  # it keeps its parent: what has none belongs to Python, which destroys it in any thread
            dock.panel = None
    qtbot.wait(50)
    folder = tmp_path / "film" / "score"  # near which its film is looked for
    folder.mkdir(parents=True)
    path = saved(scored((2,) * 10), folder / "cue.hitpoint")
    window.commands.take(path)
    qtbot.waitUntil(lambda: window.timeline.sheet is not None and window.transport.timing.frames > 1, timeout=PATIENCE)
    window.message.dismiss()
    qtbot.wait(100)
    return window


@when_quiet
def test_while_an_engine_composes_and_the_composer_works_on(large: Window, qtbot: QtBot) -> None:
    assert large.document.now is not None
    before = large.document.now.session
    with Watchdog() as away:
        large.document.score()
        for k in range(20):
            large.transport.locate(20 * k)
            large.timeline.zoom(1.3 if k % 2 else 1 / 1.3)
            if k % 5 == 0:
                large.commands.add_hit(31 + 7 * k)
            qtbot.wait(10)
        qtbot.waitUntil(
            lambda: large.document.now is not None and len(large.document.now.session.takes) >= 2 * len(before.takes),
            timeout=PATIENCE,
        )
        qtbot.wait(50)
    unblocked(away)


@when_quiet
def test_while_everything_is_undone_and_done_again(large: Window, qtbot: QtBot) -> None:
    for k in range(4):
        large.commands.add_hit(31 + 7 * k)
    qtbot.waitUntil(lambda: len(large.document.now.history.done) == 4, timeout=PATIENCE)  # type: ignore[union-attr]
    changes: list[str] = []
    large.document.session_changed.connect(lambda event: changes.append(event.change))
    with Watchdog() as away:
        for _ in range(4):
            large.document.undo()
        for _ in range(4):
            large.document.redo()
        qtbot.waitUntil(lambda: len(changes) == 8, timeout=PATIENCE)
    assert changes == ["undone"] * 4 + ["redone"] * 4
    unblocked(away)


def test_a_window_that_is_blocked_is_seen(qtbot: QtBot) -> None:
    """The watchdog itself: work and waiting of the window's thread are told apart, and both are found."""
    with Watchdog() as away:
        qtbot.wait(40)
        threading.Event().wait(0.5)  # a lock that is not let go of
        qtbot.wait(40)
    assert away.stuck > 300
    assert "threading.py" in away.where
    with pytest.raises(Blocked):
        unblocked(replace(away, busy=0.0, beside=0.0))
    with Watchdog() as away:
        qtbot.wait(40)
        until = time.thread_time() + 0.15
        while time.thread_time() < until:
            pass
        qtbot.wait(40)
    assert away.busy > 100
