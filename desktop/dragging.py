"""Music out of the window as files, and files into it: a drag that any program takes, the clipboard, and what was dropped."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from PyQt6.QtCore import QEvent, QMimeData, QObject, QPoint, QRect, Qt, QUrl, pyqtSignal
from PyQt6.QtGui import QDrag, QDragEnterEvent, QDropEvent, QPainter, QPixmap
from PyQt6.QtWidgets import QApplication, QLabel, QWidget

from desktop.aside import Aside
from desktop.kinds import kind
from desktop.language import words
from desktop.takes_midi import Piece, piece_name, piece_score
from desktop.theme import current
from engines import files
from engines.score.smf import smf_bytes
from engines.session.model import Session

tr = words("dragging")
MIDI = "audio/midi"
COPIED = "x-special/gnome-copied-files"
"""What file managers of Linux read from the clipboard."""


@cache
def shelf() -> Path:
    """The folder of what was dragged out: it stays until the program ends, because some programs read a dropped file only later."""
    folder = Path(tempfile.mkdtemp(prefix="hitpoint-"))
    atexit.register(partial(shutil.rmtree, folder, ignore_errors=True))
    return folder


def put_out(session: Session, piece: Piece) -> Path:
    """Writes a piece as a MIDI file onto the shelf. The same notes are the same file; other notes never take the place of a file that
    another program may still be reading. Raises OptionError where there are no notes, OutputError."""
    content = smf_bytes(piece_score(session, piece))
    path = shelf() / hashlib.sha256(content).hexdigest()[:12] / f"{piece_name(session, piece)}.mid"
    if not path.exists():
        files.folder(path.parent)
        files.write(path, content)
    return path


def mime_of(path: Path) -> QMimeData:
    """A MIDI file as other programs take it: its place, as a file manager gives it, and its bytes for those that read no files."""
    url = QUrl.fromLocalFile(str(path))
    mime = QMimeData()
    mime.setUrls([url])
    mime.setData(MIDI, path.read_bytes())
    mime.setData(COPIED, b"copy\n" + url.toEncoded().data())
    return mime


class Giver(QObject):
    """Hands pieces of a session to other programs. The file is written beside the window from the moment the mouse goes down, so that it
    lies there when the drag begins."""

    said = pyqtSignal(str)  # what lies on the clipboard now
    refused = pyqtSignal(object)  # HitpointError
    dropped = pyqtSignal(str)  # the name of a file that another program took

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._aside = Aside(self)
        self._aside.refused.connect(self.refused)
        self._ready: tuple[Piece, Path] | None = None
        self._waits: tuple[Piece, QWidget] | None = None
        self.run: Callable[[QDrag], Qt.DropAction] = lambda drag: drag.exec(Qt.DropAction.CopyAction)
        """Begins a drag and waits for the drop."""

    def lift(self, session: Session, piece: Piece) -> None:
        """The mouse went down on a piece: its file is written."""
        self._ready = self._waits = None
        self._aside.ask("lift", partial(put_out, session, piece), partial(self._written, piece))

    def drag(self, piece: Piece, source: QWidget) -> None:
        """The mouse goes off with it: the drag begins now, or as soon as its file lies there."""
        self._waits = piece, source
        if self._ready is not None and self._ready[0] == piece:
            self._begin(self._ready[1])

    def copy(self, session: Session, piece: Piece) -> None:
        """Puts a piece on the clipboard as a file."""
        self._aside.ask("copy", partial(put_out, session, piece), self._copied)

    def _written(self, piece: Piece, path: Path) -> None:
        self._ready = piece, path
        if self._waits is not None and self._waits[0] == piece and QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            self._begin(path)

    def _begin(self, path: Path) -> None:
        assert self._waits is not None
        source = self._waits[1]
        self._waits = None
        drag = QDrag(source)
        drag.setMimeData(mime_of(path))
        drag.setPixmap(_label(path.stem, source))
        drag.setHotSpot(QPoint(-12, 8))
        if self.run(drag) != Qt.DropAction.IgnoreAction:
            self.dropped.emit(path.name)

    def _copied(self, path: Path) -> None:
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setMimeData(mime_of(path))
        self.said.emit(tr("{} is on the clipboard").format(path.name))


def _label(text: str, source: QWidget) -> QPixmap:
    """What hangs on the pointer: the name of the file."""
    theme, wide = current(), source.fontMetrics().horizontalAdvance(text) + 20
    ratio = source.devicePixelRatioF()
    pixmap = QPixmap(round(wide * ratio), round(24 * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(theme.colour("raised"))
    painter = QPainter(pixmap)
    painter.setFont(source.font())
    painter.setPen(theme.colour("line"))
    painter.drawRect(0, 0, wide - 1, 23)
    painter.fillRect(QRect(0, 0, 3, 24), theme.colour("accent"))
    painter.setPen(theme.colour("text"))
    painter.drawText(QRect(12, 0, wide - 16, 24), Qt.AlignmentFlag.AlignVCenter, text)
    painter.end()
    return pixmap


def taken(mime: QMimeData | None) -> list[tuple[str, Path]]:
    """The files of a drop that we know, each with what it is (`desktop.kinds.kind`); what came off our own shelf is not among them."""
    urls = mime.urls() if mime is not None and mime.hasUrls() else []
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return [(kind(path), path) for path in paths if kind(path) and shelf() not in path.parents]


class Catcher(QObject):
    """Takes what is dropped anywhere on a widget, and says before the drop what will become of it."""

    dropped = pyqtSignal(object)  # the files of one drop, a list: of each its kind and its Path

    def __init__(self, target: QWidget) -> None:
        super().__init__(target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)
        self._target = target
        self.veil = QLabel(target)
        self.veil.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.veil.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.veil.hide()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  Qt's name
        if isinstance(event, QDragEnterEvent) and (known := taken(event.mimeData())):
            event.acceptProposedAction()
            self._say(known)
            return True
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self.veil.hide()
            known = taken(event.mimeData())
            if known:
                event.acceptProposedAction()
                self.dropped.emit(known)
            return bool(known)
        if event is not None and event.type() == QEvent.Type.DragLeave:
            self.veil.hide()
        return super().eventFilter(watched, event)

    def _say(self, known: list[tuple[str, Path]]) -> None:
        said = {
            "film": tr("Open this film"),
            "session": tr("Open this session"),
            "cuts": tr("Take this cut list"),
            "midi": tr("Hold this MIDI file against the hits"),
        }
        theme = current()
        self.veil.setStyleSheet(
            f"background: {theme.colour('shade', 215).name(theme.colour('shade').NameFormat.HexArgb)};"
            f"color: {theme.text}; border: 2px solid {theme.accent}; font-size: 15pt;"
        )
        self.veil.setText("\n".join(f"{said[what]}: {path.name}" for what, path in known))
        self.veil.setGeometry(self._target.rect())
        self.veil.raise_()
        self.veil.show()
