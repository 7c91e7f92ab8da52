"""A session or a score as a programme for the player: the notes, channels and instruments that its MIDI file has, at their exact times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from bridge.clock import SECOND
from bridge.player.programme import Part, Programme, TimedNote
from engines.errors import OptionError
from engines.score.instruments import DEFAULT_INSTRUMENT, playable
from engines.score.smf import Score, channels, tempo_track_of
from engines.session.deliver import score_of
from engines.session.model import Session
from engines.spotting.tempo import Segment, TempoMap

_SHORTEST_NS = SECOND // 1000
"""A note-off comes so long after its note-on at least, as it is a tick later in the file."""


def programme_of(session: Session, scenes: Iterable[int] = ()) -> Programme:
    """The chosen takes of a session, or of the scenes with these numbers, ready to be played."""
    return programme_of_score(score_of(session, scenes))


def programme_of_score(score: Score) -> Programme:
    """What a cue's MIDI file holds, ready to be played. Raises OptionError for more stems than there are channels."""
    placed = channels(score.tracks)
    if len(placed) < len(score.tracks):
        raise OptionError(f"{len(score.tracks)} stems are more than the {len(placed)} channels", cure="play fewer stems at once")
    notes = playable(score.notes, score.instruments)
    parts = []
    for stem, channel in placed.items():
        timed = sorted(_timed(score, note.start, note.end, note.pitch, note.velocity) for note in notes if note.stem == stem)
        program = score.instruments.get(stem, DEFAULT_INSTRUMENT).program
        parts.append(Part(stem, channel, tuple(timed), (bytes((0xC0 | channel, program)),)))
    bars = score.tempo_map.bars_until(max(Fraction(1), score.tempo_map.beat(score.length)))
    return Programme(
        score.title,
        tuple(parts),
        tuple(_ns(score.tempo_map.seconds(bar.start)) for bar in bars),
        _ns(score.length),
        score.start.seconds if score.start else Fraction(0),
        score.start.rate if score.start else None,
        file_map(score),
        score.start is not None and score.start.drop,
    )


def file_map(score: Score) -> TempoMap:
    """The tempo map as the cue's MIDI file has it, from its tick 0: with the count-in before the cue's own beat 0."""
    track, _ = tempo_track_of(score)
    lead, own = track.lead, score.tempo_map
    if lead == 0:
        return replace(own, origin=score.zero)
    count_in = Segment(Fraction(0), (own.origin - score.zero) / lead)
    return TempoMap((count_in, *(replace(s, start=s.start + lead) for s in own.segments)), own.metres, score.zero)


def _timed(score: Score, start: Fraction, end: Fraction, pitch: int, velocity: int) -> TimedNote:
    on = _ns(max(score.zero, score.tempo_map.seconds(start)))
    return TimedNote(on, max(on + _SHORTEST_NS, _ns(score.tempo_map.seconds(end))), pitch, velocity)


def _ns(seconds: Fraction) -> int:
    return round(seconds * SECOND)
