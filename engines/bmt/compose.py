"""BM-Transformer as an engine: a brief in, notes in beats out, one recurrent step a word through onnxruntime.

A cue is written in windows of a dozen bars, each of which hears the four bars before it, because the network learned windows of
up to 1,024 words. Bars longer than sixteen sixteenths (5/4, 9/8) are told to the network as two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from engines.bmt.data import FLATS
from engines.bmt.grammar import LEAN, STRICT, Answer, Word, Writer
from engines.bmt.lean import Harmony, Lean
from engines.bmt.official import OfficialSampler, brief_rows
from engines.bmt.plan import RETURNS, WINDOW_BARS, Planner, alike
from engines.bmt.published import PublishedWriter
from engines.bmt.sampling import PUBLISHED, Taste
from engines.bmt.step import Stepper, backs_of, vocabulary_of, warm
from engines.bmt.tokens import GridNote, decode
from engines.bmt.vocabulary import KEYS, ROOTS, STEPS_PER_BEAT, Vocabulary
from engines.engine import MOODS, Brief, Progress, check
from engines.errors import Cancelled, ModelError, OptionError
from engines.form import form, letters
from engines.runtime import Model, open_model
from engines.score.notes import STEMS, Note, Take, cleared, sorted_notes

RANGES = {"melody": (52, 93), "bridge": (43, 96), "piano": (33, 84)}
"""Pitches that a stem may use: all but a thousandth of POP909's at either end."""
SOLO = {"piano": (22, 105)}
"""The same for a published checkpoint, whose piano plays alone: all that its words can say."""
MODES = ("strict", "official")


