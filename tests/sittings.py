"""Sessions for tests: small enough to be composed in milliseconds, and as uneven as real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

from hypothesis import Phase, settings

from engines.engine import Brief, Progress
from engines.picture.cut import Cut
from engines.picture.cutlist import CutList
from engines.picture.timecode import Timecode
from engines.score.notes import Note, Take
from engines.session.desk import Desk, text_of
from engines.session.model import ChosenMap, Film, Limits, Scene, Session
from engines.session.refill import Wish, refilled
from engines.spotting.hits import hits_from_cuts
from engines.spotting.tempo import Metre, Segment, TempoMap
from engines.watch import Watch

GOLDEN = Path(__file__).parent / "golden" / "sessions"
RATE = Fraction(24)
METRES = (Metre(),) * 5 + (Metre(3, 4),) + (Metre(),) * 9 + (Metre(7, 8),) + (Metre(),) * 4
TEMPI = ((0, 96), (6, 97), (23, Fraction(192, 2)), (39, 94), (Fraction(107, 2), 95))


def few(examples: int) -> settings:
    """So many examples; a failing one is shown as it is, since whole sessions take minutes to be made smaller."""
    return settings(max_examples=examples, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


class Trio:
    """An engine for three stems that obeys densities and registers, keeps what it must, and lets notes ring over bar lines."""

    name = "trio"

    def __init__(self, provider: str | None = None, mode: str | None = None) -> None:
        self.provider = provider

    def compose(
        self,
        brief: Brief,
        seed: int,
        keep: object = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Take:
        rng = Random(seed)
        notes = {*(keep or ())}  # type: ignore[misc]
        for bar in brief.bars:
            places = range(int(bar.length * 4))
            for stem in brief.stems:
                many = 4 if bar.density is None else bar.density
                middle = round(60 if bar.register is None else bar.register)
                for place in sorted(rng.sample(places, min(many, len(places)))):
                    length = Fraction(rng.randint(1, 12), 4)
                    pitch = middle + rng.randint(-5, 5)
                    notes.add(Note(bar.start + Fraction(place, 4), pitch, length, rng.randint(30, 100), stem))
        chords = tuple((bar.start, bar.chord or "C:maj") for bar in brief.bars)
        return Take(tuple(sorted(notes)), {"engine": "trio", "model": "none", "provider": "cpu", "key": "C:maj"}, chords)


def tempo_map(bars: int = len(METRES)) -> TempoMap:
    """Bars of three metres at tempi that change between bar lines."""
    metres = METRES[:bars]
    end = sum((metre.length for metre in metres), Fraction(0))
    segments = tuple(Segment(Fraction(beat), Fraction(60) / bpm) for beat, bpm in TEMPI if beat < end)
    return TempoMap(segments, metres, Fraction(-1, 7))


def unscored(sizes: tuple[int, ...] = (7, 6, 7)) -> Session:
    """A session with scenes of so many bars, and nothing composed; cuts lie on some of its beats and beside others."""
    beats = tempo_map(sum(sizes))
    end = sum((metre.length for metre in beats.metres), Fraction(0))
    frames = int(beats.seconds(end - Fraction(3, 2)) * RATE)
    at = [int(beats.seconds(beat) * RATE) + 1 for beat in range(3, int(end) - 3, 5)]
    cuts = [Cut(frame, frame / RATE) for frame in at if 0 < frame < frames]
    programme = CutList.of_cuts(cuts, RATE, frames, title="a film")
    return Session(
        film=Film("/nowhere/film.mp4", "0" * 64, 1000, RATE, frames, frames / RATE),
        programme=programme,
        limits=Limits((Fraction(70), Fraction(140)), Fraction(4), (Metre(),)),
        overrides=(),
        hits=hits_from_cuts(programme.cuts, RATE, frames / RATE),
        map=ChosenMap("bend", beats, Fraction(96), 1.5),
        engine="trio",
        mode=None,
        formula="ours",
        seed=1,
        performance=0.5,
        scenes=tuple(Scene(f"s{number}", bars) for number, bars in enumerate(sizes, 1)),
    )


def scored(sizes: tuple[int, ...] = (7, 6, 7), engine: str = "trio") -> Session:
    """The same with a first take of every scene; the engine ``trio`` must be listed."""
    session = replace(unscored(sizes), engine=engine)
    for number in range(1, len(sizes) + 1):
        session, _ = refilled(session, Wish(number), Watch())
    return session


def on(session: Session, start: Timecode) -> Session:
    """The same music on a film of another rate that begins at another timecode."""
    programme = replace(session.programme.at_rate(start.rate), start=start)
    frames = programme.frames
    film = replace(session.film, rate=start.rate, frames=frames, duration=frames / start.rate)
    return replace(session, film=film, programme=programme, hits=hits_from_cuts(programme.cuts, start.rate, film.duration))


def saved(session: Session, path: Path) -> Path:
    """The session's file, and nobody at work on it."""
    with Desk.new(session, path) as desk:
        return desk.save()


def bytes_of(desk: Desk) -> str:
    """The content of a session as its file holds it."""
    return text_of(desk.content)


def table_of(path: Path) -> dict[str, object]:
    """A session's file as JSON."""
    table: dict[str, object] = json.loads(path.read_text("utf-8"))
    return table
