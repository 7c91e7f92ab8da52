"""The places around the picture: each dock by name, built when it is first shown, so that a window opens at once.

A dock is a class ``Panel(document, transport)`` in a module of its own, a `QWidget` that reads frozen values from the signals of
`desktop.document.Document` and of `desktop.transport.Transport`, and hands over acts. Rows of the menus that are a dock's
(`desktop.actions.Item.dock`) call the method of their name, and build the panel where it was not yet.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from PyQt6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QApplication, QDockWidget, QMainWindow, QTabBar, QVBoxLayout, QWidget
from PyQt6.sip import isdeleted

from desktop.keys import is_own
from desktop.language import current, is_another, words

if TYPE_CHECKING:
    from desktop.document import Document
    from desktop.transport import Transport

tr = words("docks")
NEAR = 8
"""Pixels between a dock and its row of tabs at most."""
TURN_MS, AHEAD_MS = 5, 500
"""Between two looks whether a panel's code is loaded; after the window was laid out, before that of all is."""
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


@runtime_checkable
class Keeping(Protocol):
    """A panel with something in hand that its successor in another language goes on with."""

    def kept(self) -> Any:
        """What it has in hand: frozen values, no words."""

    def resume(self, kept: Any) -> None:
        """Goes on with it."""


def _buttons() -> tuple[tuple[str, str, str], ...]:
    """The buttons of a dock's title: their names in Qt, and Qt's own words for them."""
    say = partial(QCoreApplication.translate, "QDockWidget")
    return (
        ("qt_dockwidget_floatbutton", say("Float"), say("Undocks and re-attaches the dock widget")),
        ("qt_dockwidget_closebutton", say("Close"), say("Closes the dock widget")),
    )


_SEEN: list[Dock] = []
"""Docks whose panels are to be made, in the order in which they were seen."""
_READER = ThreadPoolExecutor(1, "hitpoint panels")
_READ: dict[str, Future[ModuleType]] = {}


