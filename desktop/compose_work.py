"""The work in hand: what is being composed, how far it is and how long it still takes, and the button that stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop import language
from desktop.eliding import Elided
from desktop.language import words
from desktop.theme import GAP

if TYPE_CHECKING:
    from bridge.jobs import JobReading

tr = words("compose")
PARTS = 1000
"""Steps of the bar: finer than its pixels."""


def left_words(seconds: float | None) -> str:
    """Seconds that are left, as a person counts them; nothing where it is not known yet."""
    if seconds is None:
        return ""
    if seconds < 60:
        return tr("%n seconds left", max(1, round(seconds)))
    return tr("%n minutes left", round(seconds / 60))


class Work(QWidget):
    """One line and a bar. It keeps its place while nothing is done, so that nothing jumps under the mouse."""

    cancel_asked = pyqtSignal(int)  # the number of a job

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readings: dict[int, JobReading] = {}
        self.words = Elided(self)
        self.left = QLabel(self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setMaximum(PARTS)
        self.bar.setAccessibleName(tr("Progress"))
        self.stop = QPushButton(tr("Cancel"), self)
        self.stop.setToolTip(tr("Stop what is being composed; nothing half-done is left (Ctrl+.)"))
        self.stop.clicked.connect(self.cancel)
        line = QHBoxLayout()
        line.addWidget(self.words, 1)
        line.addWidget(self.left)
        low = QHBoxLayout()
        low.addWidget(self.bar, 1)
        low.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(line)
        column.addLayout(low)
        self._show()

    @property
    def current(self) -> JobReading | None:
        """The job that works, else the first that waits."""
        rows = sorted(self._readings.values(), key=lambda r: (r.state != "working", r.lane != "engine", r.number))
        return rows[0] if rows else None

    def show_job(self, reading: JobReading) -> None:
        """How a job stands."""
        if reading.ended:
            self._readings.pop(reading.number, None)
        else:
            self._readings[reading.number] = reading
        self._show()

    def cancel(self) -> None:
        """Asks for the job in hand to be stopped."""
        if self.current is not None:
            self.cancel_asked.emit(self.current.number)

    def _show(self) -> None:
        reading = self.current
        self.stop.setEnabled(reading is not None)
        self.bar.setEnabled(reading is not None)
        if reading is None:
            self.words.setText("")
            self.left.setText("")
            self.bar.setMaximum(PARTS)
            self.bar.setValue(0)
            return
        more = len(self._readings) - 1
        waiting = f"  {tr('and %n more', more)}" if more else ""
        self.words.setText(language.act(reading.sentence) + waiting)
        self.left.setText(left_words(reading.left) if reading.state == "working" else tr("waits"))
        known = reading.total > 0
        self.bar.setMaximum(PARTS if known or reading.state == "waiting" else 0)  # nothing known: it only shows that it works
        if known:
            self.bar.setValue(round(PARTS * min(1.0, reading.done / reading.total)))
        self.bar.setAccessibleDescription(reading.words)
