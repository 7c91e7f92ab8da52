"""The frame rate of an edit decision list, which stands nowhere in it: what its labels and lengths give away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from engines.errors import CutListError
from engines.picture.cutlists.edl_lines import Event, Listing
from engines.picture.timecode import nominal, parse_rate

_CHOICES = ((24, "24"), (24, "23.976"), (25, "25"), (30, "29.97"), (30, "30"), (50, "50"), (60, "59.94"), (60, "60"))
_BASES = (24, 25, 30, 48, 50, 60)
_TENTH = Fraction(1, 10)  # of a frame a second: as finely as M2 lines are written
_ENOUGH_LABELS = 16  # so many labels up to 24 are twenty times likelier at 25 than at 30 frames a second


def needed_rate(listing: Listing, events: Sequence[Event], path: Path, assumed: Fraction | None) -> Fraction:
    """The rate that the list gives away, else ``assumed``. Raises CutListError where nothing tells, with what it could be."""
    if listing.rate:
        return parse_rate(listing.rate)
    rate, base = guessed_rate(listing, events)
    if assumed and (base is None or nominal(assumed) == base):
        return assumed
    if rate:
        return rate
    highest = max(_last_field(label) for event in events for label in (*event.source, *event.record))
    fitting = [name for count, name in _CHOICES if (count == base if base else count > highest)]
    what = f"an EDL does not say its frame rate (frame numbers here reach {highest})"
    raise CutListError(what, where=path, cure=f"pass --rate {' or '.join(fitting[:4])}")


def guessed_rate(listing: Listing, events: Sequence[Event]) -> tuple[Fraction | None, int | None]:
    """The exact rate if the list gives it away, and the frames in a second of its labels if it gives away that much.

    Drop-frame means 29.97 or 59.94. Otherwise source and record of an unchanged speed last equally long at the true count
    alone (`_votes`), and many labels that stop at 24 mean 25. 24 and 30 leave open whether they are pulled down.
    """
    labels = [label for event in events for label in (*event.source, *event.record)]
    highest = max(map(_last_field, labels))
    if listing.drop or any(";" in label for event in events for label in event.record):
        base = 30 if highest < 30 else 60
        return Fraction(base * 1000, 1001), base
    base_votes = _votes(events, highest)
    best = max(base_votes.values(), default=0)
    winners = [base for base, votes in base_votes.items() if votes == best]
    if len(winners) == 1 and best > 0:
        base = winners[0]
    elif highest == 24 and len(set(labels)) >= _ENOUGH_LABELS:
        base = 25
    else:
        return None, None
    return (Fraction(25), 25) if base == 25 else (Fraction(50), 50) if base == 50 else (None, base)


def _votes(events: Sequence[Event], highest: int, bases: Sequence[int] = _BASES) -> dict[int, int]:
    """For every count of frames that the labels allow, how many edits come out even at it."""
    votes = {base: 0 for base in bases if base > highest}
    for event in events:
        if event.record[0] == event.record[1]:
            continue
        for base in votes:
            source, record = (_count(pair[1], base) - _count(pair[0], base) for pair in (event.source, event.record))
            even = source == record and not event.black
            # a speed in frames a second is the ratio of the two lengths, times the count
            timed = event.speed is not None and record > 0 and abs(abs(event.speed) - base * Fraction(source, record)) <= _TENTH
            votes[base] += 2 if timed and event.speed else even
            votes[base] += bool(event.length) and event.length == record
    return votes


def check_rate(events: Sequence[Event], rate: Fraction, path: Path) -> None:
    """Refuse a rate that the labels speak against: by edits that come out even at another, or by a frame 24 at 24 a second.

    A camera that counts faster than the programme puts higher numbers in the source, which proves nothing by itself.
    """
    base = nominal(rate)
    highest = max(_last_field(label) for event in events for label in (*event.source, *event.record))
    votes = _votes(events, highest)
    own = _votes(events, 0, (base,))[base]
    best = max(votes, key=lambda count: votes[count], default=base)
    beyond = next((event for event in events for label in event.source if _last_field(label) >= base), None)
    if (beyond and (votes.get(best, 0) > own or highest == base == 24)) or votes.get(best, 0) >= max(3, 2 * own + 1):
        what = (
            f"line {beyond.line} has frame numbers beyond {base - 1}"
            if beyond
            else f"its edits do not come out even at {rate} fps"
        )
        raise CutListError(what, where=path, cure=f"this list counts {best} frames a second: pass --rate {best}")


def _last_field(label: str) -> int:
    return int(re.split(r"[:;.,]", label)[3])


def _count(label: str, base: int) -> int:
    hours, minutes, seconds, frames = (int(part) for part in re.split(r"[:;.,]", label))
    return ((hours * 60 + minutes) * 60 + seconds) * base + frames
