"""The published inference of BM-Transformer as it is, for a graph exported from a published checkpoint.

Nothing is masked and nothing is forced but what the published program overwrites, in its order (``specs/bmt.md`` section 5.2):
tempo, bar, density, strength, relative time. So a bar may hold no words of rhythm, a note may carry a beat, and the music may end
early. Two things differ, because the published program does not end, or fails, without them: a piece stops after a number of
words, and a condition that is not there overwrites nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from engines.bmt.grammar import Answer, Word
from engines.bmt.sampling import PUBLISHED, Taste, choose
from engines.bmt.vocabulary import STEPS_PER_BAR, STEPS_PER_BEAT, Vocabulary
from engines.engine import Brief

Rows = npt.NDArray[np.int64]
"""Conditions, shape (n, 6): tempo in BPM, bar from 0, type (2 a bar, 4 a density or a strength), strength, density, relative time in
percent."""
TEMPO, BAR, TYPE, STRENGTH, DENSITY, TIME = range(6)
METRICAL, RHYTHM = 2, 4
WEIGHTS = (
    0.0,
    0.228902764,
    0.483820719,
    0.787098136,
    0.891160137,
    0.964556814,
    0.991241869,
    0.997820822,
    0.999665616,
    0.999890552,
)
"""Weights of visual beats at which the strength rises: the published percentiles."""
WORDS_A_BAR = 256
"""A piece stops after so many words a bar; real bars hold 17 to 45."""


def strength_of(weight: float) -> int:
    """Strength 0 to 10 of a visual beat."""
    return bisect_right(WEIGHTS, weight)


def condition_rows(
    times: Sequence[float],
    weights: Sequence[float],
    tempo: int,
    duration: float,
    threshold: float = 0.2,
    bars: int = 0,
) -> Rows:
    """The published conditions of visual beats at ``times`` (seconds, rising) with ``weights``, for a film of ``duration`` seconds.

    A bar (4/4 at ``tempo`` BPM) has a row, and, if beats of at least ``threshold`` lie in it, one with their number and one with
    the strength of each. As published, a bar's row carries the time of the beat that first reached it. The published rows end
    at the last beat's bar, so that the music ends before the film; ``bars`` goes on to that many, each with its own time.
    """
    by_bar: dict[int, list[list[int]]] = {}
    reached: list[int] = []
    for time, weight in zip(times, weights, strict=True):
        percent = floor(100 * time / duration)
        bar = floor(time / 60 * tempo * STEPS_PER_BEAT + 0.5) // STEPS_PER_BAR
        reached += [percent] * (bar + 1 - len(reached))
        if weight >= threshold:
            by_bar.setdefault(bar, []).append([tempo, bar, RHYTHM, strength_of(weight), 0, percent])
    seconds_a_bar = 60 * STEPS_PER_BAR / STEPS_PER_BEAT / tempo
    reached += [min(99, floor(100 * bar * seconds_a_bar / duration)) for bar in range(len(reached), max(1, bars))]
    rows: list[list[int]] = []
    for bar, percent in enumerate(reached):
        rows.append([tempo, bar, METRICAL, 0, 0, percent])
        if beats := by_bar.get(bar):
            rows += [[tempo, bar, RHYTHM, 0, len(beats), percent], *beats]
    return np.array(rows, np.int64)


def brief_rows(brief: Brief) -> Rows:
    """The conditions of a brief: its hits are the visual beats, its bars are told as 4/4 at its mean tempo."""
    begin = brief.bars[0].start
    beats = sum((bar.length for bar in brief.bars), Fraction(0))
    minutes = sum(float(bar.length) / bar.bpm for bar in brief.bars)
    tempo = max(1, round(float(beats) / minutes))
    seconds = 60.0 / tempo
    hits = sorted((float(hit.beat - begin), hit.strength) for hit in brief.hits if 0 <= hit.beat - begin < beats)
    times, weights = [beat * seconds for beat, _ in hits], [weight for _, weight in hits]
    return condition_rows(times, weights, tempo, float(beats) * seconds, bars=ceil(beats / 4))


class OfficialSampler:
    """Samples by the published rules; ``words`` (fields by id) fill as it goes, ``bars_done`` counts bars.

    ``rows`` as `condition_rows` gives them; ``emotion`` is 1..4. Stops at EOS, after the last bar of ``rows``, when relative time
    reaches 100, or after ``WORDS_A_BAR`` words a bar, which `stopped` then says.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        rows: Rows,
        emotion: int,
        rng: np.random.Generator,
        tastes: Mapping[str, Taste] = PUBLISHED,
        most: int | None = None,
    ) -> None:
        self.vocabulary, self.rows, self.emotion, self.rng, self.tastes = vocabulary, rows, emotion, rng, tastes
        self.words: list[Word] = []
        self.bars_done = 0
        self.stopped = ""
        self._last_bar = int(rows[-1, BAR])
        self._most = most or WORDS_A_BAR * (self._last_bar + 1)
        self._column = vocabulary.column
        self._bar_id = vocabulary.id("barbeat", "Bar")
        self._kind = {str(value): k for k, value in enumerate(vocabulary.field("type").values)}
        self._tempo_id = self._nearest_tempo(int(rows[0, TEMPO]))
        self._slices: dict[str, slice] = {}
        start = 0
        for field in vocabulary.fields:
            if field.name != "type":
                self._slices[field.name] = slice(start, start + len(field.values))
                start += len(field.values)
        self._density_row = 1
        self._strength_row: int | None = None

    def write(self) -> Generator[Word, Answer, None]:
        """The words to hear; send what the network expects next."""
        yield self._append(self._word(type=self._kind["Emotion"], emotion=self.emotion))
        first = self._word(type=self._kind["Metrical"], barbeat=self._bar_id, time=int(self.rows[0, TIME]))
        answer = yield self._append(first)
        while len(self.words) < self._most:
            word = self._sampled(answer)
            if not self._overwritten(word):
                self._append(self._word())
                return
            answer = yield self._append(word)
            if word[self._column["type"]] == self._kind["EOS"]:
                self.stopped = "EOS"
                return
        self.stopped = "words"

    def _append(self, word: Word) -> Word:
        self.words.append(word)
        return word

    def _word(self, **ids: int) -> Word:
        word = np.zeros(len(self.vocabulary.fields), np.int64)
        for name, id in ids.items():
            word[self._column[name]] = id
        return word

    def _nearest_tempo(self, bpm: int) -> int:
        known = {id: int(str(v)[6:]) for id, v in enumerate(self.vocabulary.field("tempo").values) if str(v)[:6] == "Tempo_"}
        return min(known, key=lambda id: (abs(known[id] - bpm), known[id]))

    def _sampled(self, answer: Answer) -> Word:
        """Every field drawn, whatever the type; the emotion is never drawn."""
        kind = choose(answer.type, self.tastes["type"], self.rng)
        word = self._word(type=kind)
        for name, place in self._slices.items():
            if name != "emotion":
                word[self._column[name]] = choose(answer.fields[kind, place], self.tastes[name], self.rng)
        return word

    def _row(self, number: int) -> npt.NDArray[np.int64]:
        # the published program reads past the end of a film of one row
        return self.rows[number] if number < len(self.rows) else np.zeros(6, np.int64)

    def _overwritten(self, word: Word) -> bool:
        """Overwrites what the film says, in the published order; False where the piece ends instead."""
        at, kinds = self._column, self._kind
        tempi = self.vocabulary.field("tempo").values
        if word[at["type"]] == kinds["Metrical"] and tempi[word[at["tempo"]]] not in (0, "CONTI"):
            word[at["tempo"]] = self._tempo_id
        if word[at["barbeat"]] == self._bar_id and not self._next_bar(word):
            return False
        if word[at["type"]] == kinds["Rhythm"]:
            self._rhythm(word)
        if word[at["time"]] >= 100:
            self.stopped = "time"
            return False
        return True

    def _next_bar(self, word: Word) -> bool:
        """A bar was sampled, in a word of any type; False after the last one."""
        self.bars_done += 1
        if self.bars_done > self._last_bar:
            self.stopped = "bars"
            return False
        row = int(np.flatnonzero((self.rows[:, BAR] == self.bars_done) & (self.rows[:, TYPE] == METRICAL))[0])
        word[self._column["time"]] = self.rows[row, TIME]
        self._density_row = row + 1 if self._row(row + 1)[BAR] == self.bars_done else 0
        return True

    def _rhythm(self, word: Word) -> None:
        at, asked = self._column, self._row(self._density_row)
        if word[at["density"]] and asked[DENSITY]:
            word[at["density"]], word[at["time"]] = asked[DENSITY], asked[TIME]
            self._strength_row = self._density_row + 1
        last = self._density_row + asked[DENSITY]
        # a strength row may still be one of the bar before: published as it is
        if asked[DENSITY] and word[at["strength"]] and self._strength_row is not None and self._strength_row <= last:
            row = self._row(self._strength_row)
            word[at["strength"]], word[at["time"]] = row[STRENGTH], row[TIME]
            self._strength_row += 1
