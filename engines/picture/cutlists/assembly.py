"""From layers of pieces, as every editor stacks them, to what is seen: shots end to end, and the cuts between them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import Literal

from engines.errors import CutListError
from engines.picture.cut import Cut, CutKind
from engines.picture.cutlist import LONGEST_PROGRAMME, CutList, Marker, Shot
from engines.picture.timecode import Timecode

MOST_PIECES = 50_000
"""Pieces beyond which a timeline is taken for damage: a long film with every effect has some 10,000."""


@dataclass(frozen=True)
class Piece:
    """A stretch of one layer from frame ``start`` up to ``end``, counted from the programme's first frame, fractions allowed.

    ``source_in`` is the source's own time (seconds) at ``start``. ``clear`` pieces (titles, keys) hide nothing below them.
    """

    start: Fraction
    end: Fraction
    name: str = ""
    reel: str = ""
    source_in: Fraction | None = None
    speed: Fraction = Fraction(1)
    black: bool = False
    clear: bool = False


@dataclass(frozen=True)
class Mix:
    """A transition of one layer from frame ``start`` up to ``end``, laid over the end of a piece at ``edge``.

    A ``mix`` goes straight from one picture to the next (a fade, if one of the two is black), a ``dip`` goes through black or a
    colour in between, a ``rise`` comes up from black after a picture that is gone at once.
    """

    start: Fraction
    end: Fraction
    edge: Fraction
    way: Literal["mix", "dip", "rise"] = "mix"


@dataclass(frozen=True)
class Layer:
    """Pieces of one track in the order in which they were laid: where two overlap, the later one is seen."""

    pieces: tuple[Piece, ...]
    mixes: tuple[Mix, ...] = ()


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    piece: Piece | None
    layer: int

    @property
    def black(self) -> bool:
        return self.piece is None or self.piece.black


def whole(frame: Fraction | int) -> int:
    """The frame nearest to a fractional one; halves round up."""
    return floor(frame + Fraction(1, 2))


def within(
    layer: Layer,
    window: tuple[Fraction, Fraction],
    shift: Fraction,
    rate: Fraction,
    scale: Fraction = Fraction(1),
    speed: Fraction = Fraction(1),
) -> Layer:
    """A layer as part of another: its frame t lies at ``shift + t * scale``; what falls outside ``window`` is left out.

    ``rate`` is the outer one, ``speed`` what the layer as a whole is played at (below 0, ``scale`` is too: it runs backwards).
    """
    plain = scale == 1 and speed == 1
    pieces = []
    for piece in layer.pieces:
        ends = (piece.start + shift, piece.end + shift) if plain else (shift + piece.start * scale, shift + piece.end * scale)
        first, last = ends if scale > 0 else ends[::-1]
        start, end = max(first, window[0]), min(last, window[1])
        if start >= end:
            continue
        own = piece.speed if plain else piece.speed * speed
        source = piece.source_in
        if source is not None and scale < 0:
            source += (last - first) / rate * -own
        if source is not None and start != first:
            source += (start - first) / rate * own
        pieces.append(Piece(start, end, piece.name, piece.reel, source, own, piece.black, piece.clear))
    mixes = []
    for mix in layer.mixes:
        first, last = sorted((shift + mix.start * scale, shift + mix.end * scale))
        mixes.append(Mix(first, last, shift + mix.edge * scale, mix.way))
    return Layer(tuple(pieces), tuple(mixes))


def assemble(
    layers: Sequence[Layer],
    start: Timecode,
    frames: int | None = None,
    markers: Iterable[Marker] = (),
    title: str = "",
    where: object = None,
) -> CutList:
    """The programme that ``layers`` (lowest first) show, from frame 0 to ``frames`` (None: to the last piece's end).

    Raises CutListError for a programme of no frames, or one that is absurdly long.
    """
    count = sum(len(layer.pieces) for layer in layers)
    end = max((whole(piece.end) for layer in layers for piece in layer.pieces), default=0)
    end = max(end, frames or 0)
    if end <= 0:
        raise CutListError("there is no picture in this cut list", where=where, cure="export the video track of the programme")
    if end > LONGEST_PROGRAMME * start.rate or count > MOST_PIECES:
        raise CutListError(f"a programme of {end} frames is too long to be true", where=where, cure="export it again")
    spans = _visible(layers, end)
    cuts, shots = _cuts(spans, layers, end, start.rate)
    kept = sorted((marker for marker in markers if marker.frame >= 0), key=lambda marker: (marker.frame, marker.name))
    return CutList(start.rate, start, end, cuts, shots, tuple(kept), title)


def _visible(layers: Sequence[Layer], end: int) -> list[_Span]:
    """What is on top at every moment: opaque before clear, higher before lower, later before earlier."""
    starting: list[tuple[int, tuple[bool, int, int], int, Piece]] = []
    edges = {0, end}
    for height, layer in enumerate(layers):
        for order, piece in enumerate(layer.pieces):
            first, last = max(0, whole(piece.start)), min(end, whole(piece.end))
            if first < last:
                # a heap gives the smallest first
                starting.append((first, (piece.clear, -height, -order), last, piece))
                edges |= {first, last}
    starting.sort(key=lambda entry: entry[:3], reverse=True)
    spans: list[_Span] = []
    active: list[tuple[tuple[bool, int, int], int, int, Piece]] = []
    ordered = sorted(edges)
    for edge, following in itertools.pairwise(ordered):
        while starting and starting[-1][0] == edge:
            _, rank, last, piece = starting.pop()
            heapq.heappush(active, (rank, last, len(starting), piece))
        while active and active[0][1] <= edge:
            heapq.heappop(active)
        piece_now, height = (active[0][3], -active[0][0][1]) if active else (None, -1)
        before = spans[-1] if spans else None
        now_black = piece_now is None or piece_now.black
        if before and (before.piece is piece_now or (before.black and now_black)):
            spans[-1] = replace(before, end=following)
        else:
            spans.append(_Span(edge, following, piece_now, height))
    return spans


def _cuts(spans: Sequence[_Span], layers: Sequence[Layer], end: int, rate: Fraction) -> tuple[tuple[Cut, ...], tuple[Shot, ...]]:
    """One cut where two spans meet, moved to the place in its transition where the change is seen."""
    mixes = [{whole(mix.edge): mix for mix in layer.mixes if whole(mix.start) < whole(mix.end)} for layer in layers]
    ends = [*spans, _Span(end, end, None, -1)]  # what fades out at the end fades to black
    cuts: list[Cut] = []
    shots: list[Shot] = []
    opening = 0
    for before, after in itertools.pairwise(ends):
        mix = _mix(before, after, mixes)
        frame, kind, length = _place(before, after, mix)
        if after.start == end and (mix is None or kind != "fade" or opening >= end - 1):
            shots.append(_shot(before, opening, end, rate))
            break
        # no transition reaches over the next change, nor beyond the last frame
        frame = min(max(frame, opening + 1), max(after.end, after.start + 1) - 1, end - 1)
        cuts.append(Cut(frame, frame / rate, kind, length=length))
        shots.append(_shot(before, opening, frame, rate))
        opening = frame
        if after.start == end:
            shots.append(_shot(after, opening, end, rate))
    return tuple(cuts), tuple(shots)


def _mix(before: _Span, after: _Span, mixes: Sequence[Mapping[int, Mix]]) -> Mix | None:
    """The transition over the place where two spans meet, if one of the two begins or ends there on its own layer."""
    edge = after.start
    if after.piece is not None and whole(after.piece.start) == edge and edge in mixes[after.layer]:
        return mixes[after.layer][edge]
    if before.piece is not None and whole(before.piece.end) == edge:
        return mixes[before.layer].get(edge)
    return None


def _place(before: _Span, after: _Span, mix: Mix | None) -> tuple[int, CutKind, int]:
    if mix is None:
        return after.start, "cut", 0
    start, end = whole(mix.start), whole(mix.end)
    if mix.way == "rise" or (before.black and not after.black):
        return start, "fade", end - start
    if after.black and not before.black:
        return end, "fade", end - start
    return start + (end - start) // 2, "dissolve" if mix.way == "mix" else "fade", end - start


def _shot(span: _Span, start: int, end: int, rate: Fraction) -> Shot:
    piece = span.piece
    if piece is None:
        return Shot(start, end, black=True)
    source = None if piece.source_in is None else piece.source_in + (start - whole(piece.start)) / rate * piece.speed
    return Shot(start, end, piece.name, piece.reel, source, piece.speed, piece.black)
