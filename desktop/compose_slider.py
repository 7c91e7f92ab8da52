"""A slider that knows two values: what the picture suggests, in grey, and what the composer says, bright, once anything is said."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import QAbstractSlider, QWidget

from desktop.compose_told import Spread
from desktop.theme import ROW, current

SETTLED = 350
"""Milliseconds after the last key or turn of the wheel until a value is meant."""
INSET = 8

Key = Qt.Key


class ToldSlider(QAbstractSlider):
    """Steps from ``low`` to ``high``. `said` comes once for each change that is meant: when the mouse lets go, or the keys rest."""

    said = pyqtSignal(float)

    def __init__(self, low: float, high: float, step: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._step = low, step
        self.setRange(0, round((high - low) / step))
        self.setPageStep(max(1, self.maximum() // 8))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.spread: Spread | None = None
        self.told: float | None = None
        self.wider = False
        self.words: Callable[[float], str] = lambda value: f"{value:g}"
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLED)
        self._settle.timeout.connect(self._mean_it)
        self.touched = False
        """Whether it is being moved, and what it stands at is not meant yet."""

    @property
    def amount(self) -> float:
        """The value at the handle."""
        return round(self._low + self.value() * self._step, 6)

    def show_values(self, told: float | None, spread: Spread | None, wider: bool) -> None:
        """What the composer says (``wider``: of the cue, for a scene), and what the picture suggests. Not while it is moved."""
        self.told, self.spread, self.wider = told, spread, wider
        if not self.touched:
            place = told if told is not None else spread.mean if spread else self._low + self.maximum() * self._step / 2
            self.setValue(round((place - self._low) / self._step))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's names
        return QSize(140, ROW)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(80, ROW)

    def _x(self, value: float) -> float:
        share = (value - self._low) / (self.maximum() * self._step)
        return INSET + (self.width() - 2 * INSET) * min(1.0, max(0.0, share))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        theme, painter, middle = current(), QPainter(self), self.height() / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isEnabled()
        painter.fillRect(QRectF(INSET, middle - 1, self.width() - 2 * INSET, 2), theme.colour("line"))
        if self.spread is not None:
            left, right = self._x(self.spread.low), self._x(self.spread.high)
            painter.fillRect(QRectF(left - 1, middle - 3, right - left + 2, 6), theme.colour("line"))
            painter.fillRect(QRectF(self._x(self.spread.mean) - 1, middle - 6, 2, 12), theme.colour("dim" if on else "faint"))
        x, bright = self._x(self.amount), (self.told is not None or self.touched) and on
        painter.setPen(QPen(theme.colour("text" if bright and not self.wider else "dim" if on else "faint"), 1.5))
        painter.setBrush(theme.colour("accent" if bright and not self.wider else "dim" if bright else "panel"))
        painter.drawEllipse(QPointF(x, middle), 5.5, 5.5)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), 3, 3)
        painter.end()

    def _go(self, x: float) -> None:
        share = (x - INSET) / max(1, self.width() - 2 * INSET)
        self.touched = True
        self.setValue(round(min(1.0, max(0.0, share)) * self.maximum()))
        self.update()

    def _mean_it(self) -> None:
        self._settle.stop()
        if self.touched:
            self.touched = False
            self.said.emit(self.amount)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self._mean_it()

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802
        """Only where the keys are: a wheel that scrolls the panel must not turn what it passes."""
        if event is None or not self.hasFocus():
            if event is not None:
                event.ignore()
            return
        self._by(1 if event.angleDelta().y() > 0 else -1)

    def _by(self, steps: int) -> None:
        self.touched = True
        self.setValue(self.value() + steps)
        self.update()
        self._settle.start()

    def event(self, event: QEvent | None) -> bool:
        moves = (
            Key.Key_Left,
            Key.Key_Right,
            Key.Key_Up,
            Key.Key_Down,
            Key.Key_PageUp,
            Key.Key_PageDown,
            Key.Key_Home,
            Key.Key_End,
        )
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and Key(event.key()) in moves:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        assert event is not None
        steps = {
            Key.Key_Left: -1,
            Key.Key_Down: -1,
            Key.Key_Right: 1,
            Key.Key_Up: 1,
            Key.Key_PageDown: -self.pageStep(),
            Key.Key_PageUp: self.pageStep(),
            Key.Key_Home: -self.maximum(),
            Key.Key_End: self.maximum(),
        }.get(Key(event.key()))
        if steps is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        else:
            self._by(steps)
