"""How the cells of the grid are drawn, and where in them a click does something."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QPainter, QPen, QPixmap
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.allowance import Allowance
from desktop.language import words
from desktop.roll_notes import Floats, Shape, bar_lines
from desktop.takes_keep import bars_of, shut
from desktop.takes_marks import draw_again, draw_arrow, draw_lock, draw_mood, draw_stars, draw_verdict, stem_colour
from desktop.takes_table import HITS, SCENE, TAKE, TakesTable, error_words, name_of
from desktop.takes_verdict import Verdict
from desktop.theme import current, figures
from engines.score.notes import STEMS
from engines.session.keep import held
from engines.session.model import SceneTake, Span

HEIGHT = 64
MARK = 18
NARROW = 150
"""Pixels below which a scene's words take all of its cell."""
EDGE = 6
WORTH = 0.012
"""Seconds that one picture may take for what was never drawn before."""
LEAST, MOST = 48, 84
"""MIDI pitches that a thumbnail shows at least, so that a single line of notes is not blown up to its full height."""

Left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
Right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def zones(column: int, rect: QRect) -> dict[str, QRect]:
    """Where a cell can be clicked, by what it does: ``keep``, ``refill``, ``back``, ``on``, ``rate``, ``swap``."""
    if column == HITS:
        return {}
    if column == TAKE:
        third = (rect.height() - 8) // 3
        top = QRect(rect.x() + EDGE, rect.y() + 4, rect.width() - 2 * EDGE, third)
        low = QRect(top.x(), rect.bottom() - 3 - third, top.width(), third)
        return {
            "back": QRect(top.x(), top.y(), MARK, third),
            "on": QRect(top.right() - MARK + 1, top.y(), MARK, third),
            "rate": QRect(low.x(), low.y(), min(70, low.width() - 36), third),
            "swap": QRect(low.right() - 33, low.y(), 34, third),
        }
    at = QPoint(rect.right() - MARK - 3, rect.y() + 4)
    size = QSize(MARK, MARK)
    return {"keep": QRect(at, size), "refill": QRect(at + QPoint(0, MARK + 2), size)}


tr = words("takes")


