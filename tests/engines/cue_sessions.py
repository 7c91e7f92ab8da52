"""Sessions for the tests of what leaves one: scored by a small engine over any cut list, or set by hand, without a film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from engines import engine as contract
from engines.engine import Brief
from engines.picture.cutlist import CutList
from engines.picture.timecode import Timecode
from engines.score.notes import Note, Take
from engines.scoring import Wishes, composed, spot
from engines.session.model import ChosenMap, Film, Limits, PlayedNote, Scene, SceneTake, Session
from engines.session.scenes import default_scenes
from engines.spotting.hits import Hit
from engines.spotting.solve import exact
from engines.spotting.tempo import TempoMap
from engines.watch import Watch

WISHES = Wishes(engine="pulse")


class Pulse:
    """An engine of two stems: chords on every second beat, a melody note on every fourth."""

    name = "pulse"

    def __init__(self, provider: str | None = None) -> None:
        self.provider = provider

    def compose(self, brief: Brief, seed: int, keep=None, on_progress=None, cancelled=None) -> Take:
        begin, end = brief.bars[0].start, brief.bars[-1].start + brief.bars[-1].length
        beats = [begin + k for k in range(int(end - begin))]
        piano = [Note(beat, 48 + pitch + seed % 5, Fraction(3, 2), 70, "piano") for beat in beats[::2] for pitch in (0, 4)]
        melody = [Note(beat, 72 + (seed + k) % 7, Fraction(2), 80, "melody") for k, beat in enumerate(beats[::4])]
        wanted = [note for note in (*piano, *melody) if note.stem in brief.stems]
        facts = {"engine": "pulse", "model": "none", "seed": seed, "provider": "cpu", "key": brief.key or "C:maj"}
        return Take(tuple(sorted({*wanted, *(keep or ())})), facts)


@pytest.fixture(autouse=True, scope="module")
def pulse() -> Iterator[None]:
    """The engine under its name, for a module that imports this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(contract.ENGINES, "pulse", f"{__name__}:Pulse")
        yield


def session_on(programme: CutList, film: str = "reel one.mov") -> Session:
    """A session over a programme's whole length, scored by ``pulse``."""
    length = programme.frames / programme.rate
    found = spot(programme, WISHES, Watch(), length)
    bare = replace(bare_session(programme, found.chosen.tempo_map, found.hits, film), scenes=())
    session = replace(bare, map=replace(bare.map, kind=found.chosen.name, bpm=found.chosen.tempo_bpm))
    sizes = default_scenes(session.bars, session.tempo_map, session.hits, None)
    session = replace(session, scenes=tuple(Scene(f"s{number}", bars) for number, bars in enumerate(sizes, 1)))
    return composed(session, WISHES, Watch())


def bare_session(programme: CutList, tempo_map: TempoMap, hits: Iterable[Hit] = (), film: str = "reel one.mov") -> Session:
    """A session of one scene over a programme's whole length in which nothing is composed."""
    length = programme.frames / programme.rate
    session = Session(
        film=Film(film, "0" * 64, 1, programme.rate, programme.frames, length),
        programme=programme,
        limits=Limits(tuple(map(exact, WISHES.tempo)), exact(WISHES.max_bend), WISHES.metres, WISHES.subdivision),
        overrides=(),
        hits=tuple(hits),
        map=ChosenMap("steady", tempo_map, tempo_map.segments[0].bpm, 0.0),
        engine="pulse",
        mode=None,
        formula="ours",
        seed=1,
        performance=0.5,
        scenes=(),
    )
    return replace(session, scenes=(Scene("s1", len(session.bars)),))


def with_notes(session: Session, notes: Iterable[Note], scene: int = 1, **facts: object) -> Session:
    """The session with one more take of a scene, chosen, of notes that are played as they are written."""
    span, name = session.span(scene), session.fresh("t")
    rows = tuple(PlayedNote(note, note) for note in sorted(notes))
    number = len(session.takes_of(span.scene)) + 1
    told = {"engine": "hand", **facts}
    take = SceneTake(span.scene.id, number, "", "2026-01-02T03:04:05+00:00", session.part(span), (), told, rows)
    return replace(session, takes={**session.takes, name: take}).with_scene(replace(span.scene, chosen=name))


def steady_session(start: Timecode, frames: int, hits: Iterable[Hit] = (), origin: Fraction = Fraction(0)) -> Session:
    """A session without music at 120 beats a minute, over so many frames from ``start``."""
    programme = CutList.of_cuts((), start.rate, frames, start)
    return bare_session(programme, TempoMap.steady(120, origin=origin), hits)
