"""How the piano roll is drawn: keys, bars and beats from the tempo map, notes in the colours of their stems, hits, velocities below."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from desktop.allowance import Allowance
from desktop.language import words
from desktop.roll_crowd import CROWD, draw_crowd
from desktop.roll_hits import draw_hits, struck
from desktop.roll_notes import Floats, Placed, Stage
from desktop.roll_select import Selection
from desktop.roll_strip import Strip, premultiplied
from desktop.scale import Scale
from desktop.takes_keep import bars_of, shut
from desktop.takes_marks import draw_lock, stem_colour
from desktop.takes_verdict import Verdicts
from desktop.theme import current, figures
from engines.score.notes import STEMS
from engines.session.keep import held
from engines.session.model import Span
from engines.spotting.tempo import Bar

KEYS, RULER, LANE = 46, 34, 58
"""Pixels: the keys at the left, the ruler above, the velocities below."""
RING = 8.0
"""Seconds that a note may ring over the end of its scene and still be drawn."""
NOTHING = Selection()
tr = words("roll")
BLACK = frozenset({1, 3, 6, 8, 10})
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
LOWEST, HIGHEST = 21, 108
NARROW, NARROWEST_BAR, CROWDED = 6.0, 4.0, 34.0
"""Pixels that a beat needs to be drawn, a bar to have its line, and a bar to be numbered."""
EDGE, LOCK = 1.0, 9.0
"""Pixels of the edge around a note that is kept, and of the lock in one that has room for it."""


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
        return min(LANE, max(LANE // 2 - 5, self.height // 6))

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
    theme, device = current(), painter.device()
    ratio = 1.0 if device is None else device.devicePixelRatioF()
    painter.fillRect(QRectF(0, 0, frame.width, frame.height), theme.colour("ground"))
    painter.setClipRect(QRectF(KEYS, 0, frame.width - KEYS, frame.height))
    _rows(painter, frame)
    _grid(painter, frame, stage, looks, ratio)
    there = []
    for span in stage.spans(frame.seconds(KEYS), frame.seconds(frame.width), RING):
        known = stage.is_placed(span)
        placed = stage.scene(span) if known else allowance.spend(partial(stage.scene, span))
        if placed is not None:
            there.append(placed)
    marks = [struck(stage, verdicts, span, allowance) for span in _in_sight(frame, stage)]
    draw_hits(painter, frame, RULER, [mark for mark in marks if mark is not None], ratio)
    if sum(len(placed.shape.rows) for placed in there) > CROWD:
        held = {placed.span.scene.id: _kept(stage, placed, allowance) for placed in there if placed.span.scene.keep}
        draw_crowd(painter, there, looks.stems, frame, looks.selection, held)
    else:
        for placed in there:
            kept = _kept(stage, placed, allowance)
            _notes(painter, frame, placed, looks, kept if kept is not None else np.zeros(len(placed.shape.rows), bool))
    painter.fillRect(QRectF(KEYS, RULER - 1, frame.width, 1), theme.colour("line"))
    painter.fillRect(frame.lane.adjusted(0, -1, 0, -frame.lane.height()), theme.colour("line"))
    painter.setClipping(False)
    _keys(painter, frame)


def prepare(frame: Frame, stage: Stage, verdicts: Verdicts, allowance: Allowance) -> None:
    """Works out what a picture of this frame needs, as far as the allowance lets."""
    for span in stage.spans(frame.seconds(KEYS), frame.seconds(frame.width), RING):
        if allowance.short:
            return
        if not stage.is_placed(span):
            allowance.spend(partial(stage.scene, span))
        struck(stage, verdicts, span, allowance)
        if span.scene.keep and stage.is_placed(span) and (placed := stage.scene(span)) is not None:
            _kept(stage, placed, allowance)


def _kept(stage: Stage, placed: Placed, allowance: Allowance) -> npt.NDArray[np.bool_] | None:
    """Which notes of a scene a refill may not touch; None where that is for later."""
    shapes, work = stage.shapes, partial(stage.shapes.kept, placed.span, placed.take)
    return work() if shapes.knows_kept(placed.span, placed.take) else allowance.spend(work)


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


def _grid(painter: QPainter, frame: Frame, stage: Stage, looks: Looks, ratio: float) -> None:
    theme, spans = current(), _in_sight(frame, stage)
    if not spans:
        return
    painter.setFont(figures(8))
    first = spans[0].first
    lines = frame.x(0.0) + stage.bar_lines[first : spans[-1].first + len(spans[-1].bars) + 1] / frame.scale.step
    bars, beats, starts = [], [], []
    for span in spans:
        at = span.first - first
        xs = lines[at : at + len(span.bars) + 1].tolist()
        if span.number == looks.scene:
            painter.fillRect(QRectF(xs[0], 0, xs[-1] - xs[0], 2), theme.colour("accent"))
        if span.scene.keep:
            _kept_bars(painter, frame, span, xs, looks)
        if looks.selection.bars is not None:
            _picked_bars(painter, frame, span, xs, looks)
        wide = (xs[-1] - xs[0]) / len(span.bars)
        if wide >= NARROWEST_BAR:
            bars.append(lines[at : at + len(span.bars)])
            beats += [_beats(stage, bar) for bar in span.bars if wide / float(bar.metre.length) >= NARROW]
        starts.append(xs[0])
        _numbers(painter, span, xs, wide)
        _scene_name(painter, span, xs)
    for times, top, colour in (
        (frame.x(0.0) + np.concatenate(beats) / frame.scale.step if beats else None, RULER, theme.colour("line", 90)),
        (np.concatenate(bars) if bars else None, RULER - 8, theme.colour("line")),
        (np.array(starts), 0, theme.colour("dim", 120)),
    ):
        if times is not None:
            strip = Strip(KEYS, frame.width - KEYS, ratio)
            strip.add(times, premultiplied(colour))
            strip.draw(painter, top, frame.height)


def _numbers(painter: QPainter, span: Span, xs: list[float], wide: float) -> None:
    """Of bars as many as there is room for."""
    every = next((n for n in (1, 2, 4, 8, 16, 32, 64) if wide * n >= CROWDED), 128)
    for k, bar in enumerate(span.bars):
        if bar.index % every == 0 and xs[k] > KEYS - CROWDED:
            painter.setPen(current().colour("text" if k == 0 else "dim"))
            painter.drawText(QPointF(xs[k] + 4, RULER - 5), str(bar.index + 1))


def _in_sight(frame: Frame, stage: Stage) -> tuple[Span, ...]:
    return stage.spans(frame.seconds(KEYS), frame.seconds(frame.width))


def _beats(stage: Stage, bar: Bar) -> Floats:
    """Film times of the beats of a bar but for its first."""
    return stage.clock.seconds(np.arange(float(bar.start) + 4 / bar.metre.unit, float(bar.end) - 0.01, 4 / bar.metre.unit))


def _scene_name(painter: QPainter, span: Span, xs: list[float]) -> None:
    left = max(float(KEYS), xs[0])
    room = QRectF(left + 4, 3, xs[-1] - left - 8, 14)
    if room.width() > 10:
        painter.setPen(current().colour("dim"))
        silent = "" if span.scene.chosen is not None else tr("silent")
        said = "  ".join(word for word in (str(span.number), span.scene.name, silent) if word)
        painter.drawText(
            room,
            Qt.AlignmentFlag.AlignLeft,
            painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, int(room.width())),
        )


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
    assert looks.selection.bars is not None
    first, last = bars_of(span)
    low, high = max(first, looks.selection.bars[0]), min(last, looks.selection.bars[1])
    if low <= high:
        room = QRectF(xs[low - first], RULER - 19, xs[high - first + 1] - xs[low - first], frame.height)
        painter.fillRect(room, current().colour("text", 20))


def _notes(painter: QPainter, frame: Frame, placed: Placed, looks: Looks, kept: npt.NDArray[np.bool_]) -> None:
    shape, begin, end = placed.shape, frame.seconds(KEYS), frame.seconds(frame.width)
    places = [k for k, stem in enumerate(shape.stems) if stem in looks.stems or stem not in STEMS]
    seen = np.flatnonzero((placed.end > begin) & (placed.start < end) & np.isin(shape.stem, places))
    if not len(seen):
        return
    theme, area = current(), frame.notes
    picked = frozenset(looks.selection.by_scene.get(placed.span.scene.id, ()))
    lefts = KEYS + (placed.start[seen] - frame.scale.left) / frame.scale.step
    rights = KEYS + (placed.end[seen] - frame.scale.left) / frame.scale.step
    tops = RULER + (frame.top - shape.pitch[seen]) * frame.key
    colours = [stem_colour(stem) for stem in shape.stems]
    thick = max(1.5, frame.key - 1)
    rows: list[tuple[int, QRectF]] = []
    for row, left, right, top in zip(seen.tolist(), lefts.tolist(), rights.tolist(), tops.tolist(), strict=True):
        colour, velocity, lit = colours[shape.stem[row]], int(shape.velocity[row]), row in picked
        tall = (frame.low - 10) * velocity / 127
        colour.setAlpha(70 + velocity * 185 // 127)
        painter.fillRect(QRectF(left, frame.height - tall - 2, 3 if lit else 2, tall), theme.colour("text") if lit else colour)
        note = QRectF(left, top, max(2.0, right - left - 1), thick)
        if note.intersects(area):
            rows.append((row, note.intersected(area.adjusted(-9e9, 0, 9e9, 0))))
        else:
            painter.fillRect(QRectF(left, area.top() if top < area.top() else area.bottom() - 2, note.width(), 2), colour)
    for row, note in rows:
        if kept[row]:
            _lock_edge(painter, note)
    for row, note in rows:
        colour = colours[shape.stem[row]]
        colour.setAlpha(255 if kept[row] else 70 + int(shape.velocity[row]) * 185 // 127)
        painter.fillRect(note, colour)
        if kept[row] and min(note.width() - LOCK, note.height()) >= LOCK:
            draw_lock(painter, QRectF(note.x() + 1, note.center().y() - LOCK / 2, LOCK, LOCK), True, theme.colour("shade"))
        if row in picked:
            painter.setPen(QPen(theme.colour("text"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(note.adjusted(0, 0, -0.5, -0.5))


def _lock_edge(painter: QPainter, note: QRectF) -> None:
    """A kept note has an edge around it, outside, and below it alone where it is thin: none of it is covered."""
    above = EDGE if note.height() > 2 * EDGE else 0.0
    painter.fillRect(note.adjusted(-EDGE - 1, -above, EDGE, EDGE), current().colour("accent"))


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


def draw_edge(painter: QPainter, rect: QRect, colour: QColor) -> None:
    """A line along the edges of the widget that has the keys; Qt's own rectangle of a translucent pen takes ten milliseconds."""
    wide, high = rect.width(), rect.height()
    for edge in (QRect(0, 0, wide, 1), QRect(0, high - 1, wide, 1), QRect(0, 1, 1, high - 2), QRect(wide - 1, 1, 1, high - 2)):
        painter.fillRect(edge, colour)
