"""Colours that are written into a text: told again when the window changes between light and dark; and labels that take theirs from
the look."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtWidgets import QWidget

from desktop.theme import current

LOOKS = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


class Worn(QObject):
    """Calls whenever a widget wears another look than before."""

    def __init__(self, widget: QWidget, call: Callable[[], object]) -> None:
        super().__init__(widget)
        self._call, self._look = call, current()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  Qt's name
        if event is not None and event.type() in LOOKS and current() is not self._look:
            self._look = current()
            self._call()
        return False


def rank(widget: QWidget, name: str) -> None:
    """Lets the look colour a widget as one of a rank: ``dim``, ``faint``, ``missed``, ``rule``, or none (``""``)."""
    mark(widget, "rank", name)


def mark(widget: QWidget, name: str, value: object) -> None:
    """Sets a property that the look goes by."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        if (style := widget.style()) is not None:  # a style follows a property only when it is asked to look again
            style.unpolish(widget)
            style.polish(widget)
