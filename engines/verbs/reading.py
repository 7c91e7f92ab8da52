"""What a person types on the command line, as values."""

from __future__ import annotations

import argparse
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from engines.engine import MOODS
from engines.errors import OptionError

if TYPE_CHECKING:
    from engines.scoring import Wishes


def tempo(text: str) -> tuple[Fraction, Fraction]:
    """A tempo, or a range of it, in beats a minute."""
    low, _, high = text.partition("-")
    try:
        if "e" in text.lower():
            raise ValueError  # a large power of ten would fill the memory
        return Fraction(low), Fraction(high or low)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a tempo: write 96 or 70-140") from None


def metre(text: str) -> Any:
    """A `Metre` from ``7/8``."""
    from engines.spotting.tempo import Metre

    try:
        return Metre.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a metre: write 4/4, 3/4 or 7/8") from None


def within(low: float, high: float, kind: type[int] | type[float]) -> Any:
    """A reader of numbers between two ends, both included."""

    def read(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not in {low:g} to {high:g}")
        return value

    return read


def rate(text: str) -> Fraction:
    """Frames a second, exact."""
    from engines.picture.timecode import parse_rate

    return parse_rate(text)


def instruments(words: list[str]) -> dict[str, Any]:
    """Instruments by stem from ``melody=violin``. Raises OptionError."""
    from engines.score.instruments import instrument
    from engines.score.notes import STEMS

    out = {}
    for word in words:
        stem, _, name = word.partition("=")
        if stem not in STEMS or not name:
            raise OptionError(
                f"{word!r} is not STEM=NAME", where="--instrument", cure=f"write {STEMS[0]}=violin; stems are {', '.join(STEMS)}"
            )
        out[stem] = instrument(name)
    return out


def wishes(args: argparse.Namespace) -> Wishes:
    """The wishes of a command that scores or spots."""
    from engines.scoring import Wishes
    from engines.spotting.hits import override_from_text
    from engines.spotting.solve import MAX_BEND, TEMPO
    from engines.spotting.tempo import Metre

    given = vars(args)
    return Wishes(
        engine=given.get("engine", "bmt"),
        mode=given.get("mode"),
        formula=given.get("formula", "ours"),
        provider=given.get("provider"),
        features=tuple(given.get("features") or ()),
        tempo=args.tempo or TEMPO,
        max_bend=MAX_BEND if args.max_bend is None else args.max_bend,
        metres=tuple(args.metre or (Metre(),)),
        subdivision=args.subdivision,
        candidate=args.candidate,
        mood=MOODS.get(given.get("mood", "")),
        density=given.get("density"),
        energy=given.get("energy"),
        key=given.get("key"),
        seed=given.get("seed", 1),
        performance=given.get("performance", 0.5),
        overrides=tuple(override_from_text(word) for word in args.hit),
        instruments=instruments(given.get("instrument") or []),
    )


def bar_range(text: str) -> tuple[int, int]:
    """Bars from ``5`` or ``5-8``, counted from 1."""
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal() or not 1 <= int(first) <= int(last or first) < 10**6:
        raise argparse.ArgumentTypeError(f"{text!r} are no bars: write 5 or 5-8")
    return int(first), int(last or first)
