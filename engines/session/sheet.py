"""The brief as a text sheet (TOML) that a composer edits in any editor: what is written holds, what the picture suggests stands
beside it as a remark."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Any

from engines.engine import MOODS
from engines.errors import OptionError
from engines.score.harmony import chord_names
from engines.session.model import Session, Span, Told
from engines.session.theme import spoken, themed
from engines.session.told import check, said, seen, suggested_mood
from engines.spotting.brief import key_name, mood_number
from engines.spotting.tempo import Metre

_HEAD = """# The brief of {cue}, {film}. What you write here holds; what you leave out, the picture decides;
# its suggestions stand behind "#".
# In [cue], [scene.N] or [scene.N.bar.B] (B counts the cue's bars) you may write:
#   density = 4           onset positions in a bar, 0 to 16      energy = 0.5    0 to 1
#   mood = "calm"         happy, angry, sad or calm              register = 60   the mean MIDI pitch, 36 to 96
#   key = "D:min"         C:maj, F#:min, Bb                      chords = "C Am F/A G7"   one a bar, in a round
#   metre = "3/4"         of a scene or the cue                  tempo = "80-96"  of a scene or the cue, beats a minute
#   avoid = true          thin and low, under dialogue           sting = 1.0      an accent on the first beat, 0 to 1
#   theme = 1             of a scene or the cue: takes up the theme of scene 1; "none": nothing returns
"""
_TEMPO = re.compile(r" *\d{1,40}(\.\d{1,40}|/\d{1,40})? *")
NAMES = {number: name for name, number in MOODS.items()}


def sheet_text(session: Session) -> str:
    """The sheet of a session. `read_sheet` gives its words back."""
    briefing = seen(session)
    out = [_HEAD.format(cue=_remark(session.cue), film=_remark(session.programme.title or session.film.path)), "[cue]"]
    out += _lines(session, "cue")
    if session.key and not session.told.get("cue", Told()).key:
        out.append(f'# key = "{session.key}"')
    for span in session.spans:
        rows = said(session, span, briefing)
        start, end = (session.start + floor(second * session.film.rate) for second in span.seconds)
        name = f", {_remark(span.scene.name)}" if span.scene.name else ""
        out += ["", f"[scene.{span.number}]  # bars {span.first + 1} to {span.first + len(rows)}, {start} to {end}{name}"]
        out += _lines(session, span.scene.id)
        mood = suggested_mood(session, span)
        if mood is not None:
            out.append(f'# mood = "{NAMES[mood]}"')
        for field in ("density", "energy", "register"):
            values = [getattr(row.picture, field) for row in rows]
            if any(value is not None for value in values):
                out.append(f"# {field} = {' '.join('-' if v is None else f'{v:g}' for v in values)}")
        for k in range(1, len(rows) + 1):
            scope = f"{span.scene.id}/{k}"
            if scope in session.told:
                out += [f"[scene.{span.number}.bar.{span.first + k}]", *_lines(session, scope)]
    return "\n".join(out) + "\n"


def _remark(text: str) -> str:
    """A name as it may stand behind a #: on one line, without signs that a sheet cannot hold."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def read_sheet(session: Session, text: str, where: object = "the brief") -> dict[str, Told]:
    """What a sheet says, by scope. Raises OptionError, naming the place, for what cannot be."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not only TOMLDecodeError: a number of 5,000 digits is a ValueError
        raise OptionError(f"cannot be read: {error}", where=where, cure="words stand in quotes, one setting a line") from error
    told: dict[str, Told] = {}
    for section, content in table.items():
        if section == "cue":
            told["cue"] = _word(session, "cue", "cue", content, where)
        elif section == "scene" and isinstance(content, dict):
            for number, scene in content.items():
                told |= _scene(session, number, scene, where)
        else:
            raise OptionError(f"[{section}] is no part of a brief", where=where, cure="write [cue], [scene.1] or [scene.1.bar.3]")
    return {scope: word for scope, word in told.items() if not word.silent}


def _scene(session: Session, number: str, content: Any, where: object) -> dict[str, Told]:
    place = f"{where} [scene.{number}]"
    if not (number.isdecimal() and 1 <= float(number) <= len(session.scenes) and isinstance(content, dict)):
        raise OptionError("is no scene", where=place, cure=f"write [scene.1] to [scene.{len(session.scenes)}]")
    span = session.span(int(number))
    own = {name: value for name, value in content.items() if name != "bar"}
    bars = content.get("bar", {})
    if not isinstance(bars, dict):
        raise OptionError("is no bar", where=f"{place} bar", cure=f"write [scene.{number}.bar.{span.first + 1}]")
    told = {span.scene.id: _word(session, span.scene.id, f"scene.{number}", own, where)}
    for bar, word in bars.items():
        scope = _bar_scope(span, bar, f"{where} [scene.{number}.bar.{bar}]")
        told[scope] = _word(session, scope, f"scene.{number}.bar.{bar}", word, where)
    return told


def _bar_scope(span: Span, bar: str, place: str) -> str:
    first, last = span.first + 1, span.first + len(span.bars)
    if not (bar.isdecimal() and first <= float(bar) <= last):
        raise OptionError(f"is not in scene {span.number}", where=place, cure=f"it has bars {first} to {last} of the cue")
    return f"{span.scene.id}/{int(bar) - span.first}"


def _word(session: Session, scope: str, section: str, content: Any, where: object) -> Told:
    if not isinstance(content, dict):
        raise OptionError("holds no settings", where=f"{where} [{section}]", cure="write density = 4 below it")
    try:
        word = themed(session, told_of(content))
        check(scope, word)
    except OptionError as error:
        raise OptionError(error.what, where=f"{where} [{section}] {error.where or ''}".strip(), cure=error.cure) from error
    return word


def told_of(settings: Mapping[str, Any]) -> Told:
    """The composer's word from settings as they are typed: texts and numbers. Raises OptionError."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        reader = _READERS.get(name)
        if reader is None:
            raise OptionError(f"{name!r} is no setting", cure=f"choose from {', '.join(_READERS)}")
        if value is None:
            continue
        try:
            found[name] = reader(value)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise OptionError(
                f"{str(value)[:40]!r} is not a value for it", where=name, cure=f"write {_EXAMPLES[name]}"
            ) from error
    return Told(**found)


