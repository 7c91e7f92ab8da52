"""The contract between Hitpoint and a DAW: what is placed, what it confirmed, its markers, its transport; and the DAWs by name.

An adapter says what the DAW said, never what it was told to do: `place` returns what was read back, or raises DawError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from bridge.daws import DAWS
from bridge.transport import Report
from engines.errors import DawError, OptionError
from engines.picture import cutlist
from engines.picture.timecode import Timecode
from engines.score.instruments import playable
from engines.score.notes import Note
from engines.score.smf import Score
from engines.session.deliver import score_of
from engines.session.delivery_names import safe
from engines.session.model import Session, Span
from engines.spotting.tempo import Metre, TempoMap


@dataclass(frozen=True, order=True)
class Sound:
    """One note of a clip: ``start`` and ``end`` in exact seconds of the film, ``pitch`` 0..127, ``velocity`` 1..127."""

    start: Fraction
    pitch: int
    end: Fraction
    velocity: int


@dataclass(frozen=True)
class Clip:
    """One stem of one scene: what becomes an item, a region or a clip. Times in exact seconds of the film.

    ``key`` is the same for the same stem (``track``) of the same ``scene`` however often it is composed again: by it a clip is
    replaced. ``name`` is for people, and ends with the scene's id: ``1m1 melody, scene 2 [s2]``.
    """

    key: str
    scene: str
    track: str
    name: str
    start: Fraction
    end: Fraction
    sounds: tuple[Sound, ...]

    def begins(self, at: Fraction) -> Fraction:
        """Where it begins in a project in which the film's first frame lies at ``at``: a bar that begins before the project does loses
        what is silent of it. Raises DawError where a note would lie before the project's zero."""
        first = min((sound.start for sound in self.sounds), default=self.start)
        if first + at < 0:
            raise DawError(f"{self.name!r} would sound before the project begins", where="--at", cure="give a later place")
        return max(Fraction(0), self.start + at)


@dataclass(frozen=True)
class Piece:
    """One scene of a cue: its notes on the tempo map of the whole cue, and its bar lines in exact seconds of the film."""

    scene: str
    number: int
    name: str
    start: Fraction
    end: Fraction
    score: Score


@dataclass(frozen=True)
class Cue:
    """What is placed: the chosen takes of a cue, or of some of its scenes (``pieces``). ``whole`` if of all of them: then clips of
    scenes that are there no more may go. ``score`` is the whole cue in any case; ``name`` is fit for files, ``number`` the cue's."""

    name: str
    number: str
    score: Score
    pieces: tuple[Piece, ...]
    whole: bool = True

    @classmethod
    def of(cls, session: Session, scenes: Iterable[int] = ()) -> Cue:
        """The music of a session as it is chosen now. Raises OptionError for a scene that there is not, or no music at all."""
        wanted = sorted(set(scenes))
        spans = [session.span(number) for number in wanted] or list(session.spans)
        pieces = tuple(_piece(session, span) for span in spans if span.scene.chosen is not None)
        if not pieces:
            raise OptionError("there is no take to place", where="--scene" if wanted else None, cure="compose one: refill")
        name = safe(f"{Path(session.film.path).stem} {session.cue}")
        return cls(name, session.cue, score_of(session), pieces, not wanted)

    @property
    def clips(self) -> tuple[Clip, ...]:
        """One clip a scene and stem, in the order of the scenes."""
        return tuple(clip for piece in self.pieces for clip in _clips(self.number, piece))


def _piece(session: Session, span: Span) -> Piece:
    start, end = span.seconds
    name = span.scene.name or f"scene {span.number}"
    return Piece(span.scene.id, span.number, name, start, end, score_of(session, [span.number]))


def _clips(cue: str, piece: Piece) -> Iterable[Clip]:
    seconds = piece.score.tempo_map.seconds

    def sound(note: Note) -> Sound:
        return Sound(seconds(note.start), note.pitch, seconds(note.end), note.velocity)

    notes = playable(piece.score.notes, piece.score.instruments)
    for stem in piece.score.tracks:
        sounds = tuple(sorted(sound(note) for note in notes if note.stem == stem))
        if sounds:
            end = max(piece.end, *(s.end for s in sounds))  # a note may ring over the bar line
            start = min(piece.start, sounds[0].start)
            yield Clip(
                f"{cue}/{piece.scene}/{stem}", piece.scene, stem, f"{cue} {stem}, {piece.name} [{piece.scene}]", start, end, sounds
            )  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """What lies in the DAW now. ``clips`` as the DAW told them back, in seconds of the film; none where nothing can be read back, and
    then ``confirmed`` is False. ``files`` were written for a person to drag in. ``worst_ms`` is how far the note that lies farthest
    from its place is off it. ``said`` is one line for the composer."""

    daw: str
    said: str
    clips: tuple[Clip, ...] = ()
    confirmed: bool = True
    files: tuple[Path, ...] = ()
    worst_ms: float = 0.0


END = "end"
"""What is written behind a region's name for the marker at its end."""


