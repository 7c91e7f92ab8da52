"""What a composer drags out, as a MIDI file: the cue, a scene, a take, one stem of it, or the notes that are selected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

from engines.errors import OptionError
from engines.picture.timecode import Timecode, nominal
from engines.score.notes import Note
from engines.score.smf import Marker, Score, cut_markers
from engines.score.smf_reader import Smf
from engines.session.cue_sheet import film_name
from engines.session.deliver import score_of
from engines.session.delivery_names import safe
from engines.session.model import SceneTake, Session, Span, part


@dataclass(frozen=True)
class Piece:
    """Something of a cue: all of it (no ``scene``), or a ``take`` of a scene by its number (None: the chosen one); of either only one
    ``stem``, and of a take only ``bars`` of the cue (first and last, from 1) or only some ``notes`` (as they are written, in beats of
    the scene)."""

    scene: int | None = None
    take: int | None = None
    stem: str | None = None
    bars: tuple[int, int] | None = None
    notes: frozenset[Note] | None = None


def piece_name(session: Session, piece: Piece) -> str:
    """The file's name without its ending: film, cue, scene, stem and take, as every system takes it."""
    words = [film_name(session), session.cue]
    if piece.scene is not None:
        words.append(f"scene {piece.scene}")
        if session.span(piece.scene).scene.name:
            words.append(session.span(piece.scene).scene.name)
    if piece.bars is not None:
        words.append("bars {}-{}".format(*piece.bars) if piece.bars[1] > piece.bars[0] else f"bar {piece.bars[0]}")
    if piece.stem is not None:
        words.append(piece.stem)
    if piece.scene is not None:
        words.append(f"take {session.take(session.span(piece.scene).scene, piece.take)[1].number}")
    return "_".join(safe(word) for word in words)


def piece_score(session: Session, piece: Piece) -> Score:
    """The notes of a piece with their tempo map.

    A cue is as its delivered file: tick 0 is the film's first frame. A scene begins at tick 0 with its bar line (a run of bars with
    the first of them), and a marker there says which frame of the film that is. Raises OptionError where no note is in it.
    """
    score = score_of(session) if piece.scene is None else _scene_score(session, session.span(piece.scene), piece)
    if piece.stem is not None:
        score = replace(score, stems=(piece.stem,))
    if not any(piece.stem in (None, note.stem) for note in score.notes):
        what = piece.stem or "the music"
        raise OptionError(f"{what} has no notes there", where=piece_name(session, piece), cure="compose it, or drag another")
    return score


def _scene_score(session: Session, span: Span, piece: Piece) -> Score:
    _, take = session.take(span.scene, piece.take)
    first, last = piece.bars or (span.first + 1, span.first + len(take.tempo_map.metres))
    bars = take.tempo_map.bars[first - span.first - 1 : last - span.first]
    if not bars:
        raise OptionError(f"bars {first}-{last} are not in scene {span.number}", where="--bars")
    start, end = bars[0].start, bars[-1].end
    tempo_map = replace(part(take.tempo_map, start, end), origin=Fraction(0))
    length = tempo_map.seconds(end - start)
    fits = session.fits(span, take)
    begin = session.tempo_map.seconds(span.start + start) if fits else None
    return Score(
        tempo_map,
        _notes(take, piece, start, end),
        title=f"{film_name(session)} {session.cue} scene {span.number} take {take.number}",
        key=_key(session, take),
        markers=() if begin is None else _markers(session, span, first, begin, length),
        length=length,
        instruments=session.instruments,
    )


def _notes(take: SceneTake, piece: Piece, start: Fraction, end: Fraction) -> tuple[Note, ...]:
    """Those that are wanted, from the first bar line on; one played a little before it sounds on it and ends where it ended."""
    out = []
    for row in take.notes:
        if start <= row.note.start < end and (piece.notes is None or row.note in piece.notes):
            early = max(Fraction(0), start - row.played.start)
            out.append(replace(row.played, start=row.played.start + early - start, length=row.played.length - early))
    return tuple(sorted(out))


def _markers(session: Session, span: Span, bar: int, begin: Fraction, length: Fraction) -> tuple[Marker, ...]:
    """Where the piece begins in the film, and the cuts inside it by their numbers in the cue."""
    frames = begin * session.film.rate
    parts = floor((frames - floor(frames)) * 100)
    beyond = f" and {parts} hundredths" if parts else ""
    here = Marker(Fraction(0), f"Scene {span.number}, bar {bar}: {session.start + floor(frames)}{beyond}")
    cuts = cut_markers(session.programme.cuts, session.start)
    return here, *(Marker(m.time - begin, m.text) for m in cuts if begin <= m.time < begin + length)


def file_zero(smf: Smf, start: Timecode, frames: int) -> Fraction:
    """The film time of a file's tick 0, in seconds: where its SMPTE offset lies in the film or at most a minute before it, that moment;
    else the first frame, since DAWs write offsets of their own. ``start`` is the reel's, ``frames`` are the film's."""
    if smf.offset is None:
        return Fraction(0)
    _, hours, minutes, seconds, frame, hundredths = smf.offset
    base = nominal(start.rate)
    frame = frame * 2 + (hundredths >= 50) if base > 30 else frame  # a file knows 24 to 30: faster rates by every second frame
    try:
        label = f"{hours:02}:{minutes:02}:{seconds:02}:{frame:02}"
        away = Timecode.parse(label, start.rate, start.drop).frame - start.wrapped.frame
    except OptionError:
        return Fraction(0)
    day = 24 * 3600 * base
    away = away - day if away > day // 2 else away + day if away < -day // 2 else away
    return away / start.rate if -60 * base <= away < frames else Fraction(0)


def _key(session: Session, take: SceneTake) -> str | None:
    key = take.orders[-1].brief.key if take.orders else None
    return key or (take.facts["key"] if isinstance(take.facts.get("key"), str) else session.key)
