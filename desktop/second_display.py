"""The picture alone on a display, the second where there is one; back in the window when that is unplugged, and there again with it."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QScreen

from desktop.sheet import Sheet
from desktop.viewer import Viewer


class SecondDisplay(QObject):
    """One window's. `view` is the picture that is alone, None while there is none."""

    changed = pyqtSignal(bool)  # whether the picture is alone on a display
    lost = pyqtSignal()  # its display was unplugged
    found = pyqtSignal()  # a display is there again, and the picture on it

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view: Viewer | None = None
        self._viewer = viewer
        self._sheet: Sheet | None = None
        self._on: QScreen | None = None
        self._gone: QScreen | None = None
        self.missed = False
        """Whether the display on which the picture was alone has gone."""
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.screenRemoved.connect(self._removed)
            application.screenAdded.connect(self._added)

    @property
    def other(self) -> QScreen | None:
        """A display on which the window is not; None where there is no second one."""
        window = self._viewer.window()
        here = None if window is None else window.screen()
        return next((screen for screen in QGuiApplication.screens() if screen not in (here, self._gone)), None)

    def show(self) -> None:
        """Takes the picture to the second display; to the window's own where there is no other."""
        if self.view is not None:
            return
        window, other = self._viewer.window(), self.other
        self._on = other
        view = self.view = Viewer(self._viewer.transport)
        view.burn_in, view.streamers = self._viewer.burn_in, self._viewer.streamers
        view.left.connect(self.leave)
        view.settled.connect(lambda: self._viewer.beside(self.view))
        self.look_again()
        if self._sheet is not None:
            view.draw(self._sheet)
        screen = other or (None if window is None else window.screen())
        if screen is not None:
            view.setScreen(screen)
            view.setGeometry(screen.geometry())
        view.showFullScreen()
        self.missed = False
        self.changed.emit(True)

    def leave(self) -> None:
        """The picture in the window alone."""
        view, self.view, self._on = self.view, None, None
        self.missed = False
        if view is not None:
            self._viewer.beside(None)
            view.close_film()
            view.close()
            view.deleteLater()
        self.changed.emit(False)

    def look_again(self) -> None:
        """Another film is shown in the window: it is here, too."""
        if self.view is not None:
            self.view.share(self._viewer)

    def draw(self, sheet: Sheet | None) -> None:
        """Takes the hits that streamers run to."""
        self._sheet = sheet
        if self.view is not None:
            self.view.draw(sheet)

    def _removed(self, screen: QScreen) -> None:
        if self.view is not None and screen == self._on:
            self._gone = screen  # Qt still lists it at this moment
            self.leave()
            self._gone = None
            self.missed = True
            self.lost.emit()

    def _added(self, screen: QScreen) -> None:
        if self.missed:
            self.show()
            self.found.emit()