class TakesCells(QStyledItemDelegate):
    """Draws the grid; the view tells it which row is ``hovered`` and with which take each scene's chosen one is compared."""

    def __init__(self, table: TakesTable) -> None:
        super().__init__(table)
        self.table = table
        self.hovered: tuple[int, int] = (-1, -1)
        self.allowance = Allowance(WORTH)
        self._drawn: dict[
            tuple[int, str], tuple[object, QPixmap, SceneTake | None]
        ] = {}  # the take is held: its id stays its own
        self.rivals: dict[str, int] = {}
        """By the id of a scene the number of the take that X goes back to."""

    def begin(self) -> None:
        """A picture of the grid begins."""
        self.allowance = Allowance(WORTH)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802  Qt's name
        return QSize(100, HEIGHT)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        span = self.table.scene_at(index.row())
        if span is None or painter is None:
            return
        theme, rect, column = current(), option.rect, index.column()
        painter.save()
        focused = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(rect, theme.colour("raised" if focused else "panel"))
        if column == SCENE:
            self._scene(painter, rect, span)
        elif column == TAKE:
            self._take(painter, rect, span)
        elif column == HITS:
            self._hits(painter, rect, span)
        else:
            self._stem(painter, rect, span, STEMS[column - 1])
        painter.setPen(theme.colour("shade"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomRight())
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def _scene(self, painter: QPainter, rect: QRect, span: Span) -> None:
        theme, facts = current(), self.table.facts(span)
        draw_mood(painter, QRectF(rect.x() + EDGE, rect.y() + 8, 14, 14), facts.mood)
        narrow = rect.width() < NARROW
        x, wide, line = rect.x() + 28, rect.width() - 28 - MARK - EDGE, (rect.height() - 10) // 3
        painter.setPen(theme.colour("text"))
        painter.setFont(_bold(painter.font()))
        number = str(span.number)
        painter.drawText(QRect(x, rect.y() + 5, wide, line), Left, number)
        at = painter.fontMetrics().horizontalAdvance(number) + 8
        name = painter.fontMetrics().elidedText(span.scene.name, Qt.TextElideMode.ElideRight, wide - at)
        painter.drawText(QRect(x + at, rect.y() + 5, wide - at, line), Left, name)
        painter.setFont(_small(painter.font()))
        painter.setPen(theme.colour("dim"))
        first, last = bars_of(span)
        if narrow:  # the lower lines begin under the mood, and the marks lie over them
            x, wide = rect.x() + EDGE, rect.width() - EDGE - MARK
        words = tr("bars {}–{}").format(first, last) + f"   {facts.metres}   {facts.bpm:.4g}"
        painter.drawText(QRect(x, rect.y() + 5 + line, wide, line), Left, _elided(painter, words, wide))
        painter.setFont(figures(8))
        times = _elided(painter, "  ".join(facts.timecodes), wide + MARK)
        painter.drawText(QRect(x, rect.y() + 5 + 2 * line, wide + MARK, line), Left, times)
        self._marks(painter, rect, span, SCENE, shut(span))

    def _stem(self, painter: QPainter, rect: QRect, span: Span, stem: str) -> None:
        take, closed = self.table.take(span), shut(span, stem)
        key = id(take), span.scene.keep, stem, rect.size().width(), rect.height(), current().name, painter.font().key()
        place = span.number, stem
        if place not in self._drawn or self._drawn[place][0] != key:
            made = self.allowance.spend(lambda: self._thumbnail(painter, rect, span, stem))
            if made is not None:
                self._drawn[place] = key, made, take
        if place in self._drawn and self._drawn[place][0] == key:
            painter.drawPixmap(rect.topLeft(), self._drawn[place][1])
        self._marks(painter, rect, span, 1 + STEMS.index(stem), closed)

    def _thumbnail(self, onto: QPainter, cell: QRect, span: Span, stem: str) -> QPixmap:
        theme, take, device = current(), self.table.take(span), onto.device()
        ratio = 1.0 if device is None else device.devicePixelRatioF()
        pixmap = QPixmap(round(cell.width() * ratio), round(cell.height() * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setFont(onto.font())
        inner = QRect(QPoint(4, 4), cell.size() - QSize(9, 9))
        painter.fillRect(inner, theme.colour("ground"))
        beside = MARK if inner.width() > 3 * MARK else 0  # a lock lies over the notes where there is no room beside them
        room = QRectF(inner.adjusted(3, 3, -beside - 3, -3))
        for low, high in self._held(span, stem):
            lines = self._lines(span, take)
            left, right = (room.x() + room.width() * line for line in (lines[low], lines[high]))
            _hatch(painter, QRectF(left, inner.y(), right - left, inner.height()))
        if take is not None:
            self._notes(painter, room, take, stem)
        painter.end()
        return pixmap

    def _held(self, span: Span, stem: str) -> list[tuple[int, int]]:
        """Runs of bars of a stem that are kept, by their places in the scene (the last one excluded)."""
        first, last = bars_of(span)
        words = [w for w in held(span) if w.beat is None and w.stem in (None, stem)]
        runs = [w.bars or (first, last) for w in words]
        return [(low - first, high - first + 1) for low, high in runs]

    def _lines(self, span: Span, take: SceneTake | None) -> Floats:
        """The bar lines of a scene as shares of its length in time."""
        assert self.table.session is not None
        return bar_lines(self.table.session.part(span)) if take is None else self.table.shapes.of(take).lines

    def _notes(self, painter: QPainter, room: QRectF, take: SceneTake, stem: str) -> None:
        shape = self.table.shapes.of(take)
        mine = np.flatnonzero(shape.stem == shape.stems.index(stem)) if stem in shape.stems else np.array([], np.int64)
        if not len(mine):
            painter.setPen(current().colour("faint"))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, "–")
            return
        low, high = _pitches(shape)
        starts, ends = (room.x() + share[mine] * room.width() for share in (shape.share, shape.until))
        thick = max(1.5, min(4.0, room.height() / (high - low + 1)))
        ys = room.bottom() - (shape.pitch[mine] - low + 0.5) * room.height() / (high - low + 1) - thick / 2
        painter.setPen(Qt.PenStyle.NoPen)
        for begin, alpha in ((1, 130), (56, 190), (88, 255)):  # velocities: soft, medium, loud
            loud = (shape.velocity[mine] >= begin) & (shape.velocity[mine] < {1: 56, 56: 88, 88: 128}[begin])
            painter.setBrush(stem_colour(stem, alpha))
            for x, end, y in zip(starts[loud], ends[loud], ys[loud], strict=True):
                painter.drawRect(QRectF(x, y, max(1.5, min(end, room.right()) - x - 0.5), thick))

    def _marks(self, painter: QPainter, rect: QRect, span: Span, column: int, closed: bool) -> None:
        theme, spots = current(), zones(column, rect)
        near = self.hovered == (span.number - 1, column)
        if closed or near:
            draw_lock(painter, QRectF(spots["keep"]), closed, theme.colour("accent" if closed else "dim"))
        if near and not closed:
            draw_again(painter, QRectF(spots["refill"]), theme.colour("dim"))

    def _take(self, painter: QPainter, rect: QRect, span: Span) -> None:
        theme, session, take, spots = current(), self.table.session, self.table.take(span), zones(TAKE, rect)
        assert session is not None
        takes = list(session.takes_of(span.scene).values())
        place = takes.index(take) if take in takes else -1
        draw_arrow(painter, QRectF(spots["back"]), -1, theme.colour("text" if place > 0 else "faint"))
        draw_arrow(painter, QRectF(spots["on"]), 1, theme.colour("text" if place < len(takes) - 1 else "faint"))
        middle = QRect(spots["back"].right(), spots["back"].y(), spots["on"].x() - spots["back"].right(), spots["back"].height())
        painter.setPen(theme.colour("text" if take else "faint"))
        painter.setFont(_bold(painter.font()))
        painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, f"{take.number} / {len(takes)}" if take else f"– / {len(takes)}")
        painter.setFont(_small(painter.font()))
        under = QRect(rect.x() + EDGE, middle.bottom(), rect.width() - 2 * EDGE, middle.height())
        if span.number in self.table.composing:
            self._progress(painter, under, self.table.composing[span.number])
        elif take is not None:
            seed = "" if take.seed is None else tr("seed {}").format(take.seed)
            words = name_of(take) or f"{take.facts.get('engine', '')}  {seed}"
            painter.setPen(theme.colour("dim"))
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, _elided(painter, words, under.width()))
        if take is not None:
            draw_stars(painter, QRectF(spots["rate"]), take.rating)
        rival = self.rivals.get(span.scene.id)
        if rival is not None:
            painter.setPen(theme.colour("dim"))
            painter.drawText(spots["swap"], Right, tr("X {}").format(rival))

    def _progress(self, painter: QPainter, rect: QRect, share: float) -> None:
        theme, line = current(), QRectF(rect.x(), rect.center().y() - 2, rect.width(), 4)
        painter.fillRect(line, theme.colour("line"))
        painter.fillRect(QRectF(line.x(), line.y(), line.width() * min(1.0, share), line.height()), theme.colour("accent"))

    def _hits(self, painter: QPainter, rect: QRect, span: Span) -> None:
        theme, known = current(), self.table.knows_verdict(span)
        verdict = self.table.verdict(span) if known else self.allowance.spend(lambda: self.table.verdict(span))
        if verdict is None:
            return
        line = (rect.height() - 10) // 3
        top = QRect(rect.x() + 28, rect.y() + 5, rect.width() - 34, line)
        if verdict.lines is None:
            painter.setPen(theme.colour("near"))
            painter.setFont(_small(painter.font()))
            painter.drawText(top.adjusted(-20, 0, 0, line), Left | Qt.TextFlag.TextWordWrap, tr("made for other bars"))
            return
        silent = self.table.take(span) is None
        draw_verdict(painter, QPointF(rect.x() + 16, top.center().y() + 1), 5, "none" if silent else verdict.light)
        painter.setFont(_bold(painter.font()))
        painter.setPen(theme.colour("silent" if silent else "text"))
        caught = f"{verdict.count('on')} / {verdict.total}" if verdict.total else "–"
        painter.drawText(top, Left, caught)
        if count := verdict.count("missed"):
            left = top.adjusted(painter.fontMetrics().horizontalAdvance(caught) + 8, 0, 0, 0)
            painter.setFont(_small(painter.font()))
            painter.setPen(theme.colour("silent" if silent else "missed"))
            said = (tr("%n missed", count), f"✕ {count}")
            painter.drawText(
                left, Right, said[0] if painter.fontMetrics().horizontalAdvance(said[0]) <= left.width() else said[1]
            )
        if silent or verdict.light in ("near", "missed"):
            painter.setFont(figures(8))
            painter.setPen(theme.colour("silent" if silent else verdict.light))
            painter.drawText(top.translated(0, line), Left, tr("silent") if silent else fitting(painter, verdict, top.width()))
        self._strip(painter, QRectF(rect.x() + 10, rect.bottom() - 18, rect.width() - 20, 12), span)

    def _strip(self, painter: QPainter, rect: QRectF, span: Span) -> None:
        """The hits along the scene, each a mark in its colour, the heavier the taller; a missed one is always full height."""
        theme, verdict, silent = current(), self.table.verdict(span), self.table.take(span) is None
        assert verdict is not None
        start, end = self.table.facts(span).seconds
        painter.setPen(theme.colour("line"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        for line, said in zip(verdict.lines or (), verdict.said, strict=True):
            x = rect.x() + rect.width() * min(1.0, max(0.0, (float(line.hit.time) - start) / (end - start)))
            tall = rect.height() * (1.0 if said == "missed" else 0.3 + 0.6 * line.hit.weight)
            painter.fillRect(QRectF(x - 1, rect.bottom() - tall, 2, tall), theme.colour("silent" if silent else said))


def fitting(painter: QPainter, verdict: Verdict, wide: float) -> str:
    """By how much the worst hit is missed, in frames alone where there is no room for milliseconds."""
    words = error_words(verdict)
    return words if painter.fontMetrics().horizontalAdvance(words) <= wide else words.partition("  ")[0]


def _hatch(painter: QPainter, rect: QRectF) -> None:
    """Slanted lines: this is kept."""
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillRect(rect, current().colour("accent", 26))
    painter.setBrush(current().colour("accent", 40))
    painter.setBrush(_slanted(painter))
    painter.drawRect(rect)
    painter.restore()


def _slanted(painter: QPainter):  # type: ignore[no-untyped-def]
    brush = painter.brush()
    brush.setStyle(Qt.BrushStyle.BDiagPattern)
    return brush


def _pitches(shape: Shape) -> tuple[int, int]:
    """The range that thumbnails of one take share, so that its stems can be compared."""
    return min(LEAST, int(shape.pitch.min())), max(MOST, int(shape.pitch.max()))


def _bold(font: QFont) -> QFont:
    out = QFont(font)
    out.setBold(True)
    return out


def _small(font: QFont) -> QFont:
    out = QFont(font)
    out.setBold(False)
    out.setPointSizeF(8)
    return out


def _elided(painter: QPainter, words: str, width: int) -> str:
    return painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, width)
