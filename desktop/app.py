"""The program with a window: one application, its language and look, one document, and whatever goes wrong told in one line."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import cast

from PyQt6.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication

from bridge.events import LOG
from bridge.jobs import fault
from desktop import theme
from desktop.document import Document
from desktop.language import speak, spoken, words
from desktop.preferences import Preferences
from desktop.window import Window
from engines import __version__
from engines.errors import HitpointError

tr = words("app")
LOG_SIZE = 2**20
"""Bytes of the log before the older half is put aside."""


def application(preferences: Preferences) -> QApplication:
    """The one application of the process, in the person's language and look."""
    running = QApplication.instance()
    made = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    made.setApplicationName("Hitpoint")
    made.setOrganizationName("Hitpoint")
    made.setApplicationVersion(__version__)
    speak(made, spoken(preferences.text("language", "system")))
    choice = cast(theme.Choice, preferences.text("theme", "system"))
    theme.wear(made, choice)
    hints = made.styleHints()
    if hints is not None and running is None:
        hints.colorSchemeChanged.connect(lambda scheme: theme.wear(made, cast(theme.Choice, preferences.text("theme", "system"))))
    return made


class Faults(QObject):
    """Whatever nobody caught, in any thread: written to the log with its traceback, and told as one line."""

    told = pyqtSignal(object)  # HitpointError

    def __init__(self, log: Path) -> None:
        super().__init__()
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            handler: logging.Handler = RotatingFileHandler(log, maxBytes=LOG_SIZE, backupCount=1, encoding="utf-8")
        except OSError:  # a home that cannot be written to: the window works without a log
            handler = logging.NullHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(levelname)s %(message)s"))
        LOG.addHandler(handler)
        self._handler = handler
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = self.catch
        threading.excepthook = lambda given: self.catch(given.exc_type, given.exc_value, given.exc_traceback)

    def catch(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        """Takes an error that nobody caught."""
        if error is None or issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        if isinstance(error, HitpointError):
            self.told.emit(error)
            return
        LOG.error("a fault of ours", exc_info=(kind, error, trace))
        self.told.emit(fault(error) if isinstance(error, Exception) else HitpointError(str(error)))

    def release(self) -> None:
        """Gives the hooks back."""
        sys.excepthook, threading.excepthook = self._hooks
        LOG.removeHandler(self._handler)
        self._handler.close()


def window(preferences: Preferences, document: Document | None = None) -> Window:
    """The window, with what a killed program left offered in it."""
    made = Window(document or Document(), preferences)
    left = preferences.left_open.offer()
    if left is not None:
        _offer(made, left)
    return made


def _offer(shown: Window, left: Path) -> None:
    document = shown.document
    shown.message.say(
        lambda: tr("Hitpoint was ended while {} was open. It is as you left it.").format(left.name),
        lambda: tr("Open it"),
        lambda: document.open(left),
        holds=lambda: document.at_hand is None or document.at_hand.resolve() != left,
    )


def first(shown: Window, preferences: Preferences) -> None:
    """The very first start opens a film of our own, one click away from its score; never again after that."""
    if preferences.flag("started", False) or preferences.recent:
        return
    preferences.set("started", True)
    shown.commands.opening.demo()
    shown.message.say(
        lambda: tr("This short film is ours, to try everything on: score it with one click, or open your own (Ctrl+O)."),
        holds=lambda: shown.document.now is None,
    )


def run(paths: list[Path], after: Callable[[Window], object] | None = None) -> int:
    """Opens the window, and what was named; the exit code of the program."""
    preferences = Preferences()
    made = application(preferences)
    faults = Faults(preferences.log)
    shown = window(preferences)
    faults.told.connect(shown.refuse)
    shown.show()
    shown.commands.take(*paths)
    if not paths:
        first(shown, preferences)
    ticks = QTimer()  # lets Python hear Ctrl-C while Qt waits
    ticks.timeout.connect(lambda: None)
    ticks.start(250)
    if after is not None:
        after(shown)
    code = made.exec()
    faults.release()
    return code
