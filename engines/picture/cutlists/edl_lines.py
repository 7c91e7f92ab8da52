"""The lines of a CMX 3600 edit decision list, understood one by one; labels stay text until the rate is known.

Source: the CMX 340/3600 list layout as Sony, GVG, Avid, Final Cut, Premiere and Resolve keep it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from engines.errors import CutListError

_LONGEST_LINE = 1000  # characters; what is longer is no event
_LABEL = r"\d{1,2}[:;.,]\d{1,2}[:;.,]\d{1,2}[:;.,]\d{1,3}"
_TRACKS = r"(?:NONE|B|[AV]\d*(?:[/&]?[AV]\d*)*)"
_EVENT = re.compile(
    rf"\s*(?P<number>\d+[A-Z]?)(?:\s+(?P<reel>\S.*?))??\s+(?P<tracks>{_TRACKS})\s+(?P<effect>C|D|W\s?\d*|K\s?[BO]?)"
    rf"(?:\s+(?P<length>\d{{1,4}}))?\s+(?P<a>{_LABEL})\s+(?P<b>{_LABEL})\s+(?P<c>{_LABEL})\s+(?P<d>{_LABEL})\s*",
    re.IGNORECASE,
)
_STARTED = re.compile(rf"\s*\d{{3,6}}[A-Z]?\s+\S.*(?:{_LABEL}|\s(?:C|D|W\d+|K\s?[BO]?)\s)", re.IGNORECASE)
_SPEED = re.compile(rf"\s*M2\s+(?P<reel>.*?)\s+(?P<fps>[-+]?\s*\d+(?:\.\d+)?)\s+(?P<label>{_LABEL})\s*", re.IGNORECASE)
_NAME = re.compile(r"\s*\*?\s*(?P<side>FROM|TO|KEY) CLIP NAME:\s*(?P<name>.*?)\s*", re.IGNORECASE)
_LOCATOR = re.compile(rf"\s*\*\s*LOC:\s*(?P<label>{_LABEL})\s+(?P<colour>\S+)\s*(?P<name>.*?)\s*", re.IGNORECASE)
_RESOLVE = re.compile(r"(?P<comment>[^|]*)\|C:(?P<colour>\S*) \|M:(?P<name>.*)\|D:(?P<length>\d{1,9})")
_RATE = re.compile(r"\s*\*\s*(?:FRAME )?RATE:\s*(?P<rate>\S+)\s*", re.IGNORECASE)
_BLACK_REELS = {"BL", "BLK", "BLACK"}
_BLACK_NAMES = {"SLUG", "BLACK", "BLACK VIDEO"}  # the black generators of Final Cut and Premiere


@dataclass
class Event:
    """One line of the list; labels are text until the rate is known."""

    line: int
    number: str
    reel: str
    tracks: str
    effect: str
    length: int
    source: tuple[str, str]
    record: tuple[str, str]
    name: str = ""
    speed: Fraction | None = None  # frames a second of the source, by an M2 line
    marker: tuple[str, str, str, int] | None = None  # name, comment, colour, frames

    @property
    def layer(self) -> int | None:
        """The video track, from 1; None for sound."""
        found = re.search(r"V(\d*)", self.tracks)
        return (int(found[1] or 1) if found else None) if self.tracks != "B" else 1

    @property
    def black(self) -> bool:
        """Whether it shows nothing."""
        return self.reel.upper() in _BLACK_REELS or self.name.upper() in _BLACK_NAMES


@dataclass
class Listing:
    """What stands in the text, before any rate is known."""

    title: str = ""
    drop: bool | None = None
    rate: str | None = None
    events: list[Event] = field(default_factory=list)
    locators: list[tuple[int, str, str, str]] = field(default_factory=list)


def parse(content: str, path: object) -> Listing:
    """The lines of an EDL, understood one by one. Raises CutListError for an event that breaks off."""
    listing = Listing()
    edit: list[Event] = []
    lines = re.split(r"\r\n|\n|\r", content.replace("\x00", "").replace("\x1a", ""))
    for number, whole_line in enumerate(lines, 1):
        line = " ".join(whole_line[:_LONGEST_LINE].split())  # runs of blanks would cost the patterns the square of their length
        found = _EVENT.fullmatch(line)
        if found:
            event = _event(found, number)
            if not edit or edit[0].number != event.number:
                edit = []
            edit.append(event)
            listing.events.append(event)
        elif _STARTED.match(line) or (line.strip() and number == len(lines) and re.match(r"\s*\d{3,6}\s", line)):
            cure = "it needs a reel, a track, an effect and four timecodes; export the list again"
            raise CutListError(f"line {number} is an event that breaks off: {line.strip()[:60]!r}", where=path, cure=cure)
        else:
            _remark(listing, edit, line, number)
    return listing


def _event(found: re.Match[str], line: int) -> Event:
    effect = re.sub(r"\s", "", found["effect"].upper())
    length = int(found["length"] or 0)
    record = (found["c"], found["d"])
    reel = (found["reel"] or "").strip()
    return Event(line, found["number"], reel, found["tracks"].upper(), effect, length, (found["a"], found["b"]), record)


def _remark(listing: Listing, edit: Sequence[Event], line: str, number: int) -> None:
    """A line that belongs to the list or to the edit before it; what nothing is known of is left alone."""
    words = line.strip().upper()
    if words.startswith("TITLE:") and not listing.title:
        listing.title = line.strip()[6:].strip()
    elif words.startswith("FCM:") and not listing.events:
        listing.drop = "NON" not in words
    elif found := _RATE.fullmatch(line):
        listing.rate = found["rate"]
    elif found := _LOCATOR.fullmatch(line):
        listing.locators.append((number, found["label"], found["colour"], found["name"]))
    elif not edit:
        return
    elif found := _SPEED.fullmatch(line):
        reel = found["reel"].strip()
        target = next((event for event in reversed(edit) if event.reel == reel), edit[-1])
        target.speed = Fraction(found["fps"].replace(" ", ""))
    elif found := _RESOLVE.fullmatch(line):
        colour = found["colour"].removeprefix("ResolveColor")
        edit[-1].marker = (found["name"].strip(), found["comment"].strip(), colour, int(found["length"]))
    elif found := _NAME.fullmatch(line):
        _name(edit, found["side"].upper(), found["name"])


def _name(edit: Sequence[Event], side: str, name: str) -> None:
    """FROM names what an edit leaves, TO what it enters; a lone cut is named by FROM."""
    mixing = any(event.effect[0] in "DW" for event in edit)
    if side == "TO":
        edit[-1].name = name
    elif side == "FROM" and (len(edit) > 1 or not mixing):
        edit[0].name = name
