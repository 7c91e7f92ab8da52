"""Hit points: the moments that the music should catch, as the picture suggests them and the composer decides."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import log2
from statistics import median

from engines.errors import OptionError
from engines.picture.cut import Cut

SYNC = Fraction(1, 50)
"""Seconds within which a beat is heard as together with a cut: half a frame of film, and never more than 20 ms."""

TOGETHER = Fraction(3, 4)
"""Seconds: of two cuts closer than this (a beat at 80 BPM) only the heavier is a hard hit by default."""

_FRAMES = re.compile(r"-?\d{1,9}(\.\d{0,9}|/\d{1,9})?")  # no powers of ten: a large one would fill the memory

WEIGHT_OF_KIND = {"cut": 1.0, "fade": 0.8, "dissolve": 0.65}
"""A mix has no one moment to catch, so it weighs less than a hard cut; a picture that appears from black weighs more than a mix."""


@dataclass(frozen=True, order=True)
class Hit:
    """A moment to catch.

    ``time`` is exact seconds of the film, ``frame`` the frame that shows it. ``weight`` lies in 0..1: what missing it costs.
    A ``hard`` hit must have an onset when the map catches it; a soft one may pass. A beat from ``early`` seconds before to
    ``late`` seconds after it is still heard as on it; 0 for both accepts nothing but the exact time. A composer who likes the
    accent just after the cut sets ``early`` to 0 and ``late`` to one to three frames.
    """

    frame: int
    time: Fraction
    weight: float = 1.0
    hard: bool = True
    early: Fraction = SYNC
    late: Fraction = SYNC
    label: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise OptionError(
                f"weight {self.weight} is not in 0..1", where=f"hit at frame {self.frame}", cure="1 is the heaviest"
            )
        if self.early < 0 or self.late < 0:
            raise OptionError("a window cannot be negative", where=f"hit at frame {self.frame}", cure="give 0 or more frames")


@dataclass(frozen=True)
class Override:
    """What the composer says about one frame; None leaves the default. ``early`` and ``late`` are frames."""

    frame: int
    weight: float | None = None
    hard: bool | None = None
    early: Fraction | None = None
    late: Fraction | None = None
    label: str | None = None
    drop: bool = False


def hits_from_cuts(
    cuts: Sequence[Cut],
    rate: Fraction,
    duration: Fraction | None = None,
    overrides: Iterable[Override] = (),
) -> tuple[Hit, ...]:
    """Hit points for cuts of a picture of ``rate`` frames a second, in order, one a frame.

    A cut weighs more the longer the shots on both sides are beside the median shot of the film (a cut out of a long take is an
    event, one in a run of short shots is texture), the larger the change of picture and the surer it is. Dissolves and fades
    are soft, as are doubtful cuts, and the lighter of two cuts within `TOGETHER`. ``duration`` (seconds) ends the last shot.
    """
    cuts = sorted({cut.frame: cut for cut in cuts}.values())
    edges = [Fraction(0), *(cut.time for cut in cuts)]
    edges.append(max(duration, edges[-1]) if duration is not None else edges[-1] + (edges[-1] - edges[-2] if cuts else 0))
    shots = [float(after - before) for before, after in itertools.pairwise(edges)]
    usual = median(shots) or 1.0
    window = min(SYNC, 1 / (2 * Fraction(rate)))
    hits = [
        Hit(
            cut.frame,
            cut.time,
            _weight(cut, shots[k], shots[k + 1], usual),
            cut.kind == "cut" and cut.confidence >= 0.5,
            window,
            window,
        )
        for k, cut in enumerate(cuts)
    ]
    return overridden(_thinned(hits), overrides, rate)


def _weight(cut: Cut, before: float, after: float, usual: float) -> float:
    octaves = log2(max((before * after) ** 0.5, usual / 8) / usual)
    length = 0.6 + 0.2 * min(2.0, max(-2.0, octaves))
    change = (0.6 + 0.4 * cut.strength) * (0.5 + 0.5 * cut.confidence)
    return round(min(1.0, max(0.05, length * change * WEIGHT_OF_KIND[cut.kind])), 3)


def _thinned(hits: list[Hit]) -> list[Hit]:
    """The heaviest first: what lies too near to a hard hit that stands already is soft, and half as heavy."""
    out = list(hits)
    standing: list[Fraction] = []
    for k in sorted(range(len(hits)), key=lambda k: (-hits[k].weight, hits[k].time)):
        if not hits[k].hard:
            continue
        if any(abs(hits[k].time - time) < TOGETHER for time in standing):
            out[k] = replace(hits[k], hard=False, weight=round(hits[k].weight / 2, 3))
        else:
            standing.append(hits[k].time)
    return out


def overridden(hits: Iterable[Hit], overrides: Iterable[Override], rate: Fraction) -> tuple[Hit, ...]:
    """The hits with the composer's word on some frames; a frame that is no hit yet becomes one (weight 1, hard)."""
    window = min(SYNC, 1 / (2 * Fraction(rate)))
    found = {hit.frame: hit for hit in hits}
    for word in overrides:
        if word.frame < 0:
            raise OptionError(f"frame {word.frame} lies before the film", where="hit", cure="frames count from 0")
        hit = found.pop(word.frame, Hit(word.frame, word.frame / Fraction(rate), 1.0, True, window, window))
        if word.drop:
            continue
        found[word.frame] = replace(
            hit,
            weight=hit.weight if word.weight is None else word.weight,
            hard=hit.hard if word.hard is None else word.hard,
            early=hit.early if word.early is None else word.early / Fraction(rate),
            late=hit.late if word.late is None else word.late / Fraction(rate),
            label=hit.label if word.label is None else word.label,
        )
    return tuple(sorted(found.values()))


def override_from_text(text: str) -> Override:
    """An override as a person types it: ``FRAME[=WEIGHT][,hard|soft|off][,early=FRAMES][,late=FRAMES][,label=TEXT]``.

    Raises OptionError.
    """
    head, *words = text.split(",")
    frame, _, weight = head.partition("=")
    fields: dict[str, object] = {}
    try:
        fields["frame"] = int(frame)
        if weight:
            fields["weight"] = float(weight)
        for word in words:
            key, _, value = word.strip().partition("=")
            if key in ("hard", "soft") and not value:
                fields["hard"] = key == "hard"
            elif key == "off" and not value:
                fields["drop"] = True
            elif key in ("early", "late"):
                if not _FRAMES.fullmatch(value):
                    raise ValueError(f"{value!r} is no number of frames")
                fields[key] = Fraction(value)
            elif key == "label":
                fields[key] = value
            else:
                raise ValueError(f"{word!r} is not understood")
    except (ValueError, ZeroDivisionError) as error:
        raise OptionError(
            f"{text!r}: {error}", where="--hit", cure="write FRAME=WEIGHT,hard,early=1,late=3, weight in 0..1"
        ) from None
    return Override(**fields)  # type: ignore[arg-type]
