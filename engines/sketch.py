"""Sketches without a film: so many bars of one tempo and metre, from a brief alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from engines.engine import BarBrief, Brief, load_engine
from engines.errors import OptionError
from engines.files import folder, may_hold
from engines.score.bass import with_bass
from engines.score.harmony import chord_names
from engines.score.perform import perform
from engines.score.smf import Score, write_smf
from engines.spotting.brief import key_name
from engines.spotting.solve import FASTEST, SLOWEST
from engines.spotting.tempo import Metre, TempoMap

MOST_BARS, MOST_FILES = 2000, 10000
FOUR_FOUR = Metre()


@dataclass(frozen=True)
class Sketch:
    """What to sketch: ``bars`` of ``metre`` at ``bpm``, and what every bar should be (None: the engine decides)."""

    bars: int = 8
    bpm: Fraction = Fraction(100)
    metre: Metre = FOUR_FOUR
    mood: int | None = None
    density: int | None = None
    energy: float | None = None
    register: float | None = None
    key: str | None = None
    chords: tuple[str, ...] = ()

    def brief(self) -> Brief:
        """The brief; ``chords`` go round, one a bar."""
        if not 1 <= self.bars <= MOST_BARS:
            raise OptionError(f"{self.bars} bars are not 1 to {MOST_BARS}", where="--bars", cure="compose longer music in parts")
        if not SLOWEST <= self.bpm <= FASTEST:
            raise OptionError(f"{float(self.bpm):g} BPM is not in {SLOWEST}..{FASTEST}", where="--tempo", cure="70-140 is usual")
        length, chords = self.metre.length, chord_names(self.chords)
        bars = tuple(
            BarBrief(
                k * length,
                length,
                (self.metre.beats, self.metre.unit),
                float(self.bpm),
                self.density,
                self.energy,
                self.register,
                chords[k % len(chords)] if chords else None,
            )
            for k in range(self.bars)
        )
        return Brief(bars, mood=self.mood, key=None if self.key is None else key_name(self.key))


def sketches(
    sketch: Sketch,
    out: Path,
    count: int = 1,
    seed: int = 1,
    engine: str = "bmt",
    provider: str | None = None,
    performance: float = 0.5,
    on_progress: Callable[[float, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    features: Sequence[Path] = (),
) -> list[Path]:
    """Writes ``count`` MIDI files ``sketch-SEED.mid`` of one brief into ``out``, with seeds from ``seed`` on."""
    if not 1 <= count <= MOST_FILES:
        raise OptionError(f"{count} files are not 1 to {MOST_FILES}", where="--count", cure="ask for fewer")
    composer, brief = load_engine(engine, provider, features=features), sketch.brief()
    may_hold(out)  # what cannot be written is said before an hour of composing
    tempo_map = TempoMap.steady(sketch.bpm, sketch.bars, sketch.metre)
    made = []
    for k in range(count):

        def told(done: float, total: float, k: int = k) -> None:
            if on_progress:
                on_progress(k + done / total, count)

        take = composer.compose(brief, seed + k, on_progress=told, cancelled=cancelled)
        notes = perform(with_bass(take.notes, brief.bars), tempo_map, amount=performance, seed=seed + k, bars=brief.bars)
        key, length = take.recipe.get("key"), tempo_map.seconds(sketch.bars * sketch.metre.length)
        score = Score(tempo_map, notes, f"sketch {seed + k}", key if isinstance(key, str) else None, length=length)
        made.append(write_smf(folder(out) / f"sketch-{seed + k}.mid", score))
    return made
