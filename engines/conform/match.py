"""Two cuts of one programme, compared: the change list, and the stretches of picture that are in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from engines.conform.chain import chosen, within_shots
from engines.conform.changes import Change, changes
from engines.conform.gaps import by_length, extended, of_darkness, of_lengths_alone, of_names
from engines.conform.pictures import by_picture
from engines.conform.sources import by_source
from engines.conform.strip import Link, Strip, strips
from engines.picture.cutlist import CutList

How = Literal["source", "picture", "lengths"]


@dataclass(frozen=True)
class Piece:
    """``frames`` frames of picture that are in both cuts: from ``old_frame`` on in the old, from ``new_frame`` on in the new."""

    old_frame: int
    new_frame: int
    frames: int


@dataclass(frozen=True)
class Matched:
    """Two cuts, compared.

    ``pieces`` are in the order of the new cut and disjoint there; two that touch differ in their offset. Their frames count at
    ``old_rate`` and ``new_rate``, of ``old_frames`` and ``new_frames`` in all: those of the two lists, except that a programme
    converted in time (25 to 30 frames a second) counts at the new rate on both sides. ``how`` says what told the shots.
    """

    how: How
    changes: tuple[Change, ...]
    pieces: tuple[Piece, ...]
    old_rate: Fraction
    new_rate: Fraction
    old_frames: int
    new_frames: int


def match(old: CutList, new: CutList, old_prints: bytes | None = None, new_prints: bytes | None = None) -> Matched:
    """What became of every shot.

    Shots are told by their sources where both lists name them, else by the prints of both films (8 bytes a frame: a 64-bit
    difference hash), else by their lengths in order; then a shot whose length changed counts as trimmed at its end. Raises
    ValueError for bytes that are no prints.
    """
    there, here = strips(old, new, old_prints, new_prints)
    how, held = _told(there, here)
    return Matched(how, changes(held, there, here, old, new), _pieces(held), there.rate, here.rate, there.frames, here.frames)


def _told(old: Strip, new: Strip) -> tuple[How, list[Link]]:
    """The links that hold, within shots, in the order of the new cut."""
    printed = old.prints is not None and new.prints is not None
    if old.sourced and new.sourced:
        links = by_source(old, new)
        if links or not printed:
            return "source", by_length(old, new, within_shots(chosen(links), old, new), of_names(old, new))
    if printed:
        held = extended(old, new, within_shots(chosen(by_picture(old, new)), old, new))
        return "picture", by_length(old, new, held, of_darkness(old, new))
    return "lengths", by_length(old, new, [], of_lengths_alone(old, new))


def _pieces(held: Sequence[Link]) -> tuple[Piece, ...]:
    out: list[Piece] = []
    for link in held:
        last = out[-1] if out else None
        if last and last.new_frame + last.frames == link.new and last.old_frame + last.frames == link.old:
            out[-1] = Piece(last.old_frame, last.new_frame, last.frames + link.frames)
        else:
            out.append(Piece(link.old, link.new, link.frames))
    return tuple(out)
