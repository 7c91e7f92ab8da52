"""BM-Transformer as an engine: a brief in, notes in beats out, one recurrent step a word through onnxruntime.

A cue is written in windows of a dozen bars, each of which hears the four bars before it, because the network learned windows of
up to 1,024 words. Bars longer than sixteen sixteenths (5/4, 9/8) are told to the network as two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.bmt.grammar import STRICT, Answer, PlannedBar, Writer
from engines.bmt.sampling import Taste
from engines.bmt.tokens import GridNote, Piece, encode, nearest_tempo, our_events, percent, register_level
from engines.bmt.vocabulary import ENERGY_LEVELS, KEYS, ROOTS, STEPS_PER_BAR, STEPS_PER_BEAT, Field, Vocabulary
from engines.engine import MOODS, BarBrief, Brief, Progress
from engines.errors import Cancelled, ModelError, OptionError
from engines.runtime import Model, open_model
from engines.score.notes import STEMS, Note, Take, sorted_notes

WINDOW_BARS, CONTEXT_BARS = 12, 4
RANGES = {"melody": (55, 96), "bridge": (43, 91), "piano": (28, 96)}
"""Pitches that a stem may use; POP909's own extremes at 0.1 %."""


def vocabulary_of(model: Model) -> Vocabulary:
    """The vocabulary that a graph carries in its metadata; ModelError where it has none."""
    try:
        rows = json.loads(model.metadata["vocabulary"])
        return Vocabulary(
            model.metadata.get("vocabulary_name", "external"), tuple(Field(n, k, w, tuple(v)) for n, k, w, v in rows)
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            "carries no vocabulary", where=model.card.graph, cure="export it again: python main.py export bmt --checkpoint FILE"
        ) from error


class Stepper:
    """The graph with its state, for a batch of pieces."""

    def __init__(self, model: Model, batch: int, official_position: bool = False) -> None:
        config = json.loads(model.metadata["config"])
        f = config["width"] // config["heads"]
        self._model, self._official, self._at = model, official_position, 0
        self._limit = int(config["positions"])
        self._s = np.zeros((config["layers"], batch, config["heads"], f, f), np.float32)
        self._z = np.zeros((config["layers"], batch, config["heads"], f), np.float32)

    def hear(self, words: npt.NDArray[np.int64]) -> list[Answer]:
        """(batch, fields) in, what is expected next out, a piece each."""
        position = np.full(len(words), 0 if self._official else min(self._at, self._limit - 1), np.int64)
        kinds, fields, self._s, self._z = self._model.run({"word": words, "position": position, "s": self._s, "z": self._z})
        self._at += 1
        return [Answer(k, f) for k, f in zip(kinds, fields, strict=True)]


@dataclass(frozen=True)
class ModelBar:
    """A bar as the network is told it: ``start`` in beats, ``steps`` sixteenths (at most 16), and the brief that it belongs to."""

    start: Fraction
    steps: int
    brief: BarBrief


