"""Keys and chords by name, in every spelling that musicians use and in the one that we keep, and the pitch classes that they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from engines.errors import OptionError

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
_QUALITIES = {
    "maj": ("", "M", "ma", "maj", "major"),
    "min": ("m", "mi", "min", "minor", "-"),
    "7": ("7", "dom7"),
    "maj7": ("maj7", "M7", "Maj7", "MAJ7", "ma7", "j7", "Δ", "Δ7"),
    "min7": ("m7", "mi7", "min7", "-7"),
    "minmaj7": ("m(maj7)", "mM7", "mMaj7", "mmaj7", "minmaj7", "m(M7)", "-Δ", "-Δ7"),
    "dim": ("dim", "o", "°"),
    "dim7": ("dim7", "o7", "°7"),
    "hdim7": ("m7b5", "m7(b5)", "min7b5", "mi7b5", "-7b5", "ø", "ø7", "hdim", "hdim7", "/o7"),
    "aug": ("aug", "+", "+5"),
    "aug(b7)": ("7#5", "+7", "aug7", "7(#5)", "7+"),
    "maj6": ("6", "maj6", "M6"),
    "min6": ("m6", "min6", "mi6", "-6"),
    "maj6(9)": ("6/9", "69", "6(9)"),
    "sus2": ("sus2",),
    "sus4": ("sus4", "sus"),
    "sus4(b7)": ("7sus4", "7sus"),
    "sus4(b7,9)": ("9sus4", "9sus"),
    "9": ("9",),
    "maj9": ("maj9", "M9", "Maj9", "ma9", "Δ9"),
    "min9": ("m9", "min9", "mi9", "-9"),
    "11": ("11",),
    "min11": ("m11", "min11", "-11"),
    "13": ("13",),
    "maj13": ("maj13", "M13"),
    "min13": ("m13", "min13", "-13"),
    "maj(9)": ("add9", "(add9)", "2", "add2"),
    "min(9)": ("madd9", "m(add9)", "minadd9"),
    "7(b9)": ("7b9", "7(b9)"),
    "7(#9)": ("7#9", "7(#9)"),
    "7(#11)": ("7#11", "7(#11)"),
    "7(b5)": ("7b5", "7(b5)"),
    "maj7(#11)": ("maj7#11", "M7#11", "maj7(#11)"),
}
"""By the quality in Harte's syntax how musicians write it, the way we write it back first."""
_BY_HAND = {word: quality for quality, spellings in _QUALITIES.items() for word in spellings}
_SHORTHANDS = frozenset(quality.partition("(")[0] for quality in _QUALITIES) | {"maj11"}
_DEGREES = re.compile(r"\(\*?[b#]{0,2}\d{1,2}(,\*?[b#]{0,2}\d{1,2})*\)")
_NOTE = re.compile(r"([A-Ga-g])([#b]{0,2})")
_DEGREE = re.compile(r"[b#]{0,2}\d{1,2}")
_NONE = ("N", "N_N", "NC", "N.C.", "N.C", "n.c.", "nc")
_SPELT = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
CURE = "write chords as C, Am7, F/A, Bb, F#m7b5, G7sus4 or C:min7, and N for none"
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


def bass_of(symbol: str) -> int | None:
    """The pitch class that a chord was given as its bass, by a tone (``F:maj/A``) or by a degree (``C:7/3``); None where it has none, or
    its root."""
    name, stroke, written = symbol.rpartition("/")
    tonic = pitch_class(name.partition(":")[0])
    if not stroke or tonic is None:
        return None
    if _DEGREE.fullmatch(written):
        number = (int(written.lstrip("#b")) - 1) % 7
        low = (tonic + _MAJOR[number] + written.count("#") - written.count("b")) % 12
    else:
        tone = pitch_class(written)
        if tone is None:
            return None
        low = tone
    return None if low == tonic else low


