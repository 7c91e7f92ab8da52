"""The DAW that goes along: while the window leads, it plays, stops and goes where the picture does."""

from __future__ import annotations

from PyQt6.QtCore import QObject

from desktop.document import Document
from desktop.transport import Transport


class Driven(QObject):
    """Between the window's transport and a DAW's. Only normal speed makes it roll: a shuttle stands it still."""

    def __init__(self, document: Document, transport: Transport, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._transport = document, transport
        transport.rolled.connect(lambda _: self._go())
        transport.located.connect(lambda _: self._go())

    @property
    def daw(self) -> str | None:
        """The one that goes along."""
        return self._document.studio.neighbours.drives

    def choose(self, daw: str | None) -> None:
        """Another one, or none, from now on; it goes to where the picture is."""
        self._document.studio.neighbours.drives = daw
        self._go()

    def _go(self) -> None:
        transport, neighbours = self._transport, self._document.studio.neighbours
        if self.daw is not None and not transport.follows:
            seconds, rolling = transport.seconds, transport.speed == 1
            self._document.hear(lambda: neighbours.along(seconds, rolling))
