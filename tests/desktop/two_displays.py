"""The picture on a second display, for `test_second_display`: run as a program, with two screens; what it saw comes as JSON.

``offscreen`` has its displays for good, so what Qt tells of one that is unplugged is told by hand; under ``xcb`` with xrandr a
display is really taken away and given back.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QEventLoop, QSettings, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from desktop.app import application
from desktop.document import Document
from desktop.preferences import Preferences
from desktop.window import Window

PATIENCE_S = 60
BEYOND = "1280/300x1000/250+1400+0"
"""Where xrandr's second display lies: pixels and millimetres."""


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def place(window: Window) -> dict[str, object]:
    view = window.second_display.view
    screen = None if view is None else view.screen()
    return {
        "on": None if screen is None else screen.name(),
        "full": view is not None and view.isFullScreen(),
        "rect": None if view is None else view.geometry().getRect(),
        "checked": window.actions_by_name["full_screen"].isChecked(),
        "message": window.message.text,
    }


def unplugged(app: QApplication, real: bool) -> None:
    if real:
        subprocess.run(["xrandr", "--delmonitor", "second"], check=True)
        until(lambda: len(app.screens()) == 1, "one display is left")
    else:
        app.screenRemoved.emit(app.screens()[1])


def plugged(app: QApplication, real: bool) -> None:
    if real:
        subprocess.run(["xrandr", "--setmonitor", "second", BEYOND, "none"], check=True)
        until(lambda: len(app.screens()) == 2, "there are two displays again")
    else:
        app.screenAdded.emit(app.screens()[1])


def walk(film: Path, folder: Path, real: bool) -> dict[str, object]:
    """Goes there, has it unplugged, plugged in again, and comes back by the key."""
    kept = Preferences(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    kept.set("music", False)
    app = application(kept)
    window = Window(Document(), kept)
    window.setGeometry(40, 40, 900, 700)
    window.show()
    window.commands.take(film)
    until(lambda: window.viewer.shown == 0, "the film is there")
    seen: dict[str, object] = {"screens": [screen.name() for screen in app.screens()]}
    window.actions_by_name["full_screen"].trigger()
    view = window.second_display.view
    assert view is not None
    until(lambda: view.isFullScreen() and view.shown == 0, "the picture is alone")
    window.transport.locate(100)
    until(lambda: view.shown == window.viewer.shown == 100, "both show the frame")
    until(lambda: view._image is not None and view._image.width() >= view.place().width(), "as large as the display")
    screen = window.screen()
    seen["there"] = place(window) | {"window": None if screen is None else screen.name()}
    unplugged(app, real)
    until(lambda: window.second_display.view is None, "it is back")
    seen["unplugged"] = place(window) | {"shown": window.viewer.shown}
    plugged(app, real)
    until(lambda: (v := window.second_display.view) is not None and v.shown == 100, "it is there again")
    seen["again"] = place(window)
    view = window.second_display.view
    assert view is not None
    QTest.keyClick(view, Qt.Key.Key_Escape)
    until(lambda: window.second_display.view is None, "Escape brings it back")
    seen["left"] = place(window)
    unplugged(app, real)
    plugged(app, real)
    seen["after"] = place(window)
    window.close()
    return seen


if __name__ == "__main__":
    print(json.dumps(walk(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "real")))
