"""The places around the picture: each dock by name, built when it is first shown, so that a window opens at once.

A dock is a class ``Panel(document, transport)`` in a module of its own, a `QWidget` that reads frozen values from the signals of
`desktop.document.Document` and of `desktop.transport.Transport`, and hands over acts. Rows of the menus that are a dock's
(`desktop.actions.Item.dock`) call the method of their name, and build the panel where it was not yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QVBoxLayout, QWidget

from desktop.keys import is_own
from desktop.language import words

if TYPE_CHECKING:
    from desktop.document import Document
    from desktop.transport import Transport

tr = words("docks")
NEAR = 8
"""Pixels between a dock and its row of tabs at most."""
RIGHT, BOTTOM = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea


@dataclass(frozen=True)
class Place:
    """One dock: its ``name`` in the settings, the title that people read, where it lies, ``module:Class``, its key, and whether a window
    that was never arranged shows it. Docks of one area lie as tabs over one another, the first on top."""

    name: str
    title: str
    area: Qt.DockWidgetArea
    built_by: str
    keys: str = ""
    shown: bool = True


def places() -> tuple[Place, ...]:
    """All of them, in the order of their tabs."""
    return (
        Place("hits", tr("Hits"), RIGHT, "desktop.hits:Hits", "Ctrl+1"),
        Place("takes", tr("Takes"), BOTTOM, "desktop.takes:Takes", "Ctrl+2"),
        Place("roll", tr("Piano roll"), BOTTOM, "desktop.roll:Roll", "Ctrl+3"),
        Place("candidates", tr("Tempo"), RIGHT, "desktop.candidates:Candidates", "Ctrl+5"),
        Place("compose", tr("Compose"), RIGHT, "desktop.compose_panel:Compose", "Ctrl+4"),
        Place("recut", tr("Conform"), BOTTOM, "desktop.recut:Recut", "Ctrl+6"),
        Place("links", tr("Links"), RIGHT, "desktop.links:Links", "Ctrl+7"),
    )


class Dock(QDockWidget):
    """A frame that builds its panel when it is first seen."""

    def __init__(self, place: Place, document: Document, transport: Transport, window: QMainWindow) -> None:
        super().__init__(place.title, window)
        self.setObjectName(place.name)
        self.setAccessibleName(place.title)
        self.place = place
        self.panel: QWidget | None = None
        self._parts = document, transport
        hollow = QWidget(self)
        QVBoxLayout(hollow).setContentsMargins(0, 0, 0, 0)
        self.setWidget(hollow)
        self.visibilityChanged.connect(lambda seen: seen and self.build())

    def event(self, event: QEvent | None) -> bool:
        if event is not None and is_own(event):  # a dock that floats is a window of its own
            event.accept()
            return True
        return super().event(event)

    def build(self) -> QWidget:
        """The panel, made now where it was not yet."""
        if self.panel is None:
            module, name = self.place.built_by.split(":")
            self.panel = getattr(import_module(module), name)(*self._parts)
            hollow = self.widget()
            assert self.panel is not None
            assert hollow is not None
            layout = hollow.layout()
            assert layout is not None
            layout.addWidget(self.panel)
        return self.panel

    def bring_up(self) -> QWidget:
        """Shows the dock over those that it lies with; its panel."""
        self.show()
        self.raise_()
        return self.build()


def set_out(window: QMainWindow, document: Document, transport: Transport) -> dict[str, Dock]:
    """Puts every dock into its place; the docks by name."""
    docks: dict[str, Dock] = {}
    piles: dict[Qt.DockWidgetArea, list[Dock]] = {}
    for place in places():
        dock = docks[place.name] = Dock(place, document, transport, window)
        pile = piles.setdefault(place.area, [])
        if pile:
            window.tabifyDockWidget(pile[-1], dock)
        else:
            window.addDockWidget(place.area, dock)
        pile.append(dock)
    for pile in piles.values():
        for dock in pile:
            dock.setVisible(dock.place.shown)
        pile[0].raise_()
    return docks


def sweep(window: QMainWindow) -> None:
    """Hides rows of tabs that Qt made while docks were piled up or put back, and forgot: those that lie under no dock. To be called once
    the window is laid out."""
    tops = [dock for dock in window.findChildren(QDockWidget) if dock.isVisible() and not dock.isFloating()]
    for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        here = bar.geometry()
        if not any(abs(dock.x() - here.x()) <= NEAR and abs(dock.geometry().bottom() - here.y()) <= NEAR for dock in tops):
            bar.hide()
