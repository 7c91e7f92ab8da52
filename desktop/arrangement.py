"""How the window lies: as it was left, where that still fits the screen and the docks that there are; else as at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtCore import QByteArray, QRect, QSize, Qt
from PyQt6.QtGui import QGuiApplication, QRegion
from PyQt6.QtWidgets import QMainWindow

from desktop.docks import BOTTOM, RIGHT, Dock, sweep
from desktop.preferences import Preferences

VERSION = 2
"""Counts up whenever places of an older version would lie badly; docks that come or go count by themselves."""
FIRST = QSize(1440, 900)
"""Pixels of a window that was never arranged, where the screen has them."""
SHARE = 0.94
"""Of a screen that is smaller, as much."""
SIDE, BELOW = 360, 260
"""Pixels of the docks at the right and of those below."""
BEYOND = 0.08
"""As much of a window's width and height may lie beyond the left, right and lower edges of the screens."""


class Arrangement:
    """One window's. It is taken up once, after the docks were set out, and kept when the window closes."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, Dock], preferences: Preferences) -> None:
        self._window, self._docks, self._preferences = window, docks, preferences
        self._first = QByteArray()

    @property
    def version(self) -> str:
        """What a kept arrangement must have been made for: the version, and the docks in their places."""
        return " ".join((str(VERSION), *(f"{dock.place.name}:{dock.place.area.value}" for dock in self._docks.values())))

    def take_up(self) -> bool:
        """Arranges the window; whether it lies as it was left."""
        self._as_at_first()
        self._first = self._window.saveState()
        kept = self._preferences
        place = rectangle(kept.text("window/place"))
        if kept.text("window/version") != self.version or place is None or not fits(place, screens()):
            return False
        self._window.restoreGeometry(kept.bytes("window/geometry"))
        if not self._window.restoreState(kept.bytes("window/places")):
            self._as_at_first()
            return False
        for dock in self._docks.values():
            if dock.isFloating() and not fits(dock.geometry(), screens()):
                dock.setFloating(False)
        return True

    def reset(self) -> None:
        """Docks lie and the window is as large as at first."""
        self._window.showNormal()
        self._window.restoreState(self._first)
        self._as_at_first()
        sweep(self._window)

    def keep(self) -> None:
        """Remembers how the window lies now."""
        place = self._window.normalGeometry()
        kept = (place.x(), place.y(), place.width(), place.height())
        self._preferences.set("window/place", " ".join(str(side) for side in kept))
        self._preferences.set("window/version", self.version)
        self._preferences.set("window/geometry", self._window.saveGeometry())
        self._preferences.set("window/places", self._window.saveState())

    def _as_at_first(self) -> None:
        window, here = self._window, self._window.screen() or QGuiApplication.primaryScreen()
        if here is not None:
            room = here.availableGeometry()
            size = FIRST.boundedTo(QSize(round(room.width() * SHARE), round(room.height() * SHARE)))
            place = QRect(room.topLeft(), size)
            place.moveCenter(room.center())
            window.setGeometry(place)
        for area, way, size_px in (
            (RIGHT, Qt.Orientation.Horizontal, SIDE),
            (BOTTOM, Qt.Orientation.Vertical, BELOW),
        ):
            pile = [dock for dock in self._docks.values() if dock.place.area == area]
            window.resizeDocks(pile, [size_px] * len(pile), way)


def rectangle(text: str) -> QRect | None:
    """The rectangle that four numbers tell: left, top, width, height in pixels; None for anything else."""
    try:
        left, top, wide, high = (int(word) for word in text.split())
    except ValueError:
        return None
    return QRect(left, top, wide, high) if wide > 0 and high > 0 else None


def screens() -> list[QRect]:
    """What of every screen is free for windows."""
    return [screen.availableGeometry() for screen in QGuiApplication.screens()]


def fits(place: QRect, on: Sequence[QRect]) -> bool:
    """Whether nearly all of a rectangle lies on screens, over several of them too, and its upper edge within reach."""
    free = QRegion()
    for screen in on:
        free = free.united(QRegion(screen))
    wide, high = round(place.width() * BEYOND), round(place.height() * BEYOND)
    return QRegion(place.adjusted(wide, 0, -wide, -high)).subtracted(free).isEmpty()
