"""Diff-BGM as an engine: a brief in, notes in beats out, drawn from noise in windows of eight bars that overlap by four.

Each window hears what is there already (the window before it, neighbours of the cue, kept notes) as its known region, which it
returns bit by bit. Several candidates are drawn at once; the one that the brief had to bend least is played.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from engines.bmt.data import chord_word
from engines.bmt.plan import heard_chord
from engines.bmt.tokens import GridNote
from engines.bmt.vocabulary import ROOTS
from engines.diffbgm.balance import Balance
from engines.diffbgm.conditions import as_beat
from engines.diffbgm.config import DiffBGMConfig
from engines.diffbgm.features import Features, by_beat, load_features, window
from engines.diffbgm.outlines import outlined
from engines.diffbgm.pianoroll import BARS, BEATS, SOUNDS, STEPS, STEPS_PER_BAR, STEPS_PER_BEAT, Roll, read
from engines.diffbgm.plan import RETURNS, Plan
from engines.diffbgm.progressions import STATES, Counts, harmonised
from engines.diffbgm.sampler import Array, Keep, Known, Sampler, Told, published
from engines.diffbgm.schedule import TIMES
from engines.diffbgm.settle import settle
from engines.engine import MOODS, Brief, Progress, check
from engines.errors import Cancelled, ModelError, OptionError
from engines.form import form, letters
from engines.runtime import Model, open_model
from engines.score.harmony import CURE, chord_tones, scale_tones
from engines.score.metrics import best_key
from engines.score.notes import Note, Take, sorted_notes

MODES = ("strict", "official")
ENOUGH = 8
"""Neighbouring or kept notes from which a key is heard."""
CANDIDATES = 3
BEATS_PER_BAR = BEATS // BARS
THREADS = 4
"""Processor threads, at most: a batch of windows is work for several, but the DAW needs the rest."""


@dataclass(frozen=True)
class DiffBGMEngine:
    """The engine ``diffbgm``. ``steps`` evaluations a window, ``candidates`` windows drawn at once (None: `CANDIDATES`, but one of a
    published checkpoint, which costs as much as many of ours), ``guidance`` how far beyond the unconditioned music the brief pulls,
    ``warmth`` how much noise is added on the way (`engines.diffbgm.sampler`).

    ``mode``: ``strict`` draws in few steps; ``official`` is the published sampler of 999 steps, for a published checkpoint.
    ``features`` are files of what a published checkpoint hears of a film (`engines.diffbgm.features`). Raises OptionError for such
    that cannot be read, or that our own weights would not hear.
    """

    provider: str | None = None
    folder: Path | None = None
    mode: str = "strict"
    features: tuple[Path, ...] = ()
    steps: int = 10
    candidates: int | None = None
    guidance: float = 1.5
    warmth: float = 1.0
    name: str = "diffbgm"

    def __post_init__(self) -> None:
        if self.features:  # said before a long film is read
            load_features(self.features)
            if not config_of(self.model).caption:
                raise OptionError("is for a published checkpoint", where="--features", cure="leave it out: ours hears the brief")

    @property
    def model(self) -> Model:
        """The checked, warmed model."""
        return open_model("diffbgm", self.provider, self.folder, min(THREADS, os.cpu_count() or 1), warm)

    def compose(
        self,
        brief: Brief,
        seed: int,
        keep: Collection[Note] | None = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Take:
        """See `engines.engine.Engine`. The network hears what lies before the bars and what comes after them.

        Raises OptionError where the brief or the mode cannot be, and ModelError where the graph gives no numbers.
        """
        model = self.model
        config = config_of(model)
        kept = tuple(sorted(keep or ()))
        self._check(brief, config, model)
        rng = np.random.default_rng([seed, 0])
        key = brief.key or _key(brief, kept, rng, told=not config.caption)
        turns: Mapping[Fraction, str] = {}
        # a published network is drawn as it says
        sources = form(brief, np.random.default_rng([seed, 0, 1]), RETURNS) if config.predicts == "roll" else ()
        if key and "progressions" in model.metadata:
            harmony = harmonised(brief, kept, key, _moves(model), rng, sources)
            brief, turns = harmony.brief, harmony.turns
        if "outlines" in model.metadata:
            brief = outlined(brief, np.array(json.loads(model.metadata["outlines"])), rng, sources)
        plan = Plan(brief, kept, key, config.roll, turns, sources)
        drawing = _Drawing(self, plan, config, model, load_features(self.features), seed, _Watch(on_progress, cancelled))
        notes = drawing.notes()
        recipe: dict[str, object] = {
            "engine": self.name,
            "mode": self.mode,
            "model": model.card.sha256,
            "seed": seed,
            "key": key,
            "provider": model.provider.name,
            "kept": len(kept),
            "steps": drawing.steps,
            "candidates": drawing.candidates,
            "guidance": self.guidance,
            "told": drawing.told_in_words,
        }
        if sources:
            recipe["form"] = letters(sources)
        return Take(sorted_notes([*notes, *kept]), recipe, _chords(plan, [*notes, *kept]))

    def _check(self, brief: Brief, config: DiffBGMConfig, model: Model) -> None:
        """Refuses everything that cannot be."""
        check(brief, self.mode, MODES)
        if self.mode == "official" and config.predicts != "noise":
            raise ModelError(
                "is not a published checkpoint, for which alone the official mode is", where=model.card.graph, cure="use strict"
            )
        if brief.key is not None and scale_tones(brief.key) is None:
            raise OptionError(f"no key is named {brief.key!r}", where="--key", cure="write C:maj, F#:min and so on")
        for symbol in {bar.chord for bar in brief.bars} - {None, "N", "N_N"}:
            if not chord_tones(str(symbol)):
                raise OptionError(f"no chord is named {symbol!r}", where="--chords", cure=CURE)


def config_of(model: Model) -> DiffBGMConfig:
    """The sizes that a graph carries. Raises ModelError where it is no graph of this engine."""
    try:
        return DiffBGMConfig.from_dict(json.loads(model.metadata["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError("is no graph of Diff-BGM", where=model.card.graph, cure="export it again") from error


def denoise(model: Model, config: DiffBGMConfig, x: Array, t: np.ndarray, condition: Array) -> Array:
    """One call of the graph."""
    times = len(condition) // len(x)
    if times > 1 and model.metadata.get("conditions") != "multiple":  # a graph of an earlier export
        x, t = np.concatenate([x] * times), np.concatenate([t] * times)
    inputs: dict[str, np.ndarray] = {
        "x": x.astype(np.float32, copy=False),
        "t": t.astype(np.int64),
        "condition": condition.astype(np.float32, copy=False),
    }
    if config.caption:
        inputs["caption"] = np.zeros((len(x), BEATS, config.caption), np.float32)
    answer: Array = model.run(inputs)[0]
    return answer


def warm(model: Model) -> None:
    """One call, so that the first window is not the slow one."""
    config = config_of(model)
    blank = np.zeros((1, *config.roll.shape), np.float32)
    denoise(model, config, blank, np.zeros(1, np.int64), np.zeros((1, BEATS, config.condition), np.float32))


class _Watch:
    """Progress told and cancel asked, in units of evaluations and of bars."""

    def __init__(self, on_progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self._on_progress, self._cancelled = on_progress, cancelled
        self.done, self.total = 0, 1

    def ask(self) -> None:
        """Raises Cancelled once the person wants to stop."""
        if self._cancelled and self._cancelled():
            raise Cancelled

    def tell(self) -> None:
        """One more unit is done."""
        self.done += 1
        if self._on_progress:
            self._on_progress(self.done, self.total)


class _Drawing:
    """One answer while it is drawn: the roll of the whole cue fills window by window."""

    def __init__(
        self,
        engine: DiffBGMEngine,
        plan: Plan,
        config: DiffBGMConfig,
        model: Model,
        features: Features,
        seed: int,
        watch: _Watch,
    ) -> None:
        self.engine, self.plan, self.config, self.model, self.seed, self.watch = engine, plan, config, model, seed, watch
        self.roll = plan.known.copy()
        self.settled = np.array([not slot.new for slot in plan.slots])
        noise = config.predicts == "noise"
        self._signed = not noise
        ask = partial(denoise, model, config)
        # the published roll is 0..1, ours -1..1
        self._sampler = Sampler(
            ask, config.predicts, config.schedule, engine.steps, (0.0, 1.0) if noise else (-1.0, 1.0), engine.warmth
        )
        self.steps = TIMES - 1 if engine.mode == "official" else engine.steps
        self._hears_brief = not config.caption
        self.candidates = engine.candidates or (CANDIDATES if self._hears_brief else 1)
        self._visual, self._caption = self._stretched(features.visual), self._stretched(features.caption)
        if self._caption is not None:
            self._caption = self._projected(self._caption)
        self.told_in_words = "the brief" if self._hears_brief else self._features_in_words()

    def notes(self) -> list[Note]:
        """Draws every window and reads the notes that are new."""
        windows = self.plan.windows()
        self.watch.total = len(windows) * self.steps + len(self.plan.cue)
        for number, first in enumerate(windows):
            self._window(number, first)
        return self._read()

    def _window(self, number: int, first: int) -> None:
        """Draws the candidates of one window and settles the bars that are new in the best of them."""
        rng = np.random.default_rng([self.seed, 1 + number])
        shape = (self.candidates, *self.config.roll.shape)
        known = self._known(first)
        x = rng.standard_normal(shape, np.float32)
        if self.engine.mode == "official":
            drawn = published(self._sampler.denoiser, x, self._told(first), known, rng)
        else:
            drawn = self._sampler.draw(x, self._told(first), known, rng, self._keep(first, known))
        clean = x
        for _ in range(self.steps):
            self.watch.ask()
            clean = next(drawn)
            if not np.isfinite(clean).all():
                raise ModelError("gives no music (not a number)", where=self.model.card.graph, cure="export it again")
            self.watch.tell()
        chances = (clean + 1) / 2 if self._signed else clean
        self._settle(np.clip(chances, 0, 1).astype(np.float32), first)

    def _settle(self, chances: Array, first: int) -> None:
        """The new bars of a window, from the candidate that has to be bent least."""
        new = [n for n in range(first, min(first + BARS, len(self.plan.slots))) if not self.settled[n]]
        best: tuple[float, list[Roll]] | None = None
        for candidate in chances:
            strain, rolls = 0.0, []
            for slot in new:
                self.watch.ask()
                at = STEPS_PER_BAR * (slot - first)
                bar = settle(candidate[:, at : at + STEPS_PER_BAR], self.plan, range(slot, slot + 1))
                strain += bar.strain
                rolls.append(bar.roll)
            if best is None or strain < best[0]:
                best = strain, rolls
        for slot, roll in zip(new, best[1] if best else [], strict=True):
            self.roll[:, STEPS_PER_BAR * slot : STEPS_PER_BAR * (slot + 1)] = roll
            self.settled[slot] = True
            self.watch.tell()

    def _known(self, first: int) -> Known:
        """What is there of a window: bars that are settled, and what is fixed in those that are not."""
        layers, _, pitches = self.config.roll.shape
        roll, mask = np.zeros((layers, STEPS, pitches), np.float32), np.zeros((layers, STEPS, pitches), np.bool_)
        slots = self.plan.slots[first : first + BARS]
        span = slice(STEPS_PER_BAR * first, STEPS_PER_BAR * (first + len(slots)))
        inside = slice(0, STEPS_PER_BAR * len(slots))
        roll[:, inside] = self.roll[:, span]
        mask[:, inside] = self.plan.mask[:, span] | np.repeat(self.settled[first : first + BARS], STEPS_PER_BAR)[None, :, None]
        return Known((2 * roll - 1 if self._signed else roll)[None], mask[None])

    def _keep(self, first: int, known: Known) -> Keep | None:
        """What a window of ours keeps on its way; a published network is drawn as it says."""
        if not self._signed:
            return None
        slots = self.plan.slots[first : first + BARS]
        asked = [slot.bar.brief.register if slot.new else None for slot in slots] + [None] * (BARS - len(slots))
        barred = np.ones((len(self.config.roll.voices), STEPS, self.config.roll.pitches), np.bool_)
        inside = STEPS_PER_BAR * len(slots)
        barred[:, :inside] = self.plan.barred[:, STEPS_PER_BAR * first : STEPS_PER_BAR * first + inside]
        balance = Balance(self.config.roll, known.mask[0], barred, asked, self._again(first))

        def kept(clean: Array, as_told: Array, t: int) -> Array:
            chances, counted = ((roll + np.float32(1)) / np.float32(2) for roll in (clean, as_told))
            out: Array = (2 * balance(chances, counted, t) - 1).astype(np.float32)
            return out

        return kept

    def _again(self, first: int) -> dict[int, int | Array]:
        """Which bars of a window take up which, see `Balance`; a bar that is settled speaks for itself."""
        found: dict[int, int | Array] = {}
        for slot in range(first, min(first + BARS, len(self.plan.slots))):
            source = None if self.settled[slot] else self.plan.source(slot)
            if isinstance(source, int):
                steps = slice(STEPS_PER_BAR * source, STEPS_PER_BAR * (source + 1))
                found[slot - first] = source - first if source >= first else self.roll[:, steps]
            elif source is not None:
                found[slot - first] = source
        return found

    def _told(self, first: int) -> Told:
        """The two sources of a window."""
        count, width = self.candidates, self.config.condition
        if self._hears_brief:
            tokens = np.repeat(self.plan.tokens(first)[None], count, axis=0)
            return Told(tokens, as_beat(tokens), width, self.engine.guidance)
        beat = BEATS_PER_BAR * (first - self.plan.cue.start)
        sources = [
            None if rows is None else np.repeat(window(rows, beat)[None], count, 0) for rows in (self._caption, self._visual)
        ]
        return Told(sources[0], sources[1], width, self.engine.guidance)

    def _stretched(self, rows: Array | None) -> Array | None:
        return None if rows is None else by_beat(rows, BEATS_PER_BAR * len(self.plan.cue), self.plan.brief.part)

    def _projected(self, rows: Array) -> Array:
        """Caption rows as conditions, by the network's own projection: of all windows at once, since the graph denoises a roll beside."""
        windows = np.stack([window(rows, beat) for beat in range(0, len(rows), BEATS)])
        more = len(windows) if self.model.metadata.get("conditions") != "multiple" else 1  # a graph of an earlier export
        inputs: dict[str, np.ndarray] = {
            "x": np.zeros((more, *self.config.roll.shape), np.float32),
            "t": np.zeros(more, np.int64),
            "condition": np.zeros((more, BEATS, self.config.condition), np.float32),
            "caption": windows,
        }
        projected: Array = self.model.run(inputs)[1].reshape(-1, self.config.condition)
        return projected[: len(rows)]

    def _features_in_words(self) -> str:
        given = [name for name, rows in (("captions", self._caption), ("picture", self._visual)) if rows is not None]
        return " and ".join(given) if given else "nothing: a published checkpoint hears a film only through --features"

    def _read(self) -> list[Note]:
        """The notes that the engine wrote, in beats."""
        layout, plan = self.config.roll, self.plan
        there = [plan.known[2 * voice] > SOUNDS for voice in range(len(layout.voices))]
        found = []
        for note in read(self.roll, layout, held_by_onset=True):
            slot = note.step // STEPS_PER_BAR
            if not plan.slots[slot].new or there[layout.voice(note.stem)][note.step, note.pitch - layout.lowest]:
                continue
            start, end = plan.place(note.step), plan.place(note.step + note.length)
            # the end of a bar that is cut short, or of the cue
            end = min(max(end, start + Fraction(1, 2 * STEPS_PER_BEAT)), plan.slots[plan.cue.stop - 1].bar.end)
            stem = note.stem if note.stem in plan.brief.stems else plan.brief.stems[0]
            found.append(Note(start, note.pitch, end - start, note.velocity, stem))
        return found


