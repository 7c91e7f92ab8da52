"""Markers of the DAW, to choose from: which of them become hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from bridge.daw import END
from desktop import theme
from desktop.language import words

if TYPE_CHECKING:
    from bridge.marking import Marked
    from desktop.document import Document

tr = words("links")
ON = Qt.CheckState.Checked


class Markers(QDialog):
    """A row a marker, ticked where it can become a hit; what lies outside the film or on a hit is told so and cannot be ticked. A region
    has two rows, and its end is not ticked by itself."""

    def __init__(self, found: Marked, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found, self._document = found, document
        self.setWindowTitle(tr("Markers of the DAW"))
        self.rows = QListWidget(self)
        self.rows.setAccessibleName(tr("Markers; ticked ones become hits"))
        new = {mark.frame for mark in found.hits(ends=True)}
        start, frames = found.session.start, found.session.film.frames
        begun = {marker.frame for number, marker in enumerate(found.markers, 1) if number not in found.ends}
        for number, marker in enumerate(found.markers, 1):
            ends = number in found.ends
            inside = 0 < marker.frame < frames
            why = "" if inside and marker.frame in new else tr("is a hit") if inside else tr("outside the film")
            if not (ends and marker.frame in begun):
                new.discard(marker.frame)  # of two on one frame, one is enough
            place = str(start + marker.frame) if start.frame + marker.frame >= 0 else "-"
            name = tr("end of {}").format(marker.name.removesuffix(END).rstrip()) if ends else marker.name
            row = QListWidgetItem("   ".join(part for part in (place, name, f"({why})" if why else "") if part))
            row.setFlags(
                Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled if why else row.flags() | Qt.ItemFlag.ItemIsUserCheckable
            )
            if not why:
                row.setCheckState(Qt.CheckState.Unchecked if ends else ON)
            self.rows.addItem(row)
        self.weight = QDoubleSpinBox(self)
        self.weight.setRange(0, 1)
        self.weight.setSingleStep(0.1)
        self.weight.setValue(1)
        self.weight.setAccessibleName(tr("Weight of these hits"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.make = buttons.addButton(tr("Make hits"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        foot = QHBoxLayout()
        foot.addWidget(QLabel(tr("Weight"), self))
        foot.addWidget(self.weight)
        foot.addWidget(buttons, 1)
        column = QVBoxLayout(self)
        column.setSpacing(theme.GAP)
        if not found.markers:
            column.addWidget(QLabel(tr("The DAW's project has no markers."), self))
        column.addWidget(self.rows)
        column.addLayout(foot)
        self.rows.itemChanged.connect(lambda _: self._count())
        self._count()
        self.resize(460, 420)

    @property
    def chosen(self) -> list[int]:
        """The numbers of the ticked markers, from 1."""
        rows = ((number, self.rows.item(number - 1)) for number in range(1, self.rows.count() + 1))
        return [number for number, row in rows if row is not None and row.checkState() == ON]

    def accept(self) -> None:
        """Makes hits of the ticked ones, in one act that can be taken back."""
        chosen = self.chosen
        act = self.found.act(chosen, self.weight.value() if self.weight.value() < 1 else None) if chosen else None
        if act is not None:
            self._document.act(act)
        super().accept()

    def _count(self) -> None:
        if self.make is not None:
            self.make.setEnabled(bool(self.chosen))
