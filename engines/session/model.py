"""The session: all that a cue is made from and all that came of it, as one value that never changes.

An act of the composer (see `engines.commands`) takes a session and gives the next one. Scenes lie end to end over the bars of the
tempo map, and everything that belongs to a scene (its takes, what the composer said of its bars) counts beats and bars from the
scene's own first: a scene that a recut moves is carried without touching a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from engines.engine import Brief
from engines.errors import OptionError
from engines.picture.cutlist import CutList
from engines.picture.timecode import Timecode
from engines.score.instruments import Instrument
from engines.score.land import LandedBy
from engines.score.notes import Note
from engines.spotting.hits import Hit, Override
from engines.spotting.tempo import Bar, Metre, TempoMap

CUE = "1m1"
"""Reel 1, music 1: the name of a reel's first cue."""


@dataclass(frozen=True)
class Film:
    """The picture: where it was last seen and how it is known again (``digest`` and ``size`` in bytes, see `Reel.digest`)."""

    path: str
    digest: str
    size: int
    rate: Fraction
    frames: int
    duration: Fraction


@dataclass(frozen=True)
class Limits:
    """What the solver may do: nominal tempo in beats a minute, bend in percent, metres, 1 for beats or 2 for eighths."""

    tempo: tuple[Fraction, Fraction]
    max_bend: Fraction
    metres: tuple[Metre, ...]
    subdivision: int = 1


@dataclass(frozen=True)
class ChosenMap:
    """The tempo map in use: its kind as the solver names it, its nominal tempo in beats a minute, and its price."""

    kind: str
    tempo_map: TempoMap
    bpm: Fraction
    cost: float


@dataclass(frozen=True)
class Told:
    """What the composer says of a cue, a scene or a bar; None leaves it to the wider word, and in the end to the picture.

    ``density`` counts onset positions in a bar of 4/4, ``energy`` is 0..1, ``register`` a mean MIDI pitch, ``mood`` 1 to 4,
    ``chords`` symbols, one a bar, in a round. ``avoid`` asks for thin, low music (under dialogue), ``sting`` 0..1 for an accent on
    the first beat. ``metre`` and ``tempo`` (beats a minute) hold for the tempo map of the scene. ``theme`` is the id of the scene whose
    theme is taken up, or ``none``: nothing returns (`engines.session.theme`).
    """

    density: int | None = None
    energy: float | None = None
    mood: int | None = None
    register: float | None = None
    key: str | None = None
    chords: tuple[str, ...] | None = None
    metre: Metre | None = None
    tempo: tuple[Fraction, Fraction] | None = None
    avoid: bool | None = None
    sting: float | None = None
    theme: str | None = None

    def over(self, wider: Told) -> Told:
        """This word, and where it is silent the wider one."""
        return replace(wider, **{name: value for name, value in vars(self).items() if value is not None})

    @property
    def silent(self) -> bool:
        """Whether nothing is said."""
        return self == Told()


@dataclass(frozen=True)
class PlayedNote:
    """A note as it is written (``note``, on the grid and on the hits) and as it is ``played``: dynamics and timing shaped."""

    note: Note
    played: Note

    def moved(self, beats: Fraction) -> PlayedNote:
        """The same so many beats later."""
        return PlayedNote(
            replace(self.note, start=self.note.start + beats), replace(self.played, start=self.played.start + beats)
        )


@dataclass(frozen=True)
class Answer:
    """How the hit at a frame is answered by a take: by whom and how, as `engines.score.land.Landing` says."""

    frame: int
    landed_by: LandedBy
    how: str