def _chords(plan: Plan, notes: Sequence[Note]) -> tuple[tuple[Fraction, str], ...]:
    """The harmony of each bar where it changes: as told, else as heard in its notes."""
    found: list[tuple[Fraction, str]] = []
    for number in plan.cue:
        bar = plan.slots[number].bar
        if bar.brief.chord is not None:
            for beat, chord in enumerate(plan.chords(number)):
                word = str(chord) if "_" in str(chord) else chord_word(str(chord))
                if bar.start + beat < bar.end and (not found or found[-1][1] != word):
                    found.append((bar.start + beat, word))
            continue
        inside = [n for n in notes if bar.start <= n.start < bar.end]
        if not inside:
            continue
        word = heard_chord([GridNote(0, n.pitch, round(STEPS_PER_BEAT * n.length), n.velocity, n.stem) for n in inside])
        if not found or found[-1][1] != word:
            found.append((bar.start, word))
    return tuple(found)


def _moves(model: Model) -> Counts:
    """How chords follow one another in what the model learned; a graph of an earlier export knows bars alone, which never turn."""
    counts: Counts = np.array(json.loads(model.metadata["progressions"]))
    if counts.ndim == 3:
        still = np.broadcast_to(np.eye(STATES, dtype=np.int64), counts.shape)
        counts = np.stack([still, counts], axis=1)
    return counts


def _key(brief: Brief, kept: Sequence[Note], rng: np.random.Generator, told: bool) -> str | None:
    """The key of what lies around; else, unless chords say the harmony or the network cannot be ``told``, one that fits the mood:
    major for high valence, minor for low, either without one."""
    around = [*brief.before, *kept, *brief.after]
    if len(around) >= ENOUGH:
        return best_key(around)
    root, coin = ROOTS[int(rng.integers(12))], rng.random()
    if not told or any(bar.chord for bar in brief.bars):
        return None
    major = brief.mood in (MOODS["happy"], MOODS["calm"]) if brief.mood else coin < 0.55
    return f"{root}:{'maj' if major else 'min'}"
