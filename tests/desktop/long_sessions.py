"""A session with two thousand shots, scored: what the window has to carry at its largest."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from engines.picture.cut import Cut
from engines.picture.cutlist import CutList
from engines.score.notes import STEMS, Note
from engines.session.model import ChosenMap, Film, Limits, PlayedNote, Scene, SceneTake, Session, part
from engines.spotting.hits import Hit
from engines.spotting.tempo import Metre, Segment, TempoMap

RATE = Fraction(24)
BARS = 8
"""Of every scene."""


def long_session(scenes: int, notes: int, hits: int, seed: int = 3) -> Session:
    """Scenes of eight bars with a take of so many notes each, a tempo of its own in every other bar, a hit and a cut here and there."""
    rng, bars = Random(seed), scenes * BARS
    segments = tuple(Segment(Fraction(8 * k), Fraction(60, 94 + k % 7)) for k in range(bars // 2))
    tempo_map = TempoMap(segments, (Metre(),) * bars)
    frames = int(tempo_map.seconds(4 * bars) * RATE) - 12
    takes = {}
    for k in range(scenes):
        drawn = {
            Note(Fraction(rng.randrange(128), 4), rng.randrange(40, 84), Fraction(1, 2), rng.randint(30, 110), stem)
            for stem in STEMS
            for _ in range(notes // len(STEMS))
        }
        own = part(tempo_map, Fraction(32 * k), Fraction(32 * k + 32))
        rows = tuple(PlayedNote(note, note) for note in sorted(drawn))
        takes[f"t{k}"] = SceneTake(f"s{k}", 1, "", "2026-01-01T00:00:00+00:00", own, (), {}, rows)
    at = sorted(rng.sample(range(48, frames - 48), hits))
    return Session(
        film=Film("/nowhere/reel.mov", "0" * 64, 1, RATE, frames, frames / RATE),
        programme=CutList.of_cuts([Cut(frame, frame / RATE) for frame in at], RATE, frames, title="reel"),
        limits=Limits((Fraction(70), Fraction(140)), Fraction(4), (Metre(),)),
        overrides=(), hits=tuple(Hit(frame, frame / RATE, 0.5) for frame in at),
        map=ChosenMap("bend", tempo_map, Fraction(96), 1.0),
        engine="trio", mode=None, formula="ours", seed=1, performance=0.5,
        scenes=tuple(Scene(f"s{k}", BARS, chosen=f"t{k}") for k in range(scenes)), takes=takes,
    )  # fmt: skip
