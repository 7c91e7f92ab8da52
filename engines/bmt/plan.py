"""A brief as the network is told it: bars of at most sixteen sixteenths, and all that is fixed in them, as ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engines.bmt.data import chord_word
from engines.bmt.echo import HeardBar
from engines.bmt.grammar import PlannedBar
from engines.bmt.recall import CLEAR, LIKENESS, Recall
from engines.bmt.tokens import (
    GridNote,
    Piece,
    encode,
    nearest_tempo,
    our_events,
    percent,
    published_events,
    register_level,
)
from engines.bmt.vocabulary import ENERGY_LEVELS, ROOTS, STEPS_PER_BAR, STEPS_PER_BEAT, Vocabulary
from engines.engine import BarBrief, Brief
from engines.errors import OptionError
from engines.form import HEARD, LENGTH, PHRASE, THEME, Form, recollected, shifts, theme_bars
from engines.score.harmony import CURE
from engines.score.notes import STEMS, Note

WINDOW_BARS, CONTEXT_BARS = 12, 4
"""Bars written in one go, and bars before them that the network hears: together they fit into the 1,024 words that it learned."""
RETURNS = ((2, 0.48), (1, 0.62))
"""How often phrases return (`engines.form.Returns`), set by how much of what is played comes back (tests/benchmarks/test_themes.py)."""
SOON, LATER = 0.2, 0.53
"""How often a bar that clearly comes back is told to be of the likest, after one phrase and after two or more. In POP909 (all parts) it is
0.36 and 0.53 of those; but of eight bars, four and the same four again came out as copies oftener than in songs."""
HELD = 0.4
"""How much of that chance the bar before it decides (the same songs)."""


def alike(form: Form, rng: np.random.Generator) -> tuple[int, ...]:
    """How much each bar of a form is told to be as what it takes up, 0 where it takes nothing up: in songs about half
    of what comes back is varied. One that the brief gives is told as it is."""
    out, level = [], 0
    for number, source in enumerate(form):
        drawn, chance = rng.random(), SOON if source is not None and number - source < 2 * PHRASE else LATER
        if level:
            chance += HELD * ((level == LIKENESS) - chance)
        level = LIKENESS if drawn < chance else CLEAR
        level = 0 if source is None else LIKENESS if source <= THEME // 2 else level
        out.append(level)
    return tuple(out)


@dataclass(frozen=True)
class ModelBar:
    """A bar as the network is told it: ``start`` in beats, ``steps`` sixteenths (at most 16), and the brief that it belongs to."""

    start: Fraction
    steps: int
    brief: BarBrief

    @property
    def end(self) -> Fraction:
        """The beat at which the next one begins."""
        return self.start + Fraction(self.steps, STEPS_PER_BEAT)


def model_bars(bars: Sequence[BarBrief], forced: Callable[[ModelBar], int] = lambda bar: 0) -> list[ModelBar]:
    """Bars of at most sixteen sixteenths; a longer one is cut on beats into nearly equal parts, the longer first.

    The density of a bar that is cut is shared out by length, but no part gets fewer than ``forced`` says that it must have.
    Raises OptionError for a bar that is shorter than a sixteenth, or that begins before the last one ends.
    """
    out: list[ModelBar] = []
    for bar in bars:
        steps = int(STEPS_PER_BEAT * bar.length)
        if steps < 1:
            raise OptionError(
                f"bar at beat {bar.start} is {bar.length} beats long", where="brief", cure="give a metre of a sixteenth or more"
            )
        count = -(-steps // STEPS_PER_BAR)
        size = min(STEPS_PER_BAR, -(-steps // (count * STEPS_PER_BEAT)) * STEPS_PER_BEAT)
        parts = [ModelBar(bar.start + Fraction(at, STEPS_PER_BEAT), min(size, steps - at), bar) for at in range(0, steps, size)]
        if bar.density is not None and len(parts) > 1:
            shares = _shares(bar.density, [part.steps for part in parts], [forced(part) for part in parts])
            parts = [replace(part, brief=replace(bar, density=share)) for part, share in zip(parts, shares, strict=True)]
        out += parts
    for before, after in pairwise(out):
        if before.end > after.start:
            raise OptionError(f"bars overlap at beat {after.start}", where="brief", cure="give bars in order, without gaps")
    return out


def _shares(density: int, sizes: Sequence[int], least: Sequence[int]) -> list[int]:
    """``density`` onsets over parts by their sizes, none below its least; more in all only where the least are more."""
    total, ends = sum(sizes), np.cumsum([0, *sizes])
    cumulative = [(2 * density * int(end) + total) // (2 * total) for end in ends]
    shares = [b - a for a, b in pairwise(cumulative)]
    for k, floor in enumerate(least):
        while shares[k] < floor:
            donor = max(range(len(shares)), key=lambda n: shares[n] - least[n])
            if shares[donor] > least[donor]:
                shares[donor] -= 1
            shares[k] += 1
    return shares


def on_grid(note: Note, bar: ModelBar) -> GridNote:
    """A note on its bar's sixteenths: the nearest one (within the bar), the pitch folded into the words' range."""
    step = min(bar.steps - 1, max(0, round(STEPS_PER_BEAT * (note.start - bar.start))))
    pitch = note.pitch
    while pitch > 105:
        pitch -= 12
    while pitch < 22:
        pitch += 12
    length = min(STEPS_PER_BAR, max(1, round(STEPS_PER_BEAT * note.length)))
    return GridNote(step, pitch, length, note.velocity, note.stem if note.stem in STEMS else "piano")


def heard_chord(notes: Sequence[GridNote]) -> str:
    """The major or minor triad that most of the sounding time of ``notes`` belongs to, as a chord word; ``N_N`` where none does."""
    heard = [0.0] * 12
    for note in notes:
        heard[note.pitch % 12] += max(note.length, 0.5)
    bass = min((note.pitch for note in notes), default=0) % 12
    best, word = sum(heard) / 2, "N_N"
    for root in range(12):
        for quality, third in (("M", 4), ("m", 3)):
            tones = [heard[root], heard[(root + third) % 12], heard[(root + 7) % 12]]
            fit = sum(tones) * (1.1 if root == bass else 1.0)
            if fit > best and sum(tone > 0 for tone in tones) > 1:
                best, word = fit, f"{ROOTS[root]}_{quality}"
    return word


class Planner:
    """What stays the same over the windows of one cue; ``bars`` are all of its bars as the network is told them, ``form`` says which
    bar of the brief takes up which (`engines.form`), ``likenesses`` how much it is as that (`alike`)."""

    def __init__(
        self,
        brief: Brief,
        key: str,
        vocabulary: Vocabulary,
        kept: Sequence[Note],
        form: Form = (),
        likenesses: Sequence[int] = (),
    ) -> None:
        self.brief, self.key, self.vocabulary, self.kept = brief, key, vocabulary, kept
        self._ours, self._formed = vocabulary.name == "ours", bool(form)
        self.bars = model_bars(brief.bars, lambda bar: len({*self._hits(bar), *self._kept_in(bar)}))
        self._numbers = {bar.start: number for number, bar in enumerate(self.bars)}
        self._back = {brief.bars[k].start: back for k, back in shifts(brief, form).items()}
        self._alike = {bar.start: level for bar, level in zip(brief.bars, likenesses, strict=False)}

    def plan(
        self, first: int, window: Sequence[ModelBar], notes: Sequence[Note] = (), chords: Sequence[tuple[Fraction, str]] = ()
    ) -> list[PlannedBar]:
        """The bars of a window, with everything that the brief fixes as ids; ``notes`` and ``chords`` are those of the windows
        before."""
        times = self._percent(first, window)
        planned = [self._planned(bar, time) for bar, time in zip(window, times[-len(window) :], strict=True)]
        heard = [*recollected(self.brief), *self.kept, *notes]
        return [replace(plan, again=self._again(first, bar, heard, chords)) for plan, bar in zip(planned, window, strict=True)]

    def _again(
        self, first: int, bar: ModelBar, notes: Sequence[Note], chords: Sequence[tuple[Fraction, str]]
    ) -> int | HeardBar | None:
        """What a bar takes up: a bar of the window that begins at ``first``, by its number there, or one of those before it."""
        back = self._back.get(bar.brief.start)
        if back is None:
            return None
        number = self._numbers.get(bar.start - back, -1)
        if number >= first:
            return number - first
        source = replace(bar, start=bar.start - back)
        inside = [on_grid(note, source) for note in notes if source.start <= note.start < source.end]
        # a chord is said again in every bar, at its start
        said = {int(STEPS_PER_BEAT * (beat - source.start)): chord for beat, chord in chords if source.start <= beat < source.end}
        return HeardBar(tuple(inside), said or {0: heard_chord(inside)})

    def _percent(self, first: int, window: Sequence[ModelBar]) -> list[list[int]]:
        """Relative time of each step of the context's bars and the window's, from the tempi of the brief."""
        bars = [*self._context(first), *window]
        lengths = [Fraction(b.steps) / Fraction(b.brief.bpm) for b in bars]
        total, at = sum(lengths, Fraction(0)), Fraction(0)
        out = []
        for bar, length in zip(bars, lengths, strict=True):
            out.append([percent(at + length * k / bar.steps, total) for k in range(bar.steps)])
            at += length
        return out

    def _context(self, first: int) -> list[ModelBar]:
        """The bars before that the network hears: of this cue, or, at its start, of what was played before it."""
        return self.bars[max(0, first - CONTEXT_BARS) : first] if first else self._played[-CONTEXT_BARS:]

    def _older(self, first: int) -> list[ModelBar]:
        """The bars before those."""
        return [*self._played, *self.bars[: max(0, first - CONTEXT_BARS)]] if first else self._played[:-CONTEXT_BARS]

    @cached_property
    def _played(self) -> list[ModelBar]:
        """As many 4/4 bars of what was played before the cue as a form knows."""
        if not self.brief.before:
            return []
        begin, bpm = self.bars[0].start, self.bars[0].brief.bpm
        earliest = min(n.start for n in self.brief.before)
        count = min(PHRASE * len(HEARD), int(-(-(begin - earliest) // LENGTH)))
        starts = [begin - LENGTH * k for k in range(count, 0, -1)]
        return [ModelBar(start, STEPS_PER_BAR, BarBrief(start, LENGTH, bpm=bpm)) for start in starts]

    def primer(self, first: int, notes: Sequence[Note], chords: Sequence[tuple[Fraction, str]]) -> list[npt.NDArray[np.int64]]:
        """The prefix, and the bars before as words."""
        context = self._context(first)
        words = self._words(context, notes, chords)
        if context:
            column, beat = self.vocabulary.column, self.vocabulary.field("barbeat").values
            times, bar, step = self._percent(first, self.bars[first : first + WINDOW_BARS]), -1, 0
            for word in words[1:]:
                place = beat[word[column["barbeat"]]]
                if place == "Bar":
                    bar, step = bar + 1, 0
                elif place != 0:
                    step = int(str(place)[5:])
                word[column["time"]] = times[bar][step]
        return list(words)

    def _words(
        self, bars: list[ModelBar], notes: Sequence[Note], chords: Sequence[tuple[Fraction, str]]
    ) -> npt.NDArray[np.int64]:
        """The prefix and these bars as words, without a closing bar and EOS: the music goes on."""
        piece = self._piece(bars, [*recollected(self.brief), *self.kept, *notes], chords)
        events = our_events(piece) if self._ours else published_events(piece)
        events[0] |= {"emotion": self.brief.mood or 0} | ({"key": self.key} if self._ours else {})
        said = events[:-2] if bars else events[:1]
        # a dictionary of another corpus may lack a tempo or a chord
        known = [{k: v if v in self.vocabulary.field(k).ids else 0 for k, v in event.items()} for event in said]
        return encode(known, self.vocabulary).astype(np.int64)

    def recall(self, backs: Sequence[int], first: int, notes: Sequence[Note], chords: Sequence[tuple[Fraction, str]]) -> Recall:
        """What the network recalls in the window that begins at ``first``: the bars that it does not hear there again, and which of them
        come back."""
        heard, older, window = self._context(first), self._older(first), self.bars[first : first + WINDOW_BARS]
        recent = older[-max(backs) - CONTEXT_BARS :]
        wanted = {bar.start - back for bar in window if (back := self._back.get(bar.brief.start)) is not None}
        far = [bar for bar in (*model_bars(theme_bars(self.brief)), *older[: -len(recent) or None]) if bar.start in wanted]
        before = [*far, *recent]
        places = {bar.start: k - len(before) for k, bar in enumerate([*before, *heard, *window])}
        sources: dict[int, list[int | None]] = {}
        likenesses: dict[int, list[int]] = {}
        for number, bar in enumerate([*heard, *window]):
            sources[number] = [number - back if number - back >= -len(recent) else None for back in backs]
            if number < len(heard) or not self._formed:
                continue
            shift = self._back.get(bar.brief.start)
            source = None if shift is None else places.get(bar.start - shift)
            nothing = self.brief.theme is not None and not self.brief.theme.lengths
            likenesses[number] = [1 if nothing else 0] * len(backs)
            if source is not None:
                slot = backs.index(number - source) if number - source in backs else 0
                sources[number][slot], likenesses[number][slot] = source, self._alike.get(bar.brief.start, LIKENESS)
        words = self._words(before, notes, chords)[1:]
        return Recall(self.vocabulary, backs, list(words), sources, likenesses)

    def _piece(self, context: list[ModelBar], notes: Sequence[Note], chords: Sequence[tuple[Fraction, str]]) -> Piece:
        """Notes that start in the context's bars, on their grid; a bar whose harmony nobody said gets what is heard in it."""
        grid: dict[tuple[int, int, str], GridNote] = {}
        changes: dict[int, str] = {}
        at = 0
        for bar in context:
            inside = [on_grid(note, bar) for note in notes if bar.start <= note.start < bar.end]
            said = {int(STEPS_PER_BEAT * (beat - bar.start)): chord for beat, chord in chords if bar.start <= beat < bar.end}
            if inside and not said:
                said = {0: heard_chord(inside)}
            for found in inside:
                grid[at + found.step, found.pitch, found.stem] = replace(found, step=at + found.step)
            changes |= {at + step: chord for step, chord in said.items()}
            at += bar.steps
        tempi = ((0, Fraction(context[0].brief.bpm).limit_denominator(1000)),) if context else ((0, Fraction(100)),)
        return Piece(tuple(sorted(grid.values())), tuple(b.steps for b in context), tuple(sorted(changes.items())), tempi)

    def _hits(self, bar: ModelBar) -> dict[int, int]:
        """Notes at least by step, for hard hits on the sixteenth grid: a chord of two for the softest, of six for the strongest
        (POP909: 2.3 on average, at most 12)."""
        hits: dict[int, int] = {}
        for hit in self.brief.hits:
            offset = STEPS_PER_BEAT * (hit.beat - bar.start)
            if hit.hard and 0 <= offset < bar.steps and offset.denominator == 1:
                hits[int(offset)] = 2 + round(4 * min(1.0, max(0.0, hit.strength)))
        return hits

    def _kept_in(self, bar: ModelBar) -> dict[int, tuple[GridNote, ...]]:
        """Kept notes by step; of two that are one word only the first."""
        kept: dict[int, dict[tuple[int, str], GridNote]] = {}
        for note in self.kept:
            if bar.start <= note.start < bar.end:
                found = on_grid(note, bar)
                found = found if self._ours else replace(found, stem="piano")
                kept.setdefault(found.step, {}).setdefault((found.pitch, found.stem), found)
        return {step: tuple(notes.values()) for step, notes in kept.items()}

    def _held(self, bar: ModelBar) -> dict[int, frozenset[tuple[int, str]]]:
        """Pitches and stems by step that notes which nobody may change still hold."""
        fixed = [note for note in (*self.brief.before, *self.kept) if note.start < bar.end and note.end > bar.start]
        places = {step: bar.start + Fraction(step, STEPS_PER_BEAT) for step in range(bar.steps)}
        return {
            step: frozenset((note.pitch, note.stem) for note in fixed if note.start <= place < note.end)
            for step, place in places.items()
        }

    def _planned(self, bar: ModelBar, times: list[int]) -> PlannedBar:
        brief = bar.brief
        return PlannedBar(
            bar.steps,
            times,
            self.vocabulary.field("tempo").ids.get(nearest_tempo(brief.bpm), 0),
            None if brief.density is None else min(bar.steps, max(0, brief.density)),
            None if brief.energy is None else min(ENERGY_LEVELS, max(1, 1 + int(brief.energy * ENERGY_LEVELS))),
            None if brief.register is None else register_level(brief.register),
            None if brief.chord is None else self._chord(brief.chord),
            self._hits(bar),
            self._kept_in(bar),
            self._held(bar),
        )

    def _chord(self, symbol: str) -> int:
        known = self.vocabulary.field("chord").ids
        word = symbol if symbol in known else chord_word(symbol)
        if word not in known or (word == "N_N" and symbol not in ("N", "N_N")):
            raise OptionError(f"no chord is named {symbol!r}", where="--chords", cure=CURE)
        return known[word]
