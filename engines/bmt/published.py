"""The strict writer for a published checkpoint: its own grammar, forced and counted like ours.

The published words differ from ours in what a brief must know: the density of a bar counts chord changes as well as onsets, a
change is announced by a strength of three before its beat, and every note is of one type. The onsets of a bar are still
exactly those asked for; the density word says one more, since a bar of pop holds about one change.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

import numpy as np

from engines.bmt.grammar import Answer, PlannedBar, Word, Writer
from engines.bmt.vocabulary import STEPS_PER_BAR

CHANGES_A_BAR = 1
TRIAD = 3
"""The strength that announces a chord: a triad is three notes."""


class PublishedWriter(Writer):
    """Writes planned bars in the published grammar (``specs/bmt.md`` section 1.3)."""

    NOTE_TYPES: Mapping[str, str] = {"piano": "Note"}
    STRENGTH = "Rhythm"
    _began = False

    def _bar(self, index: int, bar: PlannedBar) -> Generator[Word, Answer, None]:
        answer = yield self.word("Metrical", barbeat=self.vocabulary.id("barbeat", "Bar"), time=bar.percent[0])
        if bar.density == 0 and not bar.required:
            return
        limit = np.arange(len(self.vocabulary.field("density").values)) <= bar.steps
        asked = bar.density
        if asked is None:
            asked = self._draw(answer, self._kinds["Rhythm"], "density", limit) - CHANGES_A_BAR
        density = min(bar.steps, max(asked, len(bar.required), 1))
        word = self.vocabulary.id("density", min(20, density + CHANGES_A_BAR))
        answer = yield self.word("Rhythm", density=word, time=bar.percent[0])
        onsets, position, first = 0, -1, True
        while density > onsets and position + 1 < bar.steps:
            changes = self._changes(answer, bar, first)
            allowed = self._places(bar, position, density - onsets, sounds=not changes)
            if first and bar.chord_id is not None:
                allowed &= np.arange(len(allowed)) == self._place[0]
            position = self._step[self._draw(answer, self._kinds["Metrical"], "barbeat", allowed)]
            first = False
            answer = yield from self._beat(answer, index, bar, position, changes)
            if not changes or self._notes_follow(answer, bar, density - onsets, position):
                answer = yield from self._notes(answer, index, bar, position)
                onsets += 1

    def _changes(self, answer: Answer, bar: PlannedBar, first: bool) -> bool:
        """Whether the next position brings a chord: one that the brief gives comes at the bar's start and stays."""
        if bar.chord_id is not None:
            return first
        kinds = [self._kinds["Metrical"], self._kinds["Rhythm"]]
        return self._draw_type(answer, kinds) == self._kinds["Rhythm"]

    def _beat(self, answer: Answer, index: int, bar: PlannedBar, position: int, changes: bool) -> Generator[Word, Answer, Answer]:
        time = bar.percent[position]
        chord = self.vocabulary.id("chord", "CONTI")
        self._chord_here = changes
        if changes:
            answer = yield self.word("Rhythm", strength=self.vocabulary.id("strength", TRIAD), time=time)
            chord = self._chord(answer, self._kinds["Metrical"], index, bar, position)
        # the tempo is said once, as in a corpus of steady songs: our map holds, whatever the words say
        tempo = self.vocabulary.id("tempo", "CONTI") if self._began else bar.tempo_id
        self._began = True
        answer = yield self.word("Metrical", barbeat=self._place[position], tempo=tempo, chord=chord, time=time)
        return answer

    def _notes_follow(self, answer: Answer, bar: PlannedBar, missing: int, position: int) -> bool:
        forced = self._must_sound(bar, missing, position)
        if forced is not None:
            return forced
        kinds = [self._kinds["Rhythm"], self._kinds["Metrical"]]
        return self._draw_type(answer, kinds) == self._kinds["Rhythm"]


assert STEPS_PER_BAR <= 20, "a density word must be able to say every onset of a bar"