def _number(kind: type[int] | type[float]) -> Any:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or kind(value) != float(value):
            raise ValueError(value)
        return kind(value)

    return read


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def tempo_of(text: Any) -> tuple[Fraction, Fraction]:
    """A range of tempo from ``96`` or ``70-140``. Raises ValueError."""
    low, _, high = str(text).partition("-")
    ends = low, high or low
    if not all(_TEMPO.fullmatch(end) for end in ends):  # a power of ten would fill the memory
        raise ValueError(text)
    return Fraction(ends[0]), Fraction(ends[1])


_READERS: dict[str, Any] = {
    "density": _number(int),
    "energy": _number(float),
    "mood": lambda value: mood_number(value if type(value) in (int, str) else str(value)),
    "register": _number(float),
    "key": lambda value: key_name(str(value)),
    "chords": lambda value: chord_names(str(value)),
    "metre": lambda value: Metre.parse(str(value)),
    "tempo": tempo_of,
    "avoid": _truth,
    "sting": _number(float),
    "theme": lambda value: str(_number(int)(value)) if isinstance(value, int) else _text(value),
}
_EXAMPLES = {
    "density": "4",
    "energy": "0.5",
    "mood": '"calm"',
    "register": "60",
    "key": '"D:min"',
    "chords": '"C Am F/A G7"',
    "metre": '"3/4"',
    "tempo": '"80-96"',
    "avoid": "true",
    "sting": "1.0",
    "theme": '1, or "none"',
}


def _lines(session: Session, scope: str) -> list[str]:
    out, told = [], spoken(session, session.told.get(scope, Told()))
    for name in _READERS:
        value = getattr(told, name)
        if value is None:
            continue
        if name == "mood":
            value = NAMES[value]
        elif name == "chords":
            value = " ".join(value)
        elif name == "tempo":
            value = f"{value[0]}" if value[0] == value[1] else f"{value[0]}-{value[1]}"
        elif name == "metre":
            value = str(value)
        elif name == "theme" and value.isdecimal():
            value = int(value)
        out.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return out
