"""How the piano roll is drawn: keys, bars and beats from the tempo map, notes in the colours of their stems, hits, velocities below."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPen

from desktop.allowance import Allowance
from desktop.roll_crowd import CROWD, draw_crowd
from desktop.roll_notes import Placed, Stage
from desktop.roll_select import Selection
from desktop.scale import Scale
from desktop.takes_keep import bars_of, shut
from desktop.takes_marks import draw_lock, draw_verdict, stem_colour
from desktop.takes_verdict import Verdicts
from desktop.theme import current, figures
from engines.score.notes import STEMS
from engines.session.keep import held
from engines.session.model import Span
from engines.spotting.hits import Hit

KEYS, RULER, LANE = 46, 34, 58
"""Pixels: the keys at the left, the ruler above, the velocities below."""
TICK = 14
"""Pixels of a hit from afar, so that two thousand of them do not hide the music; one that is missed runs through all the same."""
FAR = 0.25
"""Seconds a pixel from which on marks would lie over one another."""
RING = 8.0
"""Seconds that a note may ring over the end of its scene and still be drawn."""
NOTHING = Selection()
BLACK = frozenset({1, 3, 6, 8, 10})
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
LOWEST, HIGHEST = 21, 108
NARROW, CROWDED = 6.0, 34.0
"""Pixels that a beat needs to be drawn, and a bar to be numbered."""


def pitch_name(pitch: int) -> str:
    """A MIDI pitch as a musician says it; 60 is C4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