def chord_name(text: str) -> str | None:
    """A chord as we keep it, in Harte's syntax (``C:min7``, ``F:maj/A``, ``N``), however it was written: ``Cm7``, ``F/A``, ``Bb``,
    ``F#m7b5``, ``C:min7``, ``C_m7``; None if it is none."""
    word = text.strip().replace("♯", "#").replace("♭", "b")
    if word in _NONE:
        return "N"
    found = _NOTE.match(word)
    if found is None:
        return None
    quality, stroke, bass = word[found.end() :], "", ""
    if quality.removeprefix("_") not in _BY_HAND:
        quality, stroke, bass = quality.rpartition("/") if "/" in quality else (quality, "", "")
    harte, low = _quality(quality), _bass(bass) if stroke else ""
    return None if harte is None or low is None else f"{_tone(found[0])}:{harte}{low}"


def _quality(written: str) -> str | None:
    """The quality of a chord in Harte's syntax, however it was written behind the root."""
    if written[:1] == ":":
        shorthand, bracket, degrees = written[1:].partition("(")
        fits = shorthand in _SHORTHANDS and (not bracket or _DEGREES.fullmatch(bracket + degrees))
        return written[1:] if fits else _BY_HAND.get(written[1:] or "?")
    return _BY_HAND.get(written[1:] or "?") if written[:1] == "_" else _BY_HAND.get(written)


def _bass(written: str) -> str | None:
    """The bass of a chord with its stroke: a tone, or a degree; None for anything else."""
    if _DEGREE.fullmatch(written):
        return f"/{written}"
    found = _NOTE.fullmatch(written)
    return f"/{_tone(found[0])}" if found else None


def _tone(written: str) -> str:
    """A tone as it was spelt, but for doubly altered ones."""
    name = written[0].upper() + written[1:]
    return name if len(name) < 3 else _SPELT[pitch_class(name) or 0]


def chord_names(written: str | Sequence[str]) -> tuple[str, ...]:
    """Chords as we keep them, from a line with spaces or bar lines between them, or one by one. Raises OptionError for what is none."""
    words = written.replace("|", " ").split() if isinstance(written, str) else written
    named = [(word, chord_name(word)) for word in words]
    for word, name in named:
        if name is None:
            raise OptionError(f"no chord is named {word[:40]!r}", where="chords", cure=CURE)
    return tuple(name for _, name in named if name is not None)


def chord_said(symbol: str) -> str:
    """A chord that we keep as musicians write it: ``C:min7`` is ``Cm7``; as it is where they have no word for it."""
    root, separator, rest = symbol.partition(":")
    quality, _, bass = rest.partition("/")
    if not separator or quality not in _QUALITIES or _DEGREE.fullmatch(bass):
        return symbol
    return f"{root}{_QUALITIES[quality][0]}{'/' if bass else ''}{bass}"


def scale_tones(key: str) -> frozenset[int] | None:
    """The seven pitch classes of a key such as ``F#:min`` (natural minor); None if it is none."""
    name, _, mode = key.partition(":")
    tonic = pitch_class(name)
    if tonic is None or mode not in ("maj", "min"):
        return None
    return frozenset((tonic + step) % 12 for step in (_MINOR if mode == "min" else _MAJOR))


def pitch_in_key(pitch: int, old: str, new: str) -> int:
    """A MIDI pitch of a key at the same degree of another, moved by less than an octave to the nearer side; from major to minor, or back,
    thirds, sixths and sevenths are turned. As it was where one is no key."""
    here, there = (pitch_class(key.partition(":")[0]) for key in (old, new))
    if here is None or there is None or scale_tones(old) is None or scale_tones(new) is None:
        return pitch
    scales = _MINOR if old.endswith("min") else _MAJOR, _MINOR if new.endswith("min") else _MAJOR
    degree = (pitch - here) % 12
    turned = scales[1][scales[0].index(degree)] - degree if degree in scales[0] else 0
    moved = pitch + turned + (there - here + 6) % 12 - 6
    return moved - 12 if moved > 127 else moved + 12 if moved < 0 else moved


def chord_at(chords: Sequence[tuple[Fraction, str]], beat: Fraction) -> tuple[int, ...]:
    """The triad that holds at a beat, its root first, or the bass that it was given; () where none does."""
    before = [symbol for start, symbol in chords if start <= beat]
    tones, low = (chord_tones(before[-1]), bass_of(before[-1])) if before else ((), None)
    return tones if low is None else (low, *(tone for tone in tones if tone != low))
