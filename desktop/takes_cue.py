"""The cue as a whole: handles by which it, or one of its stems, is dragged out, and its hits, the missed ones always in sight."""

from __future__ import annotations

from time import perf_counter

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from desktop.language import words
from desktop.takes_marks import draw_verdict, stem_colour
from desktop.takes_midi import Piece
from desktop.takes_verdict import Light, Verdict, verdicts_of
from desktop.theme import GAP, ROW, current
from desktop.worn import Worn
from engines.score.notes import STEMS
from engines.session.model import SceneTake, Session, Span

tr = words("takes")
WORST: tuple[Light, ...] = ("missed", "near", "on", "none")
"""What a cue is called by: the worst of its scenes."""
WORTH = 0.008
"""Seconds that one turn of the window's loop may count for."""
MARK, LAMP, LEAST = 26, 40, 150
"""Pixels of a handle without its name, of the lamp with what lies around it, and of the hits in figures."""
PEEK = 200
"""Notes of a take that are looked at for the stems it has: all stems begin long before."""


class Handle(QToolButton):
    """Something that the mouse drags out. It is a button as well: Enter, Space or Ctrl+C copy what it stands for."""

    lifted = pyqtSignal(str)
    dragged = pyqtSignal(str)
    copied = pyqtSignal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self._pressed: QPointF | None = None
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's names
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 34, ROW)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(MARK, ROW)  # its name gives way, and the mark of what can be taken hold of stays

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        theme, painter = current(), QPainter(self)
        lit = self.underMouse() and self.isEnabled()
        painter.fillRect(self.rect(), theme.colour("raised" if lit else "panel"))
        self.draw_mark(painter, QRectF(8, self.height() / 2 - 5, 10, 10))
        painter.setPen(theme.colour("text" if self.isEnabled() else "faint"))
        room = self.rect().adjusted(24, 0, -4, 0)
        said = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, max(0, room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, said)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(theme.colour("accent" if self.hasFocus() else "line"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def draw_mark(self, painter: QPainter, rect: QRectF) -> None:
        """Six dots: this can be taken hold of. A stem has them in its colour."""
        colour = stem_colour(self.name) if self.name in STEMS else current().colour("dim")
        for k in range(6):
            painter.fillRect(QRectF(rect.x() + 2 + 4 * (k % 2), rect.y() + 4 * (k // 2), 2, 2), colour)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        super().mousePressEvent(event)
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()
            self.lifted.emit(self.name)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        super().mouseMoveEvent(event)
        far = QApplication.startDragDistance()
        if event is not None and self._pressed is not None and (event.position() - self._pressed).manhattanLength() >= far:
            self._pressed = None
            self.setDown(False)  # a drag is no click
            self.dragged.emit(self.name)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self._pressed = None
        super().mouseReleaseEvent(event)

    def event(self, event: QEvent | None) -> bool:
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and Qt.Key(event.key()) in keys:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        assert event is not None
        copy = event.modifiers() == Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_C
        if copy or event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.copied.emit(self.name)
        else:
            super().keyPressEvent(event)


class Lamp(QWidget):
    """The worst hit of the cue as its shape."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.light: Light = "none"
        self.setFixedSize(16, ROW)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        painter = QPainter(self)
        draw_verdict(painter, QPointF(8, ROW / 2), 5, self.light)
        painter.end()


class CueBar(QWidget):
    """One row over the grid."""

    lifted = pyqtSignal(object)  # as in `desktop.takes_grid.TakesGrid`
    dragged = pyqtSignal(object)
    copied = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.handles = {name: Handle(name, self) for name in ("", *STEMS)}
        self.light, self.told = Lamp(self), QLabel(self)
        self._session: Session | None = None
        self._left: list[tuple[Span, SceneTake | None]] = []
        self._verdicts: list[Verdict] = []
        self._strange = 0
        self._turns = QTimer(self)
        self._turns.setSingleShot(True)
        self._turns.setInterval(1)
        self._turns.timeout.connect(self._count)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, 2, 2 * GAP, 2)
        row.setSpacing(GAP)
        for name, handle in self.handles.items():
            row.addWidget(handle)
            handle.lifted.connect(lambda stem: self.lifted.emit(_piece(stem)))
            handle.dragged.connect(lambda stem: self.dragged.emit(_piece(stem)))
            handle.copied.connect(lambda stem: self.copied.emit(_piece(stem)))
            handle.clicked.connect(lambda _, stem=name: self.copied.emit(_piece(stem)))
            what = tr("the cue") if not name else tr("the {} of the cue").format(tr(name))
            handle.setToolTip(tr("Drag {} out as a MIDI file; a click or Enter copies it").format(what))
            handle.setAccessibleName(tr("{} as a MIDI file").format(what))
            handle.setText(tr(name).capitalize())
        Worn(self, self._tell)
        row.addStretch(1)
        row.addWidget(self.light)
        row.addWidget(self.told)

    def show_session(self, session: Session | None) -> None:
        """The hits of all scenes, silent ones among them, and which stems have notes at all; a long cue is counted through in turns."""
        self._session, self._left, self._verdicts, self._strange = session, [], [], 0
        if session is None:
            return
        heard = [(span, verdicts_of(session).heard(span)) for span in session.spans]
        self._left = heard if any(take is not None for _, take in heard) else []
        there = {row.note.stem for _, take in self._left if take is not None for row in take.notes[:PEEK]}
        for name, handle in self.handles.items():
            handle.setEnabled(name in there if name else bool(there))
        self.handles[""].setText(session.cue)
        self._count()

    def _count(self) -> None:
        if self._session is None:
            return
        known, until = verdicts_of(self._session), perf_counter() + WORTH
        while self._left and perf_counter() < until:
            span, take = self._left.pop(0)
            verdict = known.of(span, take)
            if verdict.lines is None:  # what was made for other bars catches nothing
                self._strange, verdict = self._strange + 1, known.of(span, None)
            _ = verdict.said  # now, and not of all of them in the last turn
            self._verdicts.append(verdict)
        if self._left:
            self._turns.start()
            return
        self._tell()

    def _tell(self) -> None:
        self.light.light = next(light for light in WORST if light == "none" or any(v.light == light for v in self._verdicts))
        self.light.update()
        for brief in (False, True):  # the sentence where there is room for it, else its figures
            self.told.setText(self._words(self._verdicts, brief))
            if self.told.sizeHint().width() <= self.width() - len(self.handles) * (MARK + GAP) - LAMP:
                break
        self.told.setToolTip(self._words(self._verdicts, False))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        super().resizeEvent(event)
        if not self._left:
            self._tell()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(len(self.handles) * (MARK + GAP) + LAMP + LEAST, ROW + 4)

    def _words(self, verdicts: list[Verdict], brief: bool) -> str:
        theme = current()
        total, on = sum(v.total for v in verdicts), sum(v.count("on") for v in verdicts)
        said = f"{on} / {total}" if brief else tr("{} of {} hits within a frame").format(on, total)
        parts = [said] if total else []
        for name, text in (("near", tr("%n near", sum(v.count("near") for v in verdicts))), ("missed", _missed(verdicts))):
            if any(v.count(name) for v in verdicts):
                parts.append(f"<span style='color:{getattr(theme, name)}'>{text}</span>")
        if self._strange:
            parts.append(f"<span style='color:{theme.near}'>{tr('%n takes for other bars', self._strange)}</span>")
        return ",&nbsp; ".join(parts)


def _missed(verdicts: list[Verdict]) -> str:
    return tr("%n missed", sum(v.count("missed") for v in verdicts))


def _piece(stem: str) -> Piece:
    return Piece(stem=stem or None)