@dataclass(frozen=True)
class Frame:
    """What of the music is in view, and where: ``scale`` begins right of the keys; ``top`` is the pitch at the upper edge (a fraction
    while it is scrolled), ``key`` the height of a semitone."""

    scale: Scale
    width: int
    height: int
    top: float = 84.0
    key: float = 8.0

    @property
    def low(self) -> int:
        """The height of the velocities: less in a flat dock."""
        return min(LANE, max(LANE // 2, self.height // 5))

    @property
    def notes(self) -> QRectF:
        """Where notes are drawn."""
        return QRectF(KEYS, RULER, max(1, self.width - KEYS), max(1, self.height - RULER - self.low))

    @property
    def lane(self) -> QRectF:
        """Where velocities are drawn."""
        return QRectF(KEYS, self.height - self.low, max(1, self.width - KEYS), self.low)

    def x(self, seconds: float) -> float:
        """The pixel of a film time."""
        return KEYS + self.scale.x(seconds)

    def seconds(self, x: float) -> float:
        """The film time of a pixel."""
        return self.scale.seconds(x - KEYS)

    def y(self, pitch: float) -> float:
        """The upper edge of a semitone."""
        return RULER + (self.top - pitch) * self.key

    def pitch(self, y: float) -> int:
        """The semitone at a pixel."""
        return int(np.ceil(self.top - (y - RULER) / self.key))

    def raised(self, top: float) -> Frame:
        """Scrolled to another pitch, held within the keyboard."""
        rows = self.notes.height() / self.key
        return replace(self, top=min(float(HIGHEST), max(min(float(HIGHEST), LOWEST + rows - 1), top)))


@dataclass(frozen=True)
class Looks:
    """What else decides how the music looks: ``stems`` in sight, what is selected, and the current scene."""

    stems: tuple[str, ...] = STEMS
    selection: Selection = NOTHING
    scene: int = 0


def paint(painter: QPainter, frame: Frame, stage: Stage, verdicts: Verdicts, looks: Looks, allowance: Allowance) -> None:
    """All but the playhead and the rubber band; of what was never drawn before as much as the allowance lets."""
    theme = current()
    painter.fillRect(QRectF(0, 0, frame.width, frame.height), theme.colour("ground"))
    painter.setClipRect(QRectF(KEYS, 0, frame.width - KEYS, frame.height))
    _rows(painter, frame)
    _grid(painter, frame, stage, looks)
    _hits(painter, frame, stage, verdicts, allowance)
    there = []
    for span in stage.spans(frame.seconds(KEYS), frame.seconds(frame.width), RING):
        known = stage.is_placed(span)
        placed = stage.scene(span) if known else allowance.spend(partial(stage.scene, span))
        if placed is not None:
            there.append(placed)
    if sum(len(placed.shape.rows) for placed in there) > CROWD:
        _crowd(painter, frame, there, looks)
    else:
        for placed in there:
            _notes(painter, frame, stage, placed, looks)
    painter.fillRect(QRectF(KEYS, RULER - 1, frame.width, 1), theme.colour("line"))
    painter.fillRect(frame.lane.adjusted(0, -1, 0, -frame.lane.height()), theme.colour("line"))
    painter.setClipping(False)
    _keys(painter, frame)


def prepare(frame: Frame, stage: Stage, verdicts: Verdicts, allowance: Allowance) -> None:
    """Works out what a picture of this frame needs, as far as the allowance lets."""
    for span in stage.spans(frame.seconds(KEYS), frame.seconds(frame.width), RING):
        if span.scene.chosen is None or allowance.short:
            continue
        take = stage.session.takes[span.scene.chosen]
        if not stage.is_placed(span):
            allowance.spend(partial(stage.scene, span))
        if not verdicts.knows(span, take):
            allowance.spend(partial(verdicts.of, span, take))


def _crowd(painter: QPainter, frame: Frame, there: list[Placed], looks: Looks) -> None:
    """Very many notes; what is selected among them is framed all the same."""
    draw_crowd(painter, there, looks.stems, frame.notes, frame.lane, frame.scale.left, frame.scale.step, frame.top, frame.key)
    painter.setPen(QPen(current().colour("text"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    places = {placed.span.scene.id: placed for placed in there}
    for name, row in list(looks.selection.notes)[:CROWD] if looks.selection.notes else ():
        if (placed := places.get(name)) is not None:
            left, right = frame.x(float(placed.start[row])), frame.x(float(placed.end[row]))
            painter.drawRect(QRectF(left, frame.y(int(placed.shape.pitch[row])), max(1.0, right - left), frame.key))


def _rows(painter: QPainter, frame: Frame) -> None:
    """Rows of black keys darker, and a line under every C."""
    theme, area = current(), frame.notes
    painter.save()
    painter.setClipRect(area)
    for pitch in range(max(0, frame.pitch(area.bottom())), min(127, frame.pitch(area.top())) + 1):
        row = QRectF(area.x(), frame.y(pitch), area.width(), frame.key)
        if pitch % 12 in BLACK:
            painter.fillRect(row, theme.colour("shade"))
        elif pitch % 12 == 0:
            painter.fillRect(QRectF(row.x(), row.bottom() - 1, row.width(), 1), theme.colour("panel"))
    painter.restore()
    painter.fillRect(QRectF(KEYS, 0, frame.width, RULER), theme.colour("panel"))


def _grid(painter: QPainter, frame: Frame, stage: Stage, looks: Looks) -> None:
    theme = current()
    painter.setFont(figures(8))
    for span in _in_sight(frame, stage):
        edges = stage.clock.seconds(np.array([float(bar.start) for bar in span.bars] + [float(span.end)]))
        xs = [frame.x(float(second)) for second in edges]
        if span.number == looks.scene:
            painter.fillRect(QRectF(xs[0], 0, xs[-1] - xs[0], 2), theme.colour("accent"))
        _kept_bars(painter, frame, span, xs, looks)
        _picked_bars(painter, frame, span, xs, looks)
        wide = (xs[-1] - xs[0]) / len(span.bars)
        every = next((n for n in (1, 2, 4, 8, 16, 32, 64) if wide * n >= CROWDED), 128)
        for k, bar in enumerate(span.bars):
            if wide / float(bar.metre.length) >= NARROW:
                _beats(painter, frame, stage, float(bar.start), float(bar.end), 4 / bar.metre.unit)
            if wide >= 4 or k == 0:
                painter.fillRect(QRectF(xs[k], RULER - 8, 1, frame.height), theme.colour("line"))
            if bar.index % every == 0:
                painter.setPen(theme.colour("text" if k == 0 else "dim"))
                painter.drawText(QPointF(xs[k] + 4, RULER - 5), str(bar.index + 1))
        _scene_name(painter, frame, span, xs)


def _in_sight(frame: Frame, stage: Stage) -> tuple[Span, ...]:
    return stage.spans(frame.seconds(KEYS), frame.seconds(frame.width))


def _beats(painter: QPainter, frame: Frame, stage: Stage, start: float, end: float, unit: float) -> None:
    for second in stage.clock.seconds(np.arange(start + unit, end - 0.01, unit)):
        painter.fillRect(QRectF(frame.x(float(second)), RULER, 1, frame.height), current().colour("line", 90))


def _scene_name(painter: QPainter, frame: Frame, span: Span, xs: list[float]) -> None:
    theme, left = current(), max(float(KEYS), xs[0])
    room = QRectF(left + 4, 3, xs[-1] - left - 8, 14)
    if room.width() > 10:
        font = painter.font()
        painter.setPen(theme.colour("dim"))
        words = " ".join((str(span.number), span.scene.name)).strip()
        painter.drawText(
            room,
            Qt.AlignmentFlag.AlignLeft,
            painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(room.width())),
        )
        painter.setFont(font)
    painter.fillRect(QRectF(xs[0], 0, 1, frame.height), theme.colour("dim", 120))


def _kept_bars(painter: QPainter, frame: Frame, span: Span, xs: list[float], looks: Looks) -> None:
    """Bars that a refill may not touch: hatched in the ruler; where only some stems are kept, as thin lines in their colours."""
    theme, first = current(), bars_of(span)[0]
    if not any(word.beat is None for word in held(span)):
        return
    for k in range(len(span.bars)):
        bar = first + k
        room = QRectF(xs[k], RULER - 19, xs[k + 1] - xs[k], 18)
        if shut(span, None, (bar, bar)):
            painter.fillRect(room, theme.colour("accent", 36))
            if room.width() > 40:
                draw_lock(painter, QRectF(room.right() - 16, room.y() + 1, 14, 14), True, theme.colour("accent"))
            continue
        for place, stem in enumerate(STEMS):
            if shut(span, stem, (bar, bar)):
                painter.fillRect(QRectF(room.x(), room.y() + 3 * place, room.width(), 2), stem_colour(stem))


def _picked_bars(painter: QPainter, frame: Frame, span: Span, xs: list[float], looks: Looks) -> None:
    if looks.selection.bars is None:
        return
    first, last = bars_of(span)
    low, high = max(first, looks.selection.bars[0]), min(last, looks.selection.bars[1])
    if low <= high:
        room = QRectF(xs[low - first], RULER - 19, xs[high - first + 1] - xs[low - first], frame.height)
        painter.fillRect(room, current().colour("text", 20))


def _hits(painter: QPainter, frame: Frame, stage: Stage, verdicts: Verdicts, allowance: Allowance) -> None:
    """Hits from top to bottom in the colour of their verdict, the heavier the stronger; a missed one is as strong as the heaviest. From
    afar only a missed one has its shape."""
    near = frame.scale.step < FAR
    for span in _in_sight(frame, stage):
        take = None if span.scene.chosen is None else stage.session.takes[span.scene.chosen]
        verdict = None
        if take is not None:
            known = verdicts.knows(span, take)
            verdict = verdicts.of(span, take) if known else allowance.spend(partial(verdicts.of, span, take))
            if verdict is None:
                continue
        said = verdict.said if verdict is not None and verdict.lines is not None else ()
        for hit, name in zip_longest(verdicts.hits(span), said, fillvalue="none"):
            if isinstance(hit, Hit):
                _hit(painter, frame, hit, str(name), near)


def _hit(painter: QPainter, frame: Frame, hit: Hit, verdict: str, near: bool) -> None:
    theme, x = current(), frame.x(float(hit.time))
    strong = 255 if verdict == "missed" else int(90 + 130 * hit.weight)
    heavy = 2.0 if verdict == "missed" or hit.weight > 0.66 else 1.5 if hit.weight > 0.33 else 1.0
    colour = theme.colour("dim" if verdict == "none" else verdict, strong)
    if near and not hit.hard:
        painter.setPen(QPen(colour, heavy, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, RULER), QPointF(x, frame.height))
    else:  # a filled rectangle costs a hundredth of a line of a width
        tall = frame.height - RULER if near or verdict == "missed" else TICK
        painter.fillRect(QRectF(x - heavy / 2, RULER, heavy, tall), colour)
    if near or verdict == "missed":
        draw_verdict(painter, QPointF(x, RULER + 5), 4, verdict)


def _notes(painter: QPainter, frame: Frame, stage: Stage, placed: Placed, looks: Looks) -> None:
    shape, begin, end = placed.shape, frame.seconds(KEYS), frame.seconds(frame.width)
    places = [k for k, stem in enumerate(shape.stems) if stem in looks.stems or stem not in STEMS]
    seen = np.flatnonzero((placed.end > begin) & (placed.start < end) & np.isin(shape.stem, places))
    if not len(seen):
        return
    theme, area, kept = current(), frame.notes, stage.shapes.kept(placed.span, placed.take)
    picked = {row for name, row in looks.selection.notes if name == placed.span.scene.id}
    lefts = KEYS + (placed.start[seen] - frame.scale.left) / frame.scale.step
    rights = KEYS + (placed.end[seen] - frame.scale.left) / frame.scale.step
    tops = RULER + (frame.top - shape.pitch[seen]) * frame.key
    colours = [stem_colour(stem) for stem in shape.stems]
    thick = max(1.5, frame.key - 1)
    for row, left, right, top in zip(seen.tolist(), lefts.tolist(), rights.tolist(), tops.tolist(), strict=True):
        velocity = int(shape.velocity[row])
        colour = colours[shape.stem[row]]
        colour.setAlpha(70 + velocity * 185 // 127)
        tall = (frame.low - 10) * velocity / 127
        lit = row in picked
        painter.fillRect(QRectF(left, frame.height - tall - 2, 3 if lit else 2, tall), theme.colour("text") if lit else colour)
        if not area.top() - thick < top < area.bottom():
            continue
        shown = QRectF(
            left, max(top, area.top()), max(2.0, right - left - 1), min(top + thick, area.bottom()) - max(top, area.top())
        )
        painter.fillRect(shown, colour)
        if kept[row]:
            _locked(painter, shown)
        if lit:
            painter.setPen(QPen(theme.colour("text"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(shown.adjusted(0, 0, -0.5, -0.5))


def _locked(painter: QPainter, rect: QRectF) -> None:
    """A kept note: a dark stripe through its length and the accent at its head, so that it shows without colour as well."""
    theme = current()
    painter.fillRect(QRectF(rect.x(), rect.center().y() - 0.75, rect.width(), 1.5), theme.colour("shade"))
    painter.fillRect(QRectF(rect.x() - 1, rect.y(), 3, rect.height()), theme.colour("accent"))


def _keys(painter: QPainter, frame: Frame) -> None:
    theme, area = current(), frame.notes
    painter.save()
    painter.fillRect(QRectF(0, 0, KEYS, frame.height), theme.colour("panel"))
    painter.setClipRect(QRectF(0, area.top(), KEYS, area.height()))
    painter.setFont(figures(7.5))
    for pitch in range(max(0, frame.pitch(area.bottom())), min(127, frame.pitch(area.top())) + 1):
        y = frame.y(pitch)
        black = pitch % 12 in BLACK
        painter.fillRect(QRectF(KEYS - 16, y, 16, frame.key - 0.5), theme.colour("shade" if black else "raised"))
        if pitch % 12 == 0:
            painter.setPen(theme.colour("dim"))
            painter.drawText(
                QRectF(0, y + frame.key / 2 - 7, KEYS - 20, 14),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                pitch_name(pitch),
            )
    painter.restore()
    painter.setFont(figures(7.5))
    painter.setPen(theme.colour("faint"))
    lane = frame.lane
    for velocity in (127, 64):
        y = frame.height - (frame.low - 10) * velocity / 127 - 2
        painter.drawText(
            QRectF(0, y - 7, KEYS - 6, 14), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(velocity)
        )
    painter.fillRect(QRectF(0, lane.top() - 1, KEYS, 1), theme.colour("line"))
    painter.fillRect(QRectF(KEYS - 1, 0, 1, frame.height), theme.colour("line"))
