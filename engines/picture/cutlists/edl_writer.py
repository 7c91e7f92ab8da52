"""CMX 3600 edit decision lists, written so that an editor, and our own reader, finds every cut again to the frame."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor

from engines.picture.cutlist import CutList, Marker, Shot
from engines.picture.cutlists.transitions import Transition, transitions
from engines.picture.timecode import Timecode, nominal

_REEL_WIDTH = 8  # what a CMX 3600 gave a reel's name
_BLACK = "BL"


def written(programme: CutList, suffix: str = ".edl") -> str:
    """The text of the list.

    A dissolve begins half its length before its cut, as an EDL counts it; where shots are shorter than their transitions these
    are shortened, and the cut stays in its place. The rate stands in a remark, since CMX 3600 has no place for it.
    """
    drop = programme.start.drop
    lines = [
        f"TITLE: {_plain(programme.title) or 'HITPOINT'}",
        f"FCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}",
        f"* RATE: {programme.rate}",
        "",
    ]
    mixes = [Transition(0), *transitions(programme)]
    leaving: tuple[str, Timecode] | None = None
    for number, (shot, mix) in enumerate(zip(programme.shots, mixes, strict=True), 1):
        end = mixes[number].start if number < len(mixes) else programme.frames
        reel, source = _source(shot, mix.start, programme)
        source_out = (source + max(1, floor((end - mix.start) * abs(shot.speed)))).wrapped
        record = ((programme.start + mix.start).wrapped, (programme.start + end).wrapped)
        labels = f"{source} {source_out} {record[0]} {record[1]}"
        if mix.length:
            left_reel, left = (_BLACK, Timecode(0, programme.rate)) if mix.from_black or leaving is None else leaving
            lines.append(f"{number:03}  {left_reel:<8} V     C        {left} {left} {record[0]} {record[0]}")
            lines.append(f"{number:03}  {reel:<8} V     D    {mix.length:03} {labels}")
            lines.append("* EFFECT NAME: CROSS DISSOLVE")
        else:
            lines.append(f"{number:03}  {reel:<8} V     C        {labels}")
        before = programme.shots[number - 2] if number > 1 else None
        lines += _names(shot, before, mix, mixes[number - 2])
        if shot.speed != 1 and not shot.black:
            fps = float(shot.speed * nominal(programme.rate))
            lines.append(f"M2   {reel:<8}       {fps:06.1f}                {source}")
        leaving = (reel, source_out)
    lines += [_locator(marker, programme) for marker in programme.markers]
    return "\n".join([*lines, ""])


def _source(shot: Shot, start: int, programme: CutList) -> tuple[str, Timecode]:
    """Reel and source timecode of a shot at frame ``start``, where its event begins."""
    if shot.black:
        return _BLACK, Timecode(0, programme.rate)
    reel = re.sub(r"[^A-Za-z0-9_.-]", "", shot.reel)[:_REEL_WIDTH].upper()
    if shot.source_in is None:
        frame = Fraction(programme.start.frame + start)
    else:
        frame = shot.source_in * programme.rate + (start - shot.start) * shot.speed
    return (reel if reel and reel not in ("BL", "BLK", "BLACK") else "AX"), Timecode(max(0, floor(frame)), programme.rate).wrapped


def _names(shot: Shot, before: Shot | None, mix: Transition, mix_before: Transition) -> list[str]:
    name, left = _plain(shot.name), _plain(before.name) if before else ""
    if mix.length:
        leaves = [f"* FROM CLIP NAME: {left}"] if left and not mix.from_black else []
        return leaves + ([f"* TO CLIP NAME: {name}"] if name else [])
    # the same name again after a dissolve would say that nothing is cut there
    return [f"* FROM CLIP NAME: {name}"] if name and not (before and mix_before.length and left == name) else []


def _locator(marker: Marker, programme: CutList) -> str:
    colour = re.sub(r"\s", "", marker.colour).upper() or "RED"
    return f"* LOC: {programme.start + marker.frame} {colour:<7} {_plain(marker.name)}".rstrip()


def _plain(text: str) -> str:
    """Text on one line."""
    return " ".join(text.split())
