"""Sessions as plain JSON values and back, exactly: fractions as text, notes as rows, the rest as tables named as in the code."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError, StructureHandlerNotFoundError

from engines.errors import SessionError
from engines.score.notes import Note
from engines.session.model import PlayedNote, Session
from engines.spotting.tempo import Metre, Segment, TempoMap

T = TypeVar("T")

_SLIPS = (
    KeyError,
    ValueError,
    TypeError,
    ZeroDivisionError,
    AttributeError,
    IndexError,
    ForbiddenExtraKeysError,
    StructureHandlerNotFoundError,
)
"""What a value of the wrong kind raises on its way in."""


def _note_row(note: Note) -> list[Any]:
    return [str(note.start), note.pitch, str(note.length), note.velocity, note.stem]


def _row_note(row: list[Any]) -> Note:
    start, pitch, length, velocity, stem = row
    return Note(Fraction(start), int(pitch), Fraction(length), int(velocity), str(stem))


def _played_row(row: PlayedNote) -> list[Any]:
    played = row.played
    return [*_note_row(row.note), str(played.start), str(played.length), played.velocity]


def _row_played(row: list[Any]) -> PlayedNote:
    *written, start, length, velocity = row
    note = _row_note(written)
    return PlayedNote(note, Note(Fraction(start), note.pitch, Fraction(length), int(velocity), note.stem))


def _metre(text: str) -> Metre:
    beats, _, unit = text.partition("/")
    return Metre(int(beats), int(unit))


def _runs(metres: tuple[Metre, ...]) -> list[list[Any]]:
    """Metres as [metre, how many bars]: most of a cue is in one."""
    out: list[list[Any]] = []
    for metre in metres:
        if out and out[-1][0] == str(metre):
            out[-1][1] += 1
        else:
            out.append([str(metre), 1])
    return out


def _map_table(tempo_map: TempoMap) -> dict[str, Any]:
    segments = [[str(s.start), str(s.spb)] for s in tempo_map.segments]
    return {"origin": str(tempo_map.origin), "segments": segments, "metres": _runs(tempo_map.metres)}


def _table_map(table: dict[str, Any]) -> TempoMap:
    segments = tuple(Segment(Fraction(start), Fraction(spb)) for start, spb in table["segments"])
    metres = tuple(metre for text, count in table["metres"] for metre in [_metre(text)] * count)
    return TempoMap(segments, metres, Fraction(table["origin"]))


@cache
def _converter() -> Converter:
    made = Converter(detailed_validation=False, forbid_extra_keys=True)

    def both(kind: type[T], out: Callable[[T], Any], back: Callable[[Any], T]) -> None:
        made.register_unstructure_hook(kind, out)
        made.register_structure_hook(kind, lambda value, _: back(value))

    both(Fraction, str, Fraction)
    both(Metre, str, _metre)
    both(Note, _note_row, _row_note)
    both(PlayedNote, _played_row, _row_played)
    both(TempoMap, _map_table, _table_map)
    return made


def plain(value: object) -> Any:
    """A value of the session as plain JSON. Every field is written: a default that changes one day does not change old sessions."""
    return _converter().unstructure(value)


def session_of(content: Any) -> Session:
    """The session that `plain` made ``content`` of. Raises SessionError, naming what is wrong."""
    return value_of(content, Session)


def value_of(content: Any, kind: type[T]) -> T:
    """Any value of the session from plain JSON. Raises SessionError."""
    try:
        return _converter().structure(content, kind)
    except _SLIPS as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise SessionError(f"holds what cannot be read ({said})", cure="open an earlier copy of the session") from error
