"""Sessions as plain JSON values and back, exactly: fractions as text, notes as rows, the rest as tables named as in the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache
from math import isfinite
from typing import Any, TypeVar, get_type_hints

from cattrs import Converter
from cattrs.errors import CattrsError

from engines.errors import HitpointError, SessionError
from engines.score.notes import Note
from engines.session.intact import intact
from engines.session.model import PlayedNote, SceneTake, Session
from engines.spotting.tempo import Metre, Segment, TempoMap

T = TypeVar("T")

_SLIPS = (
    KeyError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    IndexError,
    HitpointError,
    CattrsError,
)
"""What a value of the wrong kind raises on its way in."""

_FRACTION = re.compile(r"-?\d{1,4000}(/\d{1,4000})?")  # as `str` writes it: a power of ten would fill the memory
_METRE = re.compile(r"([1-9]\d?)/(1|2|4|8|16)")
_MOST_BARS = 10**6


def _note_row(note: Note) -> list[Any]:
    return [str(note.start), note.pitch, str(note.length), note.velocity, note.stem]


def _row_note(row: list[Any]) -> Note:
    start, pitch, length, velocity, stem = _list(row)
    note = Note(_fraction(start), _whole(pitch), _fraction(length), _whole(velocity), _text(stem))
    if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 and note.length.numerator > 0):
        raise ValueError(f"no instrument plays {note}")
    return note


def _played_row(row: PlayedNote) -> list[Any]:
    played = row.played
    return [*_note_row(row.note), str(played.start), str(played.length), played.velocity]


def _row_played(row: list[Any]) -> PlayedNote:
    *written, start, length, velocity = _list(row)
    note = _row_note(written)
    return PlayedNote(note, _row_note([start, note.pitch, length, velocity, note.stem]))


def _metre(text: str) -> Metre:
    found = _METRE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no metre")
    return Metre(int(found[1]), int(found[2]))


@lru_cache(maxsize=1 << 14)  # most notes lie on the same few places of a bar
def _fraction(text: str) -> Fraction:
    if not _FRACTION.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no fraction")
    return Fraction(text)


def _whole(value: Any) -> int:
    return _of(value, int)


def _text(value: Any) -> str:
    return _of(value, str)


def _list(value: Any) -> list[Any]:
    return _of(value, list)


def _real(value: Any) -> float:
    if type(value) not in (int, float) or not isfinite(value):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    return float(value)


def _of(value: Any, kind: type[T]) -> T:
    """The value, if it is just of that kind: what is of another was written by no Hitpoint."""
    if type(value) is not kind:
        raise TypeError(f"{str(value)[:40]!r} is no {kind.__name__}")
    return value


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
    segments = tuple(Segment(_fraction(start), _fraction(spb)) for start, spb in map(_list, table["segments"]))
    runs = [(_metre(text), _whole(count)) for text, count in map(_list, table["metres"])]
    if any(count < 1 for _, count in runs) or sum(count for _, count in runs) > _MOST_BARS:
        raise ValueError("no cue has so many bars")
    metres = tuple(metre for metre, count in runs for _ in range(count))
    return TempoMap(segments, metres, _fraction(table["origin"]))


@cache
def _converter() -> Converter:
    made = Converter(
        detailed_validation=False,
        forbid_extra_keys=True,
        unstruct_collection_overrides={tuple: list},  # as JSON reads them back: a tuple there would look like a change
    )

    def both(kind: type[T], out: Callable[[T], Any], back: Callable[[Any], T]) -> None:
        made.register_unstructure_hook(kind, out)
        made.register_structure_hook(kind, lambda value, _: back(value))

    for kind, back in ((int, _whole), (float, _real), (str, _text), (bool, lambda value: _of(value, bool))):
        made.register_structure_hook(kind, lambda value, _, back=back: back(value))
    both(Fraction, str, _fraction)
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
    return intact(value_of(content, Session))


def value_of(content: Any, kind: type[T]) -> T:
    """Any value of the session from plain JSON. Raises SessionError."""
    try:
        return _converter().structure(content, kind)
    except _SLIPS as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise SessionError(f"holds what cannot be read ({said})", cure="open an earlier copy of the session") from error


def plain_after(after: Session, before: Session, content: Any) -> Any:
    """`plain` of a session whose ``content`` ``before`` an act is known: what the act did not touch is taken from there as it is."""
    made: dict[str, Any] = {}
    for name, kind in _kinds().items():
        new, old = getattr(after, name), getattr(before, name)
        if new is old and name in content:
            made[name] = content[name]
        elif name == "takes":
            known, there = before.takes, content.get(name, {})
            made[name] = {key: there[key] if known.get(key) is take else plain(take) for key, take in after.takes.items()}
        else:
            made[name] = _converter().unstructure(new, unstructure_as=kind)
    return made


def session_after(content: Any, before: Session, known: Any) -> Session:
    """The session of a ``content`` that shares what did not change with ``known``, that of the session ``before``. Raises
    SessionError."""
    if not isinstance(content, dict) or content.keys() != known.keys() or content.keys() != _kinds().keys():
        return session_of(content)
    made = {}
    for name, kind in _kinds().items():
        if content[name] is known[name]:
            made[name] = getattr(before, name)
        elif name == "takes" and isinstance(content[name], dict):
            there = known[name]
            made[name] = {
                key: before.takes[key] if there.get(key) is table else value_of(table, SceneTake)
                for key, table in content[name].items()
            }
        else:
            made[name] = value_of(content[name], kind)
    return intact(Session(**made))


@cache
def _kinds() -> dict[str, Any]:
    """The fields of a session with their types."""
    return get_type_hints(Session)
