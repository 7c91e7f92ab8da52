"""Objects of Qt whose own threads still run: held here until those have ended, so that they are destroyed in the window's thread. The last
to let go of one would otherwise be its thread, and Qt forbids that."""

from __future__ import annotations

from threading import Thread

from PyQt6.QtCore import QObject

_HELD: list[tuple[Thread, QObject]] = []


def outlive(thread: Thread, thing: QObject) -> None:
    """Holds a thing until its thread has ended. To be called in the window's thread, as `forget_ended` is."""
    if thread.is_alive():
        forget_ended()
        _HELD.append((thread, thing))


def forget_ended() -> None:
    """Lets go of those whose threads have ended."""
    _HELD[:] = [(thread, thing) for thread, thing in _HELD if thread.is_alive()]
