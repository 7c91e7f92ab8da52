"""What a selection comes to: how many notes, and whether all of them are kept. Of a whole reel it is counted in turns."""

from __future__ import annotations

from functools import partial

import numpy as np

from desktop.allowance import Allowance
from desktop.roll_notes import Stage
from desktop.roll_select import Selection, bars_in, chosen, spans_of
from desktop.takes_keep import shut
from engines.session.model import SceneTake, Span


class Tally:
    """Counted by `go`, as often as it takes."""

    def __init__(self, stage: Stage, selection: Selection) -> None:
        self._stage, self._selection = stage, selection
        self._left = spans_of(stage.session, selection) if selection else []
        self.notes = 0
        self.kept = bool(self._left)

    def go(self, allowance: Allowance) -> bool:
        """Counts on as far as the allowance lets; whether all is counted."""
        while self._left:
            if not allowance.spend(partial(self._add, self._left[-1])):
                return False
            self._left.pop()
        return True

    def _add(self, span: Span) -> bool:
        take, selection = chosen(self._stage.session, span), self._selection
        if selection.bars is None:
            rows = [] if take is None else [row for row in selection.by_scene[span.scene.id] if row < len(take.notes)]
            self.notes += len(rows)
            if self.kept and take is not None:
                self.kept = bool(self._stage.shapes.kept(span, take)[rows].all())
        else:
            self.notes += 0 if take is None else _in_bars(span, take, selection)
            self.kept = self.kept and all(shut(span, stem, bars_in(span, selection)) for stem in selection.stems)
        return True


def _in_bars(span: Span, take: SceneTake, selection: Selection) -> int:
    """The written notes of a scene in the selected bars and stems. Beats are compared as floats: the nearest float of one beat is that of
    the same beat anywhere, and none of a smaller one is larger."""
    mine = [row.note for row in take.notes if row.note.stem in selection.stems]
    first, last = bars_in(span, selection)
    if last - first + 1 == len(span.bars):
        return len(mine)
    starts = np.array([float(bar.start - span.start) for bar in span.bars])
    places = np.searchsorted(starts, [float(note.start) for note in mine], side="right") - 1
    bars = span.first + 1 + np.maximum(places, 0)
    return int(((bars >= first) & (bars <= last)).sum())
