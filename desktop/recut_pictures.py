"""Pictures of the shots of two cuts: the film that is shown, and that of a new cut, each decoded in a thread of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from desktop.aside import Aside
from desktop.thumbnails import Thumbnails

if TYPE_CHECKING:
    from desktop.document import Document
    from engines.picture.reel import Reel
    from engines.session.model import Film


class Pictures(QObject):
    """Asked for frames of both films, it gives them as they come."""

    made = pyqtSignal(bool, int, QImage)  # whether of the new film, the frame, its picture

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._aside = Aside(self)
        self._films: list[Thumbnails | None] = [None, None]
        self._wanted: tuple[list[int], list[int]] = ([], [])
        parent.destroyed.connect(partial(_end, self._films))

    def want(self, film: Film | None, old: list[int], new: list[int]) -> None:
        """Frames of the film that is shown and of the new one, and of no other; without the new ``film`` there are none of it."""
        self._wanted = old, new
        for pictures, frames in zip(self._films, self._wanted, strict=True):
            if pictures is not None:
                pictures.want(frames)
        if self._films[0] is None and self._document.reel is not None:
            self._open(False, self._document.reel)
        if self._films[1] is None and film is not None:
            self._aside.ask("film", lambda: _reel(film.path), lambda reel: self._open(True, reel))

    def forget(self) -> None:
        """Lets go of both films. A frame may still be decoding: nobody waits for it."""
        self._wanted = [], []
        self._aside.forget("film")
        for k, pictures in enumerate(self._films):
            if pictures is not None:
                self._films[k] = None
                pictures.made.disconnect()
                pictures.close(wait=False)

    def _open(self, new: bool, reel: Reel) -> None:
        if self._films[new] is None:
            pictures = self._films[new] = Thumbnails(reel)
            pictures.made.connect(lambda frame, image: self.made.emit(new, frame, image))
            pictures.want(self._wanted[new])


def _reel(path: str) -> Reel:
    from engines.picture.reel import Reel

    return Reel.open(path)


def _end(films: list[Thumbnails | None], *_: object) -> None:
    for pictures in films:
        if pictures is not None:
            pictures.close()
