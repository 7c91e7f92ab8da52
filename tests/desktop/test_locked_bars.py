"""Bars that are locked, on the timeline: a band with a lock, told in words, and freed by a click, as one act that can be undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from desktop import theme
from desktop.app import speak
from desktop.lanes.lane import Ink
from desktop.lanes.ruler import bars_of
from desktop.sheet import with_map
from desktop.window import Window
from engines.commands import Lock
from engines.session.lock import locked_bars

PATIENCE = 60_000


@pytest.fixture
def locked(window: Window, trio: str, tmp_path: Path, qtbot: QtBot) -> Window:
    """A session whose bars 3 to 5 and 9 are locked."""
    window.commands.take(saved(scored(), tmp_path / "cue.hitpoint"))
    qtbot.waitUntil(lambda: window.timeline.sheet is not None, timeout=PATIENCE)
    for bars in ((3, 5), (9, 9)):
        window.document.act(Lock(bars))
    wait(window, 2, qtbot)
    window.timeline.fit()
    return window


def wait(window: Window, runs: int, qtbot: QtBot) -> None:
    def drawn() -> bool:
        sheet = window.timeline.sheet
        return sheet is not None and len(sheet.locked) == runs

    qtbot.waitUntil(drawn, timeout=PATIENCE)


def band(window: Window, run: int) -> tuple[int, int, int]:
    """Left, right and middle height of a band, in pixels of the timeline."""
    sheet, scale = window.timeline.sheet, window.timeline.scale
    assert sheet is not None
    start, end = sheet.locked[run]
    return round(scale.x(start)), round(scale.x(end)), window.timeline.ruler.height * 3 // 4


def test_a_band_lies_over_locked_bars_and_over_no_others(locked: Window) -> None:
    sheet = locked.timeline.sheet
    assert sheet is not None
    assert [bars_of(run, sheet) for run in sheet.locked] == [(3, 5), (9, 9)]
    for start, end in sheet.locked:
        assert all(abs(sheet.bars - edge).min() < 1e-9 for edge in (start, end)), "from a bar line to a bar line"


@pytest.mark.parametrize("worn", ["dark", "light"])
def test_it_is_seen_in_both_themes(locked: Window, worn: str, qapp: object) -> None:
    theme.wear(qapp, worn)  # type: ignore[arg-type]
    view = locked.timeline.viewport()
    assert view is not None
    image = view.grab().toImage()
    ratio = image.devicePixelRatio()
    left, right, _ = band(locked, 0)
    y = locked.timeline.ruler.height - 4

    def at(x: int) -> int:
        return image.pixel(round(x * ratio), round(y * ratio))

    panel = Ink.fresh().colour("panel").rgb()
    assert at(left - 6) == panel
    assert at(right + 6) == panel
    assert all(at(x) != panel for x in range(left + 2, right - 1))
    sign = Ink.fresh().colour("text").rgb()
    body = {image.pixel(round(x * ratio), round(31 * ratio)) for x in range(right - 12, right - 3)}
    assert sign in body, "the body of the lock"


def test_it_is_told_in_both_languages(locked: Window, qapp: object) -> None:
    timeline, sheet = locked.timeline, locked.timeline.sheet
    assert sheet is not None
    assert timeline.accessibleDescription() == "Bars 3 to 5 are locked. Bar 9 is locked."
    left, right, y = band(locked, 0)

    def tip() -> str:
        return timeline.ruler.tip((left + right) // 2, y, timeline.scale, sheet)

    assert tip().startswith("Bars 3 to 5 are locked. Spotting again")
    assert timeline.ruler.tip(left - 5, y, timeline.scale, sheet) == ""
    try:
        speak(qapp, "zh")  # type: ignore[arg-type]
        assert tip().startswith("第 3 至 5 小节已锁定。")
    finally:
        speak(qapp, "en")  # type: ignore[arg-type]


def test_the_lock_frees_its_bars_as_one_act_and_the_band_beside_it_is_the_ruler(locked: Window, qtbot: QtBot) -> None:
    view = locked.timeline.viewport()
    assert view is not None
    left, right, y = band(locked, 0)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint((left + right) // 2 - 8, y))
    assert locked.transport.frame > 0, "the band is the ruler all the same"
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(right - 8, y))
    wait(locked, 1, qtbot)
    assert locked.document.now is not None
    assert locked_bars(locked.document.now.session) == {8}
    assert locked.document.now.history.done[-1].sentence == "Unlock bars 3-5"
    locked.document.undo()
    wait(locked, 2, qtbot)
    assert locked_bars(locked.document.now.session) == {2, 3, 4, 8}


def test_another_map_that_is_looked_at_keeps_the_bands_where_they_are(locked: Window) -> None:
    sheet, now = locked.timeline.sheet, locked.document.now
    assert sheet is not None
    assert now is not None
    assert with_map(sheet, now.session.tempo_map, now.session.film.duration).locked == sheet.locked