def model_bars(bars: Sequence[BarBrief]) -> list[ModelBar]:
    """Bars of at most sixteen sixteenths; a longer one is halved on a beat, the longer half first."""
    out: list[ModelBar] = []
    for bar in bars:
        steps = int(STEPS_PER_BEAT * bar.length)
        if steps < 1:
            raise OptionError(
                f"bar at beat {bar.start} is {bar.length} beats long", where="brief", cure="give a metre of a sixteenth or more"
            )
        if steps <= STEPS_PER_BAR:
            out.append(ModelBar(bar.start, steps, bar))
            continue
        parts = -(-steps // STEPS_PER_BAR)
        beats = -(-steps // (parts * STEPS_PER_BEAT)) * STEPS_PER_BEAT
        at = 0
        while at < steps:
            size = min(beats, steps - at, STEPS_PER_BAR)
            share = None if bar.density is None else round(bar.density * size / steps)
            out.append(ModelBar(bar.start + Fraction(at, STEPS_PER_BEAT), size, replace(bar, density=share)))
            at += size
    return out


@dataclass(frozen=True)
class BMTEngine:
    """The engine ``bmt``. ``tastes`` is how boldly fields are drawn."""

    provider: str | None = None
    folder: Path | None = None
    tastes: Mapping[str, Taste] | None = None
    name: str = "bmt"

    @property
    def model(self) -> Model:
        """The checked, warmed model."""
        return open_model("bmt", self.provider, self.folder, warm=_warm)

    def compose(
        self,
        brief: Brief,
        seed: int,
        keep: Collection[Note] | None = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Take:
        """See `engines.engine.Engine`. The network hears what lies before the bars, not what comes after them."""
        model = self.model
        vocabulary = vocabulary_of(model)
        if vocabulary.name != "ours":
            raise ModelError(
                "is a published checkpoint, which has no stems",
                where=model.card.graph,
                cure="compose with --mode official, or use the shipped graph",
            )
        bars = model_bars(brief.bars)
        rng = np.random.default_rng([seed, 0])
        key = brief.key or _key(brief.mood, rng)
        if key not in KEYS:
            raise OptionError(f"no key is named {key!r}", where="--key", cure="write C:maj, F#:min and so on")
        kept = tuple(keep or ())
        session = _Session(brief, key, bars, vocabulary, kept, self.tastes or STRICT)
        notes: list[Note] = []
        chords: list[tuple[Fraction, str]] = []
        for number, first in enumerate(range(0, len(bars), WINDOW_BARS)):
            window = bars[first : first + WINDOW_BARS]
            writer = session.writer(np.random.default_rng([seed, 1 + number]))
            words = writer.write(session.primer(first, notes, chords), session.plan(first, window))
            stepper = Stepper(model, 1)
            word = next(words)
            while True:
                if cancelled and cancelled():
                    raise Cancelled
                answer = stepper.hear(word[None])[0]
                try:
                    word = words.send(answer)
                except StopIteration:
                    break
                if on_progress:
                    on_progress(first + writer.bars_done, len(bars))
            notes += [_note(window[w.bar], w.note) for w in writer.notes]
            chords += [(window[bar].start + Fraction(step, STEPS_PER_BEAT), chord) for bar, step, chord in writer.chords]
        if on_progress:
            on_progress(len(bars), len(bars))
        recipe: dict[str, object] = {
            "engine": self.name,
            "model": model.card.sha256,
            "seed": seed,
            "key": key,
            "provider": model.provider.name,
            "kept": len(kept),
        }
        return Take(sorted_notes([*_clear(notes, kept), *kept]), recipe, tuple(chords))


def _clear(notes: list[Note], kept: tuple[Note, ...]) -> Iterator[Note]:
    """New notes, shortened where the same pitch of their stem sounds again, left out where a kept one sounds already."""
    by_pitch: dict[tuple[str, int], list[tuple[Note, bool]]] = {}
    for note in notes:
        by_pitch.setdefault((note.stem, note.pitch), []).append((note, False))
    for note in kept:
        by_pitch.setdefault((note.stem, note.pitch), []).append((note, True))
    for voices in by_pitch.values():
        voices.sort(key=lambda v: (v[0].start, not v[1]))
        held = Fraction(-1)
        for (note, is_kept), following in zip(voices, [*voices[1:], None], strict=True):
            if is_kept:
                held = max(held, note.end)
            elif note.start >= held:
                end = note.end if following is None else min(note.end, following[0].start)
                if end > note.start:
                    yield replace(note, length=end - note.start)


def _note(bar: ModelBar, note: GridNote) -> Note:
    length = Fraction(note.length, STEPS_PER_BEAT) if note.length else Fraction(1, 2 * STEPS_PER_BEAT)
    return Note(bar.start + Fraction(note.step, STEPS_PER_BEAT), note.pitch, length, note.velocity, note.stem)


def _key(mood: int | None, rng: np.random.Generator) -> str:
    """A key that fits the mood: major for high valence, minor for low, either without one."""
    root, coin = ROOTS[int(rng.integers(12))], rng.random()
    major = mood in (MOODS["happy"], MOODS["calm"]) if mood else coin < 0.55
    return f"{root}:{'maj' if major else 'min'}"


def _warm(model: Model) -> None:
    """One step, so that the first bar is not the slow one."""
    width = len(vocabulary_of(model).fields)
    Stepper(model, 1).hear(np.zeros((1, width), np.int64))


class _Session:
    """What stays the same over the windows of one cue."""

    def __init__(
        self,
        brief: Brief,
        key: str,
        bars: list[ModelBar],
        vocabulary: Vocabulary,
        kept: tuple[Note, ...],
        tastes: Mapping[str, Taste],
    ) -> None:
        self.brief, self.key, self.bars, self.vocabulary, self.kept, self.tastes = brief, key, bars, vocabulary, kept, tastes
        for before, after in pairwise(bars):
            if before.start + Fraction(before.steps, STEPS_PER_BEAT) > after.start:
                raise OptionError(f"bars overlap at beat {after.start}", where="brief", cure="give bars in order, without gaps")

    def writer(self, rng: np.random.Generator) -> Writer:
        return Writer(self.vocabulary, rng, self.brief.stems, RANGES, self.tastes)

    def plan(self, first: int, window: Sequence[ModelBar]) -> list[PlannedBar]:
        """The bars of a window, with everything that the brief fixes as ids."""
        times = self._percent(first, window)
        return [self._planned(bar, time) for bar, time in zip(window, times[-len(window) :], strict=True)]

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
        """The bars before: of this cue, or, at its start, as many 4/4 bars of what was played before it."""
        if first or not self.brief.before:
            return self.bars[max(0, first - CONTEXT_BARS) : first]
        begin, bpm = self.bars[0].start, self.bars[0].brief.bpm
        earliest = min(n.start for n in self.brief.before)
        count = min(CONTEXT_BARS, int(-(-(begin - earliest) // 4)))
        return [ModelBar(s, 16, BarBrief(s, Fraction(4), bpm=bpm)) for k in range(count, 0, -1) for s in [begin - 4 * k]]

    def primer(self, first: int, notes: Sequence[Note], chords: Sequence[tuple[Fraction, str]]) -> list[npt.NDArray[np.int64]]:
        """The prefix, and the bars before as words."""
        context = self._context(first)
        events = our_events(self._piece(context, [*self.brief.before, *self.kept, *notes], chords))
        events[0] |= {"emotion": self.brief.mood or 0, "key": self.key}
        body = events[:-2] if context else events[:1]
        words = encode(body, self.vocabulary).astype(np.int64)
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

    def _piece(self, context: list[ModelBar], notes: Sequence[Note], chords: Sequence[tuple[Fraction, str]]) -> Piece:
        """Notes that start in the context's bars, on their grid."""
        grid: dict[tuple[int, int, str], GridNote] = {}
        changes: dict[int, str] = {}
        at = 0
        for bar in context:
            end = bar.start + Fraction(bar.steps, STEPS_PER_BEAT)
            for note in notes:
                if bar.start <= note.start < end:
                    found = _on_grid(note, bar)
                    grid[at + found.step, found.pitch, found.stem] = replace(found, step=at + found.step)
            for beat, chord in chords:
                if bar.start <= beat < end:
                    changes[at + int(STEPS_PER_BEAT * (beat - bar.start))] = chord
            at += bar.steps
        tempi = ((0, Fraction(context[0].brief.bpm).limit_denominator(1000)),) if context else ((0, Fraction(100)),)
        return Piece(tuple(sorted(grid.values())), tuple(b.steps for b in context), tuple(sorted(changes.items())), tempi)

    def _planned(self, bar: ModelBar, times: list[int]) -> PlannedBar:
        brief, end = bar.brief, bar.start + Fraction(bar.steps, STEPS_PER_BEAT)
        hits: dict[int, int] = {}
        for hit in self.brief.hits:
            offset = STEPS_PER_BEAT * (hit.beat - bar.start)
            if hit.hard and bar.start <= hit.beat < end and offset.denominator == 1:
                # a hit sounds as a chord: two notes for the softest, six for the strongest (mean of POP909: 2.3, maximum 12)
                hits[int(offset)] = 2 + round(4 * hit.strength)
        kept: dict[int, list[GridNote]] = {}
        for note in self.kept:
            if bar.start <= note.start < end:
                found = _on_grid(note, bar)
                if all((other.pitch, other.stem) != (found.pitch, found.stem) for other in kept.get(found.step, [])):
                    kept.setdefault(found.step, []).append(found)
        return PlannedBar(
            bar.steps,
            times,
            self.vocabulary.id("tempo", nearest_tempo(brief.bpm)),
            None if brief.density is None else min(bar.steps, brief.density),
            None if brief.energy is None else min(ENERGY_LEVELS, max(1, 1 + int(brief.energy * ENERGY_LEVELS))),
            None if brief.register is None else register_level(brief.register),
            None if brief.chord is None else self._chord(brief.chord),
            hits,
            {step: tuple(notes) for step, notes in kept.items()},
        )

    def _chord(self, symbol: str) -> int:
        from engines.bmt.data import chord_word

        word = symbol if symbol in self.vocabulary.field("chord").ids else chord_word(symbol)
        if word == "N_N" and symbol not in ("N", "N_N"):
            raise OptionError(f"no chord is named {symbol!r}", where="--chords", cure="write C:maj, A:min7, G:sus4, Bb:7 or N")
        return self.vocabulary.id("chord", word)


def _on_grid(note: Note, bar: ModelBar) -> GridNote:
    """A note on its bar's sixteenths: the nearest one (within the bar), the pitch folded into the words' range."""
    step = min(bar.steps - 1, max(0, round(STEPS_PER_BEAT * (note.start - bar.start))))
    pitch = note.pitch
    while pitch > 105:
        pitch -= 12
    while pitch < 22:
        pitch += 12
    return GridNote(
        step,
        pitch,
        min(16, max(1, round(STEPS_PER_BEAT * note.length))),
        note.velocity,
        note.stem if note.stem in STEMS else "piano",
    )
