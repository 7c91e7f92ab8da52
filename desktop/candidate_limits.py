"""What the solver may do, as a form; and which bars are locked."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.eliding import Elided
from desktop.language import words
from engines.session.model import Limits
from engines.spotting.solve import FASTEST, LOOSEST, SLOWEST, exact
from engines.spotting.tempo import Metre

if TYPE_CHECKING:
    from engines.scoring import Wishes

tr = words("candidates")

METRES = ("4/4", "3/4", "2/4", "5/4", "6/8", "7/8", "9/8", "12/8")


class LimitsForm(QWidget):
    """Tempo, bend, metre, and whether hits may lie on eighths."""

    changed = pyqtSignal()  # by the composer's hand

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low, self.high, self.bend = QDoubleSpinBox(self), QDoubleSpinBox(self), QDoubleSpinBox(self)
        for box, name, tip in (
            (self.low, tr("Slowest"), tr("The slowest nominal tempo, beats a minute")),
            (self.high, tr("Fastest"), tr("The fastest nominal tempo, beats a minute")),
        ):
            box.setRange(SLOWEST, FASTEST)
            box.setDecimals(2)
            self._named(box, name, tip)
        self.bend.setRange(0, LOOSEST)
        self.bend.setSingleStep(0.5)
        self.bend.setDecimals(1)
        self.bend.setSuffix(" %")
        self._named(self.bend, tr("Bend"), tr("How far the tempo of any beat may leave the nominal; 2 to 6 % is usual"))
        self.metre = QComboBox(self)
        self.metre.addItems(METRES)
        self._named(self.metre, tr("Metre"), tr("The metre of the cue; odd bars may stand between"))
        self.eighths = QCheckBox(tr("Eighths"), self)
        self._named(self.eighths, tr("Eighths"), tr("Hits may lie on eighths too, not only on beats"))
        self._lay_out()
        self._metres: tuple[Metre, ...] = (Metre(),)
        self._shown: Limits | None = None
        self.metre.activated.connect(lambda _: self._one_metre())
        for signal in (
            self.low.valueChanged,
            self.high.valueChanged,
            self.bend.valueChanged,
            self.eighths.toggled,
        ):
            signal.connect(lambda *_: self._touched())

    def _named(self, box: QWidget, name: str, tip: str) -> None:
        box.setAccessibleName(name)
        box.setAccessibleDescription(tip)
        box.setToolTip(tip)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GAP)
        grid.setVerticalSpacing(theme.GAP)
        dash = QLabel("–", self)
        rows = (
            (QLabel(tr("Tempo"), self), self.low, dash, self.high),
            (QLabel(tr("Bend"), self), self.bend, None, self.eighths),
            (QLabel(tr("Metre"), self), self.metre),
        )
        for row, parts in enumerate(rows):
            for column, part in enumerate(parts):
                if part is not None:
                    grid.addWidget(part, row, column)
        for column in (1, 3):
            grid.setColumnStretch(column, 1)

    def _one_metre(self) -> None:
        self._metres = (Metre.parse(self.metre.currentText()),)
        self._touched()

    def _touched(self) -> None:
        if self._shown is not None and self.limits != self._shown:
            self.changed.emit()

    def fill(self, limits: Limits) -> None:
        """Other limits, as they are."""
        if limits == self._shown:
            return
        self._shown = None
        for box, value in ((self.low, limits.tempo[0]), (self.high, limits.tempo[1]), (self.bend, limits.max_bend)):
            box.setValue(float(value))
        self._metres = limits.metres
        name = str(limits.metres[0])
        if self.metre.findText(name) < 0:
            self.metre.addItem(name)
        self.metre.setCurrentText(name)
        self.eighths.setChecked(limits.subdivision == 2)
        self._shown = self.limits

    def fill_wishes(self, wishes: Wishes) -> None:
        """The limits of a film that was spotted."""
        low, high = (exact(end) for end in wishes.tempo)
        self.fill(Limits((low, high), exact(wishes.max_bend), wishes.metres, wishes.subdivision))

    @property
    def limits(self) -> Limits:
        """What the form says; the two ends of the tempo in their order."""
        ends = sorted(Fraction(str(box.value())) for box in (self.low, self.high))
        bend = Fraction(str(round(self.bend.value(), 1)))
        return Limits((ends[0], ends[1]), bend, self._metres, 2 if self.eighths.isChecked() else 1)


class Locks(QWidget):
    """Bars to lock, and what is locked."""

    locked = pyqtSignal(int, int, bool)  # first and last bar from 1, and whether they are to be locked

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first, self.last = QSpinBox(self), QSpinBox(self)
        for box, name in ((self.first, tr("First bar")), (self.last, tr("Last bar"))):
            box.setAccessibleName(name)
            box.setToolTip(tr("Bars of the cue, from 1"))
        self.lock, self.free = QPushButton(tr("Lock"), self), QPushButton(tr("Unlock"), self)
        self.lock.setToolTip(
            tr("The beats of these bars stay where they are when the cue is spotted again (Ctrl+L: the bar under the playhead)")
        )
        self.free.setToolTip(tr("Spotting again may move the beats of these bars"))
        self.lock.clicked.connect(lambda: self._told(True))
        self.free.clicked.connect(lambda: self._told(False))
        self.said = Elided(self)
        self.said.setProperty("quiet", True)
        line = QHBoxLayout()
        line.setSpacing(theme.GAP)
        for part in (QLabel(tr("Bars"), self), self.first, QLabel("–", self), self.last, self.lock, self.free):
            line.addWidget(part, 1 if part in (self.first, self.last) else 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addLayout(line)
        column.addWidget(self.said)
        self.fill(0, ())

    def fill(self, bars: int, runs: Sequence[tuple[int, int]]) -> None:
        """A cue of so many bars; ``runs`` are locked (first from 0, and the one after the last)."""
        for box in (self.first, self.last):
            box.setRange(1, max(1, bars))
        for part in (self.first, self.last, self.lock, self.free):
            part.setEnabled(bars > 0)
        said = ", ".join(f"{first + 1}–{end}" if end - first > 1 else f"{end}" for first, end in runs)
        self.said.setText(tr("locked: {}").format(said) if said else tr("nothing locked") if bars else "")
        self.said.setToolTip(self.said.text())

    def _told(self, shut: bool) -> None:
        first, last = sorted((self.first.value(), self.last.value()))
        self.locked.emit(first, last, shut)
