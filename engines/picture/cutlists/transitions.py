"""The transitions that the shots of a programme have room for, as a list that is written lays them."""

from __future__ import annotations

from dataclasses import dataclass

from engines.picture.cut import Cut
from engines.picture.cutlist import CutList


@dataclass(frozen=True)
class Transition:
    """Into the shot after a cut: from frame ``start``, ``length`` frames (0 for a hard cut).

    ``from_black`` asks for black before it where the shot that is left is a picture: a fade that nothing else tells of.
    """

    start: int
    length: int = 0
    from_black: bool = False


def transitions(programme: CutList) -> list[Transition]:
    """One for every cut. Where two would overlap they are shortened, and every cut stays in its place."""
    out: list[Transition] = []
    free = 1  # the first frame that no earlier transition needs
    for place, cut in enumerate(programme.cuts):
        before, after = programme.shots[place], programme.shots[place + 1]
        last = place + 1 == len(programme.cuts)
        limit = programme.frames if last else _begin(programme.cuts[place + 1], programme.shots[place + 2].black)
        limit = max(limit, cut.frame)
        if cut.kind == "dissolve":
            # the longest whose middle, rounded down, is the cut
            length = max(0, min(cut.length, 2 * (cut.frame - free) + 1, 2 * (limit - cut.frame)))
            made = Transition(cut.frame - length // 2, length)
        elif cut.kind == "fade" and after.black and not before.black:
            length = max(0, min(cut.length, cut.frame - free))
            made = Transition(cut.frame - length, length)
        elif cut.kind == "fade":
            made = Transition(cut.frame, max(0, min(cut.length, limit - cut.frame)), from_black=not before.black)
        else:
            made = Transition(cut.frame)
        out.append(made)
        free = max(made.start + made.length, cut.frame + 1)
    return out


def _begin(cut: Cut, to_black: bool) -> int:
    """The frame at which a cut's transition would begin, given all the room in the world."""
    if cut.kind == "dissolve":
        return cut.frame - cut.length // 2
    return cut.frame - cut.length if cut.kind == "fade" and to_black else cut.frame
