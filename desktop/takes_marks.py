"""Small marks, drawn rather than written so that no font can lack them: locks, stars, verdicts by shape and colour, moods, stems."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPalette, QPen, QPolygonF
from PyQt6.QtWidgets import QStyleOptionViewItem

from desktop.theme import current
from engines.session.model import Session, Span
from engines.session.told import word

STARS = 5
"""The best rating of a take."""

_STEMS = {
    "dark": {"melody": "#b7a1e0", "bridge": "#79bcb2", "piano": "#c9b68c"},
    "light": {"melody": "#6a4fb0", "bridge": "#1f7a6e", "piano": "#84692a"},
}
_MOODS = {
    "dark": ("#b9a55c", "#a9707f", "#6f82ad", "#6d9a87"),
    "light": ("#a08a2e", "#96505f", "#4c6294", "#3f7d66"),
}


def stem_colour(stem: str, alpha: int = 255) -> QColor:
    """The colour of a stem, the same in grid and roll; an unknown stem is grey."""
    theme = current()
    colour = QColor(_STEMS[theme.name].get(stem, theme.dim))
    colour.setAlpha(alpha)
    return colour


def mood_colour(mood: int) -> QColor:
    """The colour of one of the four moods, muted, since red is a missed hit's alone."""
    return QColor(_MOODS[current().name][mood - 1])


def soften(option: QStyleOptionViewItem) -> None:
    """A selected row is lifted, not lit: the accent is for what is kept and for where the keys go."""
    theme, role = current(), QPalette.ColorRole
    option.palette.setColor(role.Highlight, theme.colour("raised"))
    option.palette.setColor(role.HighlightedText, option.palette.color(role.Text))


def told_mood(session: Session, span: Span) -> int | None:
    """The mood that a scene has by the composer's word, else by its chosen take; None where neither says."""
    said = word(session, "cue", span.scene.id).mood
    if said is None and span.scene.chosen is not None and (orders := session.takes[span.scene.chosen].orders):
        return orders[-1].brief.mood
    return said


def draw_mood(painter: QPainter, rect: QRectF, mood: int | None) -> None:
    """The circle of moods as four fields, valence to the right and arousal up, with the scene's own filled."""
    half_x, half_y = rect.width() / 2, rect.height() / 2
    fields = {1: (1, 0), 2: (0, 0), 3: (0, 1), 4: (1, 1)}
    for number, (x, y) in fields.items():
        field = QRectF(rect.x() + x * half_x, rect.y() + y * half_y, half_x - 1, half_y - 1)
        painter.fillRect(field, mood_colour(number) if number == mood else current().colour("line"))


def draw_verdict(painter: QPainter, centre: QPointF, radius: float, verdict: str) -> None:
    """A hit as a shape in its colour: a disc is on, a rhomb near, a cross missed, a ring without any hit."""
    theme = current()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if verdict == "none":
        painter.setPen(QPen(theme.colour("faint"), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, radius - 0.5, radius - 0.5)
    elif verdict == "missed":
        painter.setPen(QPen(theme.colour("missed"), max(1.6, radius * 0.55), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        r = radius * 0.8
        painter.drawLine(centre + QPointF(-r, -r), centre + QPointF(r, r))
        painter.drawLine(centre + QPointF(-r, r), centre + QPointF(r, -r))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(verdict))
        if verdict == "on":
            painter.drawEllipse(centre, radius, radius)
        else:
            r = radius * 1.2
            corners = (QPointF(0, -r), QPointF(r, 0), QPointF(0, r), QPointF(-r, 0))
            painter.drawPolygon(QPolygonF([centre + corner for corner in corners]))
    painter.restore()


def draw_lock(painter: QPainter, rect: QRectF, closed: bool, colour: QColor) -> None:
    """A padlock: closed keeps, open may be refilled."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    w, h = rect.width(), rect.height()
    body = QRectF(rect.x() + w * 0.2, rect.y() + h * 0.48, w * 0.6, h * 0.42)
    shackle = QPainterPath()
    left, right, top = rect.x() + w * 0.32, rect.x() + w * 0.68, rect.y() + h * 0.3
    shackle.moveTo(left, body.top())
    shackle.lineTo(left, top)
    shackle.arcTo(QRectF(left, rect.y() + h * 0.12, right - left, h * 0.36), 180, -180)
    shackle.lineTo(right, body.top() if closed else top + h * 0.04)
    painter.setPen(QPen(colour, max(1.2, w * 0.09)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(shackle)
    if closed:
        painter.setBrush(colour)
    painter.drawRoundedRect(body, 1, 1)
    painter.restore()


def draw_again(painter: QPainter, rect: QRectF, colour: QColor) -> None:
    """An arrow that comes round: compose again."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, max(1.3, rect.width() * 0.1), Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    inner = rect.adjusted(rect.width() * 0.2, rect.height() * 0.2, -rect.width() * 0.2, -rect.height() * 0.2)
    painter.drawArc(inner, 60 * 16, 290 * 16)
    tip = QPointF(inner.center().x() + inner.width() * 0.27, inner.top() + inner.height() * 0.08)
    s = rect.width() * 0.2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([tip + QPointF(-s * 0.6, -s), tip + QPointF(s * 0.9, s * 0.1), tip + QPointF(-s * 0.7, s)]))
    painter.restore()


def draw_arrow(painter: QPainter, rect: QRectF, way: int, colour: QColor) -> None:
    """A chevron to the left (-1) or the right (1)."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    c, r = rect.center(), min(rect.width(), rect.height()) * 0.22
    painter.drawPolyline(
        QPolygonF([c + QPointF(-way * r * 0.6, -r), c + QPointF(way * r * 0.6, 0), c + QPointF(-way * r * 0.6, r)])
    )
    painter.restore()


def draw_stars(painter: QPainter, rect: QRectF, rating: int | None) -> None:
    """Five steps, as many of them full as the rating says."""
    theme = current()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for k in range(STARS):
        step = star_rect(rect, k)
        size = min(step.width(), step.height()) * 0.36
        full = k < (rating or 0)
        painter.setBrush(theme.colour("text") if full else theme.colour("line"))
        radius = size if full else size * 0.45
        painter.drawEllipse(step.center(), radius, radius)
    painter.restore()


def star_rect(rect: QRectF, place: int) -> QRectF:
    """Where one of the steps lies, counted from 0."""
    wide = rect.width() / STARS
    return QRectF(rect.x() + place * wide, rect.y(), wide, rect.height())