@dataclass(frozen=True, order=True)
class ProjectMarker:
    """A marker of the DAW's project, or a region where it has an ``end``; in seconds from the project's zero."""

    start: Fraction
    name: str
    end: Fraction | None = None

    @property
    def ending(self) -> ProjectMarker:
        """Where a region ends, as a marker of its own."""
        return ProjectMarker(self.start if self.end is None else self.end, f"{self.name} {END}".strip())

    def on_film(self, at: Fraction, rate: Fraction) -> cutlist.Marker:
        """The marker on the film's frames, where the film's first frame lies ``at`` seconds of the project."""
        first = round((self.start - at) * rate)
        length = 0 if self.end is None else max(0, round((self.end - at) * rate) - first)
        return cutlist.Marker(first, self.name, length=length)


@dataclass(frozen=True)
class Transport:
    """What the DAW says of its transport; None where it does not say. ``seconds`` count from the project's zero."""

    seconds: Fraction | None = None
    rolling: bool | None = None
    bpm: float | None = None
    metre: Metre | None = None


@dataclass(frozen=True)
class Reach:
    """Whether a DAW answers: in words, with what to do where it does not. ``there`` is None where nobody can know. ``wrong`` where what was
    said of it is: then it is a fault, though a DAW that does not run is none."""

    daw: str
    there: bool | None
    said: str
    cure: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    wrong: bool = False


def with_project(reach: Reach, read: Callable[[], object], readable: str = "") -> Reach:
    """The same, and that the project which was named can be read (in the words ``readable``), or the fault that it cannot: ``read`` then
    raises DawError."""
    try:
        read()
    except DawError as error:
        return replace(reach, said=f"{reach.said}; {error.where}: {error.what}", cure=error.cure or "", wrong=True)
    return replace(reach, said=f"{reach.said}; {readable}" if readable else reach.said)


class Daw(Protocol):
    """What an adapter owes. Every method raises DawError, with the cure, where the DAW does not answer or did something else."""

    name: str

    def reach(self) -> Reach:
        """Whether it answers; never raises."""

    def place(self, cue: Cue, at: Fraction) -> Placed:
        """Puts a cue where the film's first frame lies ``at`` seconds from the project's zero; earlier clips of the same scenes and
        stems are replaced. Returns what the DAW confirmed."""

    def markers(self) -> tuple[ProjectMarker, ...]:
        """Markers and regions of its project, in order."""

    def transport(self) -> Transport:
        """Where it is and whether it rolls."""

    def go(self, seconds: Fraction | None = None, rolling: bool | None = None) -> Transport:
        """Locates, then starts or stops; returns where it is then."""

    def follow(self, hear: Callable[[Report], None]) -> None:
        """Hands every word about its transport to ``hear``, in a thread of the adapter's, until `close`."""

    def close(self) -> None:
        """Lets go of sockets and threads; a second time does nothing."""


@dataclass(frozen=True)
class Address:
    """Where a DAW is found; None leaves it to the adapter. ``folder`` is where files are put for it, ``project`` its session's folder
    or file, ``port`` where it listens, ``box`` the folder that its script looks into. ``tempo_map`` gives the seconds of its project by
    its beats, for a DAW that says beats and whose project has more than one tempo: see `followed`. ``film`` is timecode of the film's
    rate, for a DAW that is told timecode, and ``midi`` the port that takes machine control for it."""

    folder: Path | None = None
    project: Path | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    timeout_s: float = 3.0
    box: Path | None = None
    tempo_map: TempoMap | None = None
    film: Timecode | None = None
    midi: str | None = None

    def followed(self, tempo_map: TempoMap, at: Fraction = Fraction(0)) -> Address:
        """The same for a project that has a cue's tempo map: its beat 0 is the cue's, the film's first frame lies ``at`` seconds in."""
        return replace(self, tempo_map=replace(tempo_map, origin=tempo_map.origin + at))


def open_daw(name: str, address: Address | None = None) -> Daw:
    """The adapter of a DAW by its name. Raises OptionError for a name that is none."""
    if name not in DAWS:
        raise OptionError(f"no DAW is named {name!r}", where="--daw", cure=f"choose one of: {', '.join(DAWS)}")
    module, _, maker = DAWS[name].partition(":")
    daw: Daw = getattr(import_module(module), maker)(address or Address())
    return daw


def confirm(daw: str, asked: Iterable[Clip], got: Mapping[str, Clip], tolerance: Fraction) -> tuple[tuple[Clip, ...], float]:
    """The clips that were read back, and how far the worst of their notes is off in milliseconds.

    ``tolerance`` in seconds is how finely the DAW places notes. Raises DawError naming the clip that is missing, or has other notes
    or places than were asked for.
    """
    out, worst = [], Fraction(0)
    for clip in asked:
        found = got.get(clip.key)
        if found is None:
            raise DawError(f"took {clip.name!r} and does not have it now", where=daw, cure="undo in the DAW, and place it again")
        mine, its = (sorted(c.sounds, key=lambda s: (s.pitch, s.start)) for c in (clip, found))
        if [(s.pitch, s.velocity) for s in mine] != [(s.pitch, s.velocity) for s in its]:
            raise DawError(
                f"has {len(its)} notes in {clip.name!r}, other ones than the {len(mine)} that were sent",
                where=daw,
                cure="undo in the DAW, and place it again",
            )
        off = max((abs(a.start - b.start) for a, b in zip(mine, its, strict=True)), default=Fraction(0))
        if off > tolerance:
            raise DawError(
                f"has a note of {clip.name!r} {1000 * float(off):.1f} ms from its place",
                where=daw,
                cure="switch off its input quantise and snap, then place it again",
            )
        worst = max(worst, off)
        out.append(found)
    return tuple(out), 1000 * float(worst)
