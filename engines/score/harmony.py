"""Keys and chords by name, and the pitch classes that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TRIADS = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "hdim": (0, 3, 6),
}
_WORDS = {"m": "min", "M": "maj", "/o": "hdim", "o": "dim", "+": "aug"}
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


def pitch_class(name: str) -> int | None:
    """0..11 of a spelt tone such as ``F#`` or ``Bbb``; None if it is none."""
    accidentals = name[1:]
    if name[:1] not in _STEPS or accidentals.strip("#b") or len(accidentals) > 2:
        return None
    return (_STEPS[name[0]] + accidentals.count("#") - accidentals.count("b")) % 12


def chord_tones(symbol: str) -> tuple[int, ...]:
    """The triad of a chord symbol, root first; () for no chord (``N``).

    Reads Harte's syntax (ISMIR 2005) as POP909 writes it, ``C:maj``, ``A:min7``, ``G:sus4(b7)/B``, and the words of the
    BM-Transformer, ``C_M``, ``A_m7``, ``B_/o7``.
    """
    name, separator, quality = symbol.partition("_" if "_" in symbol else ":")
    tonic = pitch_class(name.partition("/")[0])
    if tonic is None:
        return ()
    if separator == "_":
        quality = next((harte for word, harte in _WORDS.items() if quality.startswith(word)), quality)
    kind = next((known for known in _TRIADS if quality.startswith(known)), "maj")
    return tuple((tonic + step) % 12 for step in _TRIADS[kind])


def scale_tones(key: str) -> frozenset[int] | None:
    """The seven pitch classes of a key such as ``F#:min`` (natural minor); None if it is none."""
    name, _, mode = key.partition(":")
    tonic = pitch_class(name)
    if tonic is None or mode not in ("maj", "min"):
        return None
    return frozenset((tonic + step) % 12 for step in (_MINOR if mode == "min" else _MAJOR))


def chord_at(chords: Sequence[tuple[Fraction, str]], beat: Fraction) -> tuple[int, ...]:
    """The triad that holds at a beat, root first; () where none does."""
    before = [symbol for start, symbol in chords if start <= beat]
    return chord_tones(before[-1]) if before else ()
