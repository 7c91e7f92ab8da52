"""Hits in the piano roll: upright in the colour of their verdict, the heavier the stronger, as one picture of all that are in view."""

from __future__ import annotations

from functools import cache, partial
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPixmap

from desktop.allowance import Allowance
from desktop.roll_notes import Floats, Stage
from desktop.roll_strip import Strip, premultiplied
from desktop.takes_marks import draw_verdict
from desktop.takes_verdict import Verdict, Verdicts
from desktop.theme import current
from engines.session.model import Span
from engines.spotting.hits import Hit

if TYPE_CHECKING:
    from desktop.roll_paint import Frame

NAMES = ("none", "on", "near", "missed")
MISSED = NAMES.index("missed")
TICK = 14
"""Pixels of a hit from afar, so that two thousand of them do not hide the music; one that is missed runs through all the same."""
FAR = 0.25
"""Seconds a pixel from which on marks would lie over one another."""
MARK = 4.0
"""Pixels from the middle of a mark to its edge."""


class Struck(NamedTuple):
    """The hits of a scene as columns: seconds of the film, weight, whether hard, and the place of the verdict in `NAMES`."""

    at: Floats
    weight: Floats
    hard: npt.NDArray[np.bool_]
    said: npt.NDArray[np.int8]


def struck(stage: Stage, verdicts: Verdicts, span: Span, allowance: Allowance) -> Struck | None:
    """The hits of one scene; where the allowance does not reach, as they were before the last act (None: never seen)."""
    kept = stage.struck.get(span.scene.id)
    if kept is None or kept[0] is not verdicts:
        allowance.spend(partial(_look, stage, verdicts, span))
        kept = stage.struck.get(span.scene.id)
    found: Struck | None = None if kept is None else kept[3]
    return found


def _look(stage: Stage, verdicts: Verdicts, span: Span) -> None:
    take = None if span.scene.chosen is None else stage.session.takes[span.scene.chosen]
    verdict = None if take is None else verdicts.of(span, take)
    hits, kept = verdicts.hits(span), stage.struck.get(span.scene.id)
    same = kept is not None and kept[1] is verdict and kept[2] == hits
    stage.struck[span.scene.id] = verdicts, verdict, hits, kept[3] if kept is not None and same else _columns(hits, verdict)


def _columns(hits: tuple[Hit, ...], verdict: Verdict | None) -> Struck:
    said = verdict.said if verdict is not None and verdict.lines is not None else ()
    rows = [(hit, name) for hit, name in zip_longest(hits, said, fillvalue="none") if isinstance(hit, Hit)]
    return Struck(
        np.array([float(hit.time) for hit, _ in rows], np.float64),
        np.array([hit.weight for hit, _ in rows], np.float64),
        np.array([hit.hard for hit, _ in rows], bool),
        np.array([NAMES.index(str(name)) for _, name in rows], np.int8),
    )


def draw_hits(painter: QPainter, frame: Frame, top: float, scenes: list[Struck], ratio: float) -> None:
    """From ``top`` down; a missed one is as strong as the heaviest. From afar only a missed one has its shape."""
    if not scenes:
        return
    all_of = Struck(*(np.concatenate(columns) for columns in zip(*scenes, strict=True)))
    xs, near = frame.x(0.0) + all_of.at / frame.scale.step, frame.scale.step < FAR
    missed = all_of.said == MISSED
    heavy = np.where(missed | (all_of.weight > 0.66), 2.0, np.where(all_of.weight > 0.33, 1.5, 1.0))
    alpha = np.where(missed, 255.0, 90 + 130 * all_of.weight)
    colours = np.zeros(len(xs), np.uint32)
    for place, name in enumerate(NAMES):
        mine = all_of.said == place
        colours[mine] = premultiplied(current().colour("dim" if name == "none" else name), alpha[mine])
    soft = ~all_of.hard & near
    tall = ~soft & (near | missed)
    for rows, bottom, dashed in ((soft, frame.height, True), (~soft & ~tall, top + TICK, False), (tall, frame.height, False)):
        strip = Strip(frame.notes.x(), frame.notes.width(), ratio)
        for thick in (1.0, 1.5, 2.0):
            these = rows & (heavy == thick)
            strip.add(xs[these] - thick / 2, colours[these], thick)
        strip.draw(painter, top, bottom, dashed)
    shaped = (missed | near) & (xs > frame.notes.x() - 2 * MARK) & (xs < frame.width + 2 * MARK)
    marks = dict.fromkeys(zip(np.round(xs[shaped]).tolist(), all_of.said[shaped].tolist(), strict=True))
    for x, place in marks:
        painter.drawPixmap(QPointF(x - 2 * MARK, top + 5 - 2 * MARK), _mark(NAMES[place], current().name, ratio))


@cache
def _mark(verdict: str, theme: str, ratio: float) -> QPixmap:
    """A hit's shape, painted once for each theme (its name) and screen."""
    side = round(4 * MARK * ratio)
    made = QPixmap(side, side)
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    draw_verdict(painter, QRectF(0, 0, 4 * MARK, 4 * MARK).center(), MARK, verdict)
    painter.end()
    return made