@dataclass(frozen=True)
class BMTEngine:
    """The engine ``bmt``. ``tastes`` is how boldly fields are drawn, by default as the mode does.

    ``mode``: ``strict`` forces what the brief fixes, by the grammar of the graph's words, and keeps to its key and chords as firmly
    as ``lean`` says; ``official`` is the published inference for a published checkpoint, in which a brief only steers (hits as
    visual beats) and everything is one piano.
    """

    provider: str | None = None
    folder: Path | None = None
    tastes: Mapping[str, Taste] | None = None
    lean: Lean = LEAN
    mode: str = "strict"
    name: str = "bmt"

    @property
    def model(self) -> Model:
        """The checked, warmed model."""
        return open_model("bmt", self.provider, self.folder, warm=warm)

    def compose(
        self,
        brief: Brief,
        seed: int,
        keep: Collection[Note] | None = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Take:
        """See `engines.engine.Engine`. The network hears what lies before the bars, not what comes after them.

        Raises OptionError where the brief or the mode cannot be, and ModelError where the graph gives no numbers.
        """
        model = self.model
        vocabulary = vocabulary_of(model)
        key = self._checked(brief, vocabulary, model, seed)
        kept = tuple(keep or ())
        piece = _Piece(brief, seed, key, kept, vocabulary, model, on_progress, cancelled)
        try:
            if self.mode == "official":
                piece.official(self.tastes)
            else:
                piece.strict(self.tastes or STRICT, self.lean)
        except ValueError as error:
            raise ModelError(f"gives no music ({error})", where=model.card.graph, cure="export it again") from error
        recipe: dict[str, object] = {
            "engine": self.name,
            "mode": self.mode,
            "model": model.card.sha256,
            "seed": seed,
            "key": key,
            "provider": model.provider.name,
            "kept": len(kept),
        }
        end = max(bar.start + bar.length for bar in brief.bars)
        notes = [*cleared(piece.notes, kept, brief.before, end), *kept]
        return Take(sorted_notes(notes), recipe | piece.said, _changes(piece.chords))

    def _checked(self, brief: Brief, vocabulary: Vocabulary, model: Model, seed: int) -> str:
        """The key to compose in, after everything that cannot be was refused."""
        ours = vocabulary.name == "ours"
        check(brief, self.mode, MODES, STEMS if ours else ("piano",))
        if self.mode == "official" and ours:
            raise ModelError(
                "is not a published checkpoint, for which alone the official mode is", where=model.card.graph, cure="use strict"
            )
        key = brief.key or _key(brief.mood, np.random.default_rng([seed, 0]))
        root, _, mode = key.partition(":")
        key = f"{FLATS.get(root, root)}:{mode}"
        if key not in KEYS:
            raise OptionError(f"no key is named {brief.key!r}", where="--key", cure="write C:maj, F#:min and so on")
        return key


class _Piece:
    """One answer while it is made; ``notes``, ``chords`` and what to ``said`` in the recipe fill as it goes."""

    def __init__(
        self,
        brief: Brief,
        seed: int,
        key: str,
        kept: tuple[Note, ...],
        vocabulary: Vocabulary,
        model: Model,
        on_progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.brief, self.seed, self.key, self.kept, self.vocabulary, self.model = brief, seed, key, kept, vocabulary, model
        self._on_progress, self._cancelled = on_progress, cancelled
        self.notes: list[Note] = []
        self.chords: list[tuple[Fraction, str]] = []
        self.said: dict[str, object] = {}

    def strict(self, tastes: Mapping[str, Taste], lean: Lean) -> None:
        """Window by window; the grammar of the graph's own words is forced."""
        kind = Writer if self.vocabulary.name == "ours" else PublishedWriter
        # the published words are drawn as they say
        rng = np.random.default_rng([self.seed, 0, 1])
        sources = form(self.brief, rng, RETURNS) if kind is Writer and lean.again is not None else ()
        self.said = {"form": letters(sources)} if sources else {}
        planner = Planner(self.brief, self.key, self.vocabulary, self.kept, sources, alike(sources, rng))
        # the published words have no key: only one that the brief names is leant to
        harmony = Harmony(self.vocabulary, self.key if kind is Writer else self.brief.key, lean)
        ranges = RANGES if kind is Writer else SOLO
        stems, backs = [stem for stem in self.brief.stems if stem in kind.NOTE_TYPES], backs_of(self.model)
        for number, first in enumerate(range(0, len(planner.bars), WINDOW_BARS)):
            window = planner.bars[first : first + WINDOW_BARS]
            writer = kind(self.vocabulary, np.random.default_rng([self.seed, 1 + number]), stems, ranges, tastes, harmony)
            planned = planner.plan(first, window, self.notes, self.chords)
            words = writer.write(planner.primer(first, self.notes, self.chords), planned)
            recalls = [planner.recall(backs, first, self.notes, self.chords)] if backs else None
            stepper = Stepper(self.model, 1, recalls=recalls)
            self._play(words, stepper, lambda f=first, w=writer: f + w.bars_done, len(planner.bars))  # type: ignore[misc]
            self.notes += [_note(window[w.bar].start, w.note) for w in writer.notes]
            self.chords += [(window[bar].start + Fraction(step, STEPS_PER_BEAT), chord) for bar, step, chord in writer.chords]

    def official(self, tastes: Mapping[str, Taste] | None) -> None:
        """In one go, as published: 4/4 from the first bar, whatever the brief's metres."""
        rng = np.random.default_rng([self.seed, 1])
        emotion = self.brief.mood or int(rng.integers(1, 5))
        rows = brief_rows(self.brief)
        sampler = OfficialSampler(self.vocabulary, rows, emotion, rng, tastes or PUBLISHED)
        total = int(rows[-1, 1]) + 1
        self._play(sampler.write(), Stepper(self.model, 1, official_position=True), lambda: sampler.bars_done, total)
        piece = decode(np.array(sampler.words, np.int16), self.vocabulary)
        begin, end = self.brief.bars[0].start, max(bar.start + bar.length for bar in self.brief.bars)
        once = {(n.step, n.pitch): _note(begin, n) for n in piece.notes}
        self.notes = [note for note in once.values() if note.start < end]
        changes = [(begin + Fraction(step, STEPS_PER_BEAT), chord) for step, chord in piece.chords]
        self.chords = [change for change in changes if change[0] < end]
        self.said = {"emotion": emotion, "stopped": sampler.stopped, "words": len(sampler.words)}

    def _play(self, words: Generator[Word, Answer, None], stepper: Stepper, done: Callable[[], int], total: int) -> None:
        """Lets the network hear every word of a writer, and the writer what the network expects."""
        word = next(words)
        while True:
            if self._cancelled and self._cancelled():
                raise Cancelled
            answer = stepper.hear(word[None])[0]
            try:
                word = words.send(answer)
            except StopIteration:
                break
            if self._on_progress:
                self._on_progress(min(done(), total), total)
        if self._on_progress:
            self._on_progress(min(done(), total), total)


def _changes(chords: list[tuple[Fraction, str]]) -> tuple[tuple[Fraction, str], ...]:
    """Chords where they change: the words say them again in every bar."""
    return tuple(chord for chord, before in zip(chords, [None, *chords], strict=False) if before is None or chord[1] != before[1])


def _note(begin: Fraction, note: GridNote) -> Note:
    """A note of the grid in beats; a length of 0 sounds for half a step."""
    length = Fraction(note.length, STEPS_PER_BEAT) if note.length else Fraction(1, 2 * STEPS_PER_BEAT)
    return Note(begin + Fraction(note.step, STEPS_PER_BEAT), note.pitch, length, note.velocity, note.stem)


def _key(mood: int | None, rng: np.random.Generator) -> str:
    """A key that fits the mood: major for high valence, minor for low, either without one."""
    root, coin = ROOTS[int(rng.integers(12))], rng.random()
    major = mood in (MOODS["happy"], MOODS["calm"]) if mood else coin < 0.55
    return f"{root}:{'maj' if major else 'min'}"
