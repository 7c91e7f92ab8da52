"""A window that opens a film or a session, does an act on a session, tells so, and waits to be killed, for `test_left_open`: run as a
program."""

from __future__ import annotations

import sys
from pathlib import Path

from PyQt6.QtCore import QEventLoop, QSettings
from PyQt6.QtWidgets import QApplication

from desktop.app import application, window
from desktop.preferences import Preferences


def main(settings: Path, path: Path) -> None:
    preferences = Preferences(QSettings(str(settings), QSettings.Format.IniFormat))
    preferences.set("music", False)
    _ = application(preferences)
    shown = window(preferences)
    shown.show()
    document = shown.document
    shown.commands.take(path)
    while document.at_hand is None:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
    if document.now is not None:
        shown.commands.add_hit(77)
        while not document.now.history.done:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        document.studio.flush()
    print("open", flush=True)
    while True:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
