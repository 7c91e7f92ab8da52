"""Links as rows: what it is, how it does by shape and colour, what was seen, and under it what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from bridge.doctor import Finding
from desktop import theme
from desktop.language import said_elsewhere, words
from desktop.refusals import heard

tr = words("links")
NOWHERE = QModelIndex()
Role = Qt.ItemDataRole

COLOURS = {"well": "on", "odd": "near", "broken": "missed", "absent": "faint"}
PAD, NAME = 8, 128
"""Pixels around a row, and for the name of a link."""
SIGNS = ("; ", ", ", ": ")
"""What stands between parts that may be said one by one: systems, findings of one link, and who says what."""


def told(text: str) -> str:
    """What the doctor or the player said, in the language of the window; what is not known as a whole part by part."""
    whole = said_elsewhere(text, "doctor")
    if whole != text:
        return whole
    for sign in SIGNS:
        if sign in text and (parts := sign.join(map(told, text.split(sign)))) != text:
            return parts
    return heard(text)  # an error of the engines may be a finding, too


def state_words(state: str) -> str:
    """How a link does, in a word."""
    return {"well": tr("works"), "odd": tr("look at it"), "broken": tr("does not work"), "absent": tr("not there")}[state]


def link_words(found: Finding) -> str:
    """What a link is called; of a source of transport its own name."""
    return told(found.link.removeprefix("transport, "))


class Links(QAbstractListModel):
    """Findings, told apart by their link: a row that stays keeps its place and its selection."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.findings: tuple[Finding, ...] = ()

    def show(self, findings: Sequence[Finding]) -> None:
        """Other findings."""
        found = tuple(findings)
        if found == self.findings:
            return
        if [f.link for f in found] == [f.link for f in self.findings]:
            tall = [bool(f.cure) for f in found] != [bool(f.cure) for f in self.findings]
            self.findings = found
            self.dataChanged.emit(self.index(0), self.index(len(found) - 1))
            if tall:
                self.layoutChanged.emit()
            return
        self.beginResetModel()
        self.findings = found
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802  Qt's name
        return 0 if parent.isValid() else len(self.findings)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self.findings):
            return None
        found = self.findings[index.row()]
        if role in (Role.DisplayRole, Role.AccessibleTextRole):
            cure = f". {told(found.cure)}" if found.cure else ""
            return f"{link_words(found)}, {state_words(found.state)}: {told(found.said)}{cure}"
        if role == Role.ToolTipRole:
            return "\n".join(part for part in (told(found.said), told(found.cure)) if part)
        return None


class PaintedLink(QStyledItemDelegate):
    """How a row looks; as high as its words need at the width of the list."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802  Qt's name
        model = index.model()
        if not isinstance(model, Links):
            return QSize()
        found = model.findings[index.row()]
        view, wide = option.widget, float(option.rect.width())
        if isinstance(view, QAbstractItemView):
            bar = view.verticalScrollBar()  # room is left for it, there or not: rows are laid out before it comes
            wide = float(view.width() - 2 * view.frameWidth() - (0 if bar is None else bar.sizeHint().width()))
        said, cure = self._boxes(QRectF(0, 0, wide, 0), found, option.font)
        return QSize(120, round(max(cure.bottom(), said.bottom()) + PAD))

    def _boxes(self, box: QRectF, found: Finding, font: QFont) -> tuple[QRectF, QRectF]:
        """Where what was seen and what to do are written."""
        metrics = QFontMetricsF(font)
        left, wide = box.left() + 30 + NAME, max(80.0, box.width() - 30 - NAME - PAD)
        room = QRectF(left, box.top() + PAD, wide, 10_000)
        flags = Qt.TextFlag.TextWordWrap
        said = metrics.boundingRect(room, flags, told(found.said))
        said.setLeft(left)
        said.setWidth(wide)
        named = metrics.boundingRect(QRectF(box.left() + 30, box.top() + PAD, NAME - 8, 10_000), flags, link_words(found))
        said.setBottom(max(said.bottom(), named.bottom()) if not found.cure else said.bottom())
        below = QRectF(left, said.bottom() + 2, wide, 10_000)
        cure = metrics.boundingRect(below, flags, told(found.cure)) if found.cure else QRectF(left, said.bottom(), wide, 0)
        cure.setLeft(left)
        cure.setWidth(wide)
        return said, cure

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        model = index.model()
        if painter is None or not isinstance(model, Links):
            return
        found, look, box = model.findings[index.row()], theme.current(), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, look.colour("raised"))
            painter.fillRect(QRectF(box.left(), box.top(), 3, box.height()), look.colour("accent"))
        painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 1), look.colour("line"))
        line = QFontMetricsF(option.font).height()
        mark(painter, QPointF(box.left() + 17, box.top() + PAD + line / 2), found.state, look.colour(COLOURS[found.state]))
        bold = QFont(option.font)
        bold.setBold(found.state != "absent")
        painter.setFont(bold)
        painter.setPen(look.colour("dim" if found.state == "absent" else "text"))
        room = QRectF(box.left() + 30, box.top() + PAD, NAME - 8, box.height() - PAD)
        painter.drawText(room, int(Qt.TextFlag.TextWordWrap), link_words(found))
        said, cure = self._boxes(box, found, option.font)
        painter.setFont(option.font)
        painter.setPen(look.colour("dim" if found.state == "absent" else "text"))
        painter.drawText(said, int(Qt.TextFlag.TextWordWrap), told(found.said))
        if found.cure:
            painter.setPen(look.colour("dim" if found.state in ("absent", "well") else COLOURS[found.state]))
            painter.drawText(cure, int(Qt.TextFlag.TextWordWrap), told(found.cure))
        painter.restore()


def mark(painter: QPainter, at: QPointF, state: str, colour: QColor) -> None:
    """The state by its shape: a disc works, a triangle is to be looked at, a cross does not work, a ring is not there."""
    painter.setPen(QPen(colour, 1.8))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    r = 4.5
    if state == "well":
        painter.setBrush(colour)
        painter.drawEllipse(at, r - 0.5, r - 0.5)
    elif state == "odd":
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([at + QPointF(0, -r), at + QPointF(r, r - 1), at + QPointF(-r, r - 1)]))
    elif state == "broken":
        painter.drawLine(at + QPointF(-r + 1, -r + 1), at + QPointF(r - 1, r - 1))
        painter.drawLine(at + QPointF(-r + 1, r - 1), at + QPointF(r - 1, -r + 1))
    else:
        painter.drawEllipse(at, r - 1, r - 1)