class Dock(QDockWidget):
    """A frame that builds its panel when it is first seen."""

    def __init__(self, place: Place, document: Document, transport: Transport, window: QMainWindow) -> None:
        super().__init__(place.title, window)
        self.setObjectName(place.name)
        self.place = place
        self.panel: QWidget | None = None
        self._parts, self._window = (document, transport), window
        hollow = QWidget(self)
        QVBoxLayout(hollow).setContentsMargins(0, 0, 0, 0)
        self.setWidget(hollow)
        self._spoken, self._seen = "", False
        self.action = QAction(window)
        """Its row in the menus: Qt's own would hide a dock that lies under another, where whoever asks for it wants to see it."""
        self.action.setCheckable(True)
        self.action.setShortcut(place.keys)
        self.action.triggered.connect(lambda checked=False: self.turn())
        self._kept: object = None
        self.visibilityChanged.connect(self._turned)
        self.speak()

    def event(self, event: QEvent | None) -> bool:
        if event is not None and is_own(event):  # a dock that floats is a window of its own
            event.accept()
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
        super().changeEvent(event)

    def speak(self) -> None:
        """Names itself in the language that the window speaks now; the panel is to be made anew."""
        self.place = next(place for place in places() if place.name == self.place.name)
        self.setWindowTitle(self.place.title)
        self.setAccessibleName(self.place.title)
        tip = tr("Show the dock {}; hide it where it is seen").format(self.place.title)
        for name, text, told in _buttons():  # Qt names them once
            button = self.findChild(QAbstractButton, name)
            if button is not None:
                button.setAccessibleName(text)
                button.setAccessibleDescription(told)
        self.action.setText(self.place.title)
        self.action.setStatusTip(tip)
        self.action.setToolTip(f"{tip} ({self.action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")

    @property
    def stale(self) -> bool:
        """Whether its panel speaks another language than the window."""
        return self.panel is not None and self._spoken != current()

    def renew(self) -> None:
        """Makes the panel anew in the window's language, with what it held; one that nobody sees waits until it is seen."""
        old, self.panel = self.panel, None
        if old is not None:
            self._kept = old.kept() if isinstance(old, Keeping) else None
            old.hide()
            inner = self.widget()
            if inner is not None and (layout := inner.layout()) is not None:
                layout.removeWidget(old)
            old.deleteLater()  # it keeps its parent: what has none belongs to Python, and is destroyed by whichever thread lets go last
        if self._seen:
            _build_soon(self)

    @property
    def covered(self) -> bool:
        """Whether it lies under another dock. To Qt it is visible all the same."""
        return not self.isHidden() and not self._seen

    def turn(self) -> None:
        """Shows it, also where it lies under another; hides it where it is seen."""
        if self._seen:
            self.hide()
        else:
            self.bring_up()
        self.action.setChecked(not self.isHidden())

    def _turned(self, seen: bool) -> None:
        self._seen = seen
        self.action.setChecked(not self.isHidden())
        if seen:
            _build_soon(self)
        elif (focus := QApplication.focusWidget()) is not None and self.isAncestorOf(focus):
            self._window.setFocus()  # keys are not for what nobody sees

    def build(self) -> QWidget:
        """The panel, made now where it was not yet."""
        if self.panel is None:
            self.make()
        self.fit()
        assert self.panel is not None
        return self.panel

    def make(self) -> None:
        """The first half of it: the panel, nowhere yet."""
        module, name = self.place.built_by.split(":")
        self.panel = getattr(import_module(module), name)(*self._parts)
        self._spoken = current()
        if self._kept is not None and isinstance(self.panel, Keeping):
            self.panel.resume(self._kept)
        self._kept = None

    @property
    def hollow(self) -> bool:
        """Whether nothing is in its place yet."""
        inner = self.widget()
        layout = None if inner is None else inner.layout()
        return layout is None or not layout.count()

    def fit(self) -> None:
        """The second: the panel in its place."""
        inner = self.widget()
        layout = None if inner is None else inner.layout()
        if self.panel is not None and layout is not None and not layout.count():
            layout.addWidget(self.panel)

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
    QTimer.singleShot(AHEAD_MS, read_ahead)
    return docks


def _build_soon(dock: Dock) -> None:
    """Has the panel of a dock that is seen made in short turns of the loop, one dock after another."""
    if dock not in _SEEN and dock.hollow:
        _SEEN.append(dock)
        if len(_SEEN) == 1:
            QTimer.singleShot(0, _build_on)


def _build_on() -> None:
    dock = _SEEN[0]
    gone, ready = isdeleted(dock), _fetched(dock.place)
    if not gone and ready and dock.panel is None:
        dock.make()
    elif not gone and ready:
        dock.fit()
    if gone or (ready and not dock.hollow):
        _SEEN.pop(0)
    if _SEEN:
        QTimer.singleShot(0 if ready else TURN_MS, _build_on)


def _fetched(place: Place) -> bool:
    """Whether the code of a panel is loaded; where it is not, a thread begins to: reading it takes longer than a turn may."""
    module = place.built_by.split(":")[0]
    if module not in _READ:
        _READ[module] = _READER.submit(import_module, module)
    return _READ[module].done()


def read_ahead() -> None:
    """Loads the code of all panels in a thread, so that the first look at one finds it there."""
    for place in places():
        _fetched(place)


def sweep(window: QMainWindow) -> None:
    """Hides rows of tabs that Qt made while docks were piled up or put back, and forgot: those that lie under no dock. To be called once
    the window is laid out."""
    tops = [dock for dock in window.findChildren(QDockWidget) if dock.isVisible() and not dock.isFloating()]
    for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        here = bar.geometry()
        if not any(abs(dock.x() - here.x()) <= NEAR and abs(dock.geometry().bottom() - here.y()) <= NEAR for dock in tops):
            bar.hide()