@dataclass(frozen=True)
class FeatureFile:
    """A file of what the film looks like, for an engine that hears it: where it lay, and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Order:
    """One question to an engine, with all that decides its answer besides the tempo map and the model: the recipe of notes.

    Beats count from the scene's first. ``keep`` are the notes of the brief's bars that stay, ``end`` is where the music must be
    released, ``performance`` 0..1 how far it is shaped, ``features`` what the engine is given of the film.
    """

    engine: str
    mode: str | None
    seed: int
    brief: Brief
    keep: tuple[Note, ...]
    hits: tuple[Hit, ...]
    end: Fraction
    performance: float
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    features: tuple[FeatureFile, ...] = ()


@dataclass(frozen=True)
class SceneTake:
    """One answer for a scene. ``number`` counts the scene's takes from 1; ``tempo_map`` is the scene's own part of the map, in
    beats from its first, for which the take was made.

    ``orders`` and ``facts`` (engine, model, provider, key, version) are its recipe; notes that came from the take ``base`` and were
    kept are in ``notes`` as they were. ``rating`` is 1 to 5.
    """

    scene: str
    number: int
    name: str
    made: str
    tempo_map: TempoMap
    orders: tuple[Order, ...]
    facts: Mapping[str, Any]
    notes: tuple[PlayedNote, ...]
    chords: tuple[tuple[Fraction, str], ...] = ()
    answers: tuple[Answer, ...] = ()
    base: str | None = None
    rating: int | None = None
    remark: str = ""

    @property
    def seed(self) -> int | None:
        """The seed of the last order; None where nothing was composed (carried over a recut)."""
        return self.orders[-1].seed if self.orders else None


@dataclass(frozen=True)
class Scene:
    """So many ``bars`` scored together, which take of it is ``chosen`` (None: it is silent), and what a refill may not touch:
    ``keep`` as `engines.session.keep` reads it, in bars of the scene from 1. ``bpm`` is its own nominal tempo where it is not the cue's.
    ``locked`` are runs of its bars (first and last, from 1) whose beats stay where they are when the cue is spotted again."""

    id: str
    bars: int
    name: str = ""
    chosen: str | None = None
    keep: tuple[str, ...] = ()
    bpm: Fraction | None = None
    locked: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Picture:
    """What was measured of the picture, for briefs to come: `engines.session.picture` packs and unpacks it. ``prints`` are the
    difference hashes of all frames, base64."""

    motion: Mapping[str, Any] | None = None
    prints: str = ""


@dataclass(frozen=True)
class Session:
    """One cue and its picture; see the module. ``told`` is by scope: ``cue``, a scene's id, or ``ID/BAR`` with the bar counted from
    1 in its scene. ``features`` are of this cut's film. ``versions`` are earlier cuts, whole, by name."""

    film: Film
    programme: CutList
    limits: Limits
    overrides: tuple[Override, ...]
    hits: tuple[Hit, ...]
    map: ChosenMap
    engine: str
    mode: str | None
    formula: str
    seed: int
    performance: float
    scenes: tuple[Scene, ...]
    takes: Mapping[str, SceneTake] = field(default_factory=dict)
    told: Mapping[str, Told] = field(default_factory=dict)
    key: str | None = None
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    picture: Picture = Picture()
    versions: Mapping[str, Any] = field(default_factory=dict)
    features: tuple[FeatureFile, ...] = ()
    cue: str = CUE

    @property
    def tempo_map(self) -> TempoMap:
        """Beats to seconds of the film."""
        return self.map.tempo_map

    @cached_property
    def bars(self) -> tuple[Bar, ...]:
        """The bars of the cue, from beat 0 until the film ends."""
        return self.tempo_map.bars_until(self.end)

    @cached_property
    def end(self) -> Fraction:
        """The beat at which the film ends."""
        return self.tempo_map.beat(self.film.duration)

    @property
    def start(self) -> Timecode:
        """The timecode of the film's first frame."""
        return self.programme.start

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Where each scene lies."""
        out, first = [], 0
        for number, scene in enumerate(self.scenes, 1):
            bars = self.bars[first : first + scene.bars]
            out.append(Span(number, scene, first, bars, self.tempo_map))
            first += scene.bars
        return tuple(out)

    def span(self, number: int) -> Span:
        """The scene of that number, counted from 1. Raises OptionError for one that there is not."""
        if not 1 <= number <= len(self.scenes):
            raise OptionError(
                f"there is no scene {number}", where="--scene", cure=f"this session has scenes 1 to {len(self.scenes)}"
            )
        return self.spans[number - 1]

    def span_of_bar(self, bar: int) -> Span:
        """The scene in which a bar of the cue lies (counted from 1). Raises OptionError for a bar beyond the cue."""
        for span in self.spans:
            if span.first < bar <= span.first + len(span.bars):
                return span
        raise OptionError(f"there is no bar {bar}", where="--bars", cure=f"this cue has bars 1 to {len(self.bars)}")

    def takes_of(self, scene: Scene) -> dict[str, SceneTake]:
        """The takes of a scene by id, in the order of their numbers."""
        return dict(self._takes_by_scene.get(scene.id, ()))

    @cached_property
    def _takes_by_scene(self) -> dict[str, list[tuple[str, SceneTake]]]:
        out: dict[str, list[tuple[str, SceneTake]]] = {}
        for name, take in sorted(self.takes.items(), key=lambda pair: pair[1].number):
            out.setdefault(take.scene, []).append((name, take))
        return out

    def take(self, scene: Scene, number: int | None = None) -> tuple[str, SceneTake]:
        """The take of that number, or the chosen one, with its id. Raises OptionError where there is none."""
        label = self.spans[[s.id for s in self.scenes].index(scene.id)].number
        for name, take in self.takes_of(scene).items():
            if name == scene.chosen if number is None else take.number == number:
                return name, take
        if number is None:
            raise OptionError(f"scene {label} has no take", where="--take", cure=f"compose one: refill --scene {label}")
        known = ", ".join(str(take.number) for take in self.takes_of(scene).values()) or "none"
        raise OptionError(f"scene {label} has no take {number}", where="--take", cure=f"its takes are: {known}")

    def part(self, span: Span) -> TempoMap:
        """The tempo map of one scene, in beats from its first; its end is its last bar's."""
        return part(self.tempo_map, span.start, span.end)

    def fits(self, span: Span, take: SceneTake) -> bool:
        """Whether a take was made for the bars that its scene has now; where they lie in the film does not matter."""
        here = self.part(span)
        return (here.segments, here.metres) == (take.tempo_map.segments, take.tempo_map.metres)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All chosen takes as they are played, in beats of the cue, sorted."""
        return tuple(
            sorted(
                replace(row.played, start=row.played.start + span.start)
                for span in self.spans
                if span.scene.chosen is not None
                for row in self.takes[span.scene.chosen].notes
            )
        )

    def fresh(self, letter: str) -> str:
        """An id that no scene (``s``) or take (``t``) of the session has had."""
        used = {scene.id for scene in self.scenes} | set(self.takes)
        used |= {name for take in self.takes.values() for name in (take.scene, take.base or "")}
        return f"{letter}{max([int(name[1:]) for name in used if name[:1] == letter], default=0) + 1}"

    def with_scene(self, scene: Scene) -> Session:
        """The session with one scene changed, known by its id."""
        return replace(self, scenes=tuple(scene if s.id == scene.id else s for s in self.scenes))


@dataclass(frozen=True)
class Span:
    """A scene with its place: ``number`` from 1, ``first`` bar from 0, its ``bars`` on the cue's beats."""

    number: int
    scene: Scene
    first: int
    bars: tuple[Bar, ...]
    tempo_map: TempoMap

    @property
    def start(self) -> Fraction:
        """Its first beat."""
        return self.bars[0].start

    @property
    def end(self) -> Fraction:
        """The first beat after it."""
        return self.bars[-1].end

    @property
    def seconds(self) -> tuple[Fraction, Fraction]:
        """Film time of its two bar lines."""
        return self.tempo_map.seconds(self.start), self.tempo_map.seconds(self.end)


def part(tempo_map: TempoMap, start: Fraction, end: Fraction) -> TempoMap:
    """The bars of a map between two bar lines, in beats from the first; the last tempo goes on."""
    segments = tempo_map.segments_between(start, end)
    first = type(tempo_map.segments[0])(Fraction(0), 60 / tempo_map.bpm(start))
    metres = tuple(bar.metre for bar in tempo_map.bars_between(start, end))
    moved = (replace(s, start=s.start - start) for s in segments)
    return TempoMap((first, *moved), metres, tempo_map.seconds(start))
