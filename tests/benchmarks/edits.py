"""Edits by construction: pieces of real shots joined anew, so that every cut, dissolve and fade is known to the frame."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.picture.reel import Reel

WIDTH, HEIGHT, RATE = 320, 180, 24
SOURCES = ("tears_of_steel_battle.webm", "big_buck_bunny_480p.mp4", "stills_with_fades.mp4")
Frames = NDArray[np.uint8]


class Truth(NamedTuple):
    """A boundary that is known: its frame (of a dissolve the middle), its kind, and its length in frames."""

    frame: int
    kind: str
    length: int = 0


@dataclass(frozen=True)
class Shot:
    """The frames of one true shot, (n, 180, 320, 3) RGB."""

    source: str
    start: int
    frames: Frames


@dataclass(frozen=True)
class Edit:
    """A film made of pieces, with its truth; ``tricks`` says which flashes and whips lie in it, and where."""

    frames: Frames
    truth: tuple[Truth, ...]
    tricks: tuple[str, ...]


def truths(film: Path) -> list[Truth]:
    """The boundaries checked by eye beside a clip; kind ``ambiguous`` among them."""
    listing = film.with_name(film.name + ".cuts.csv")
    with listing.open(newline="") as file:
        return [Truth(int(row["frame"]), row["kind"]) for row in csv.DictReader(file)]


def shots(media: Path) -> list[Shot]:
    """Every true shot of the clips that is long enough to take a piece from, scaled and cropped to 320 x 180."""
    found = []
    for name in SOURCES:
        frames = _film(media / name)
        # what is not a hard cut has a neighbourhood: no piece touches it
        edges = [(t.frame, 0 if t.kind == "cut" else 16) for t in truths(media / name)]
        starts = [0, *(frame + wide for frame, wide in edges)]
        ends = [*(frame - wide for frame, wide in edges), len(frames)]
        found += [Shot(name, a, frames[a:b]) for a, b in zip(starts, ends, strict=True) if b - a >= 30]
    return [shot for shot in found if shot.frames.std(axis=(1, 2, 3)).mean() > 12]


def _film(path: Path) -> Frames:
    reel = Reel.open(path)
    wide = max(WIDTH, -(-reel.width * HEIGHT // reel.height))
    pictures = [p.image for p in reel.pictures(wide)]
    top, left = (pictures[0].shape[0] - HEIGHT) // 2, (wide - WIDTH) // 2
    return np.stack([p[top : top + HEIGHT, left : left + WIDTH] for p in pictures])


JUMP = RATE
"""A cut inside one shot leaves out at least this many frames; less is a stumble, not an edit."""
SEEN = {False: 14.0, True: 9.0}
"""Levels by which pictures on the two sides of any join, of a near-alike one, differ at least, light made even: less nobody sees."""


def _even(frames: Frames) -> NDArray[np.float32]:
    """Coarse grey pictures (n, 18, 32) brought to one mean and one contrast."""
    grey = frames.astype(np.float32).mean(3)
    small = grey.reshape(len(grey), 18, HEIGHT // 18, 32, WIDTH // 32).mean((2, 4)).reshape(len(grey), -1)
    return (small - small.mean(1, keepdims=True)) * (40 / (small.std(1, keepdims=True) + 4))


def _apart(a: Frames, b: Frames) -> float:
    """The least difference between the last eight frames of one run and the first eight of another."""
    return float(np.abs(_even(a[-8::2])[:, None] - _even(b[:8:2])[None]).mean(2).min())


class _Taken(NamedTuple):
    """A piece and where it is from."""

    frames: Frames
    shot: Shot | None
    start: int


def _piece(rng: np.random.Generator, pool: list[Shot], before: _Taken | None, near: bool) -> _Taken:
    """Frames from inside one shot, 1.2 to 4 s; ``near``: the likest to what is before of forty that differ visibly from it."""
    tries: list[tuple[float, int, _Taken]] = []
    while len(tries) < (40 if near else 1):
        shot = pool[rng.integers(len(pool))]
        frames = min(int(rng.uniform(1.2, 4.0) * RATE), len(shot.frames))
        start = int(rng.integers(len(shot.frames) - frames + 1))
        piece = _Taken(shot.frames[start : start + frames], shot, start)
        if before is None:
            return piece
        end = before.start + len(before.frames)
        jumps = shot is not before.shot or start >= end + JUMP or start + JUMP <= before.start
        gap = _apart(before.frames, piece.frames) if jumps else 0.0
        if gap > SEEN[near]:
            tries.append((gap, len(tries), piece))
    return min(tries, key=lambda t: t[:2])[2]


def _flash(rng: np.random.Generator, piece: Frames) -> tuple[Frames, str]:
    """One to four frames go white, or much brighter, and the picture comes back."""
    length, at = int(rng.integers(1, 5)), int(rng.integers(6, len(piece) // 2 - 4))
    white = float(rng.uniform(0.5, 1.0))
    made = piece.copy()
    lit = made[at : at + length].astype(np.float32)
    made[at : at + length] = lit + (255 - lit) * white
    return made, f"flash of {length} at {at}"


def _whip(rng: np.random.Generator, piece: Frames) -> tuple[Frames, str]:
    """A fast pan inside the shot over its mirrored surroundings, blurred by its speed, that comes to rest elsewhere."""
    length, at = int(rng.integers(6, 13)), int(rng.integers(6, len(piece) // 2 - 12))
    ends = WIDTH * float(rng.choice((-2, -1, 1, 2)))
    ease = 0.5 - 0.5 * np.cos(np.pi * np.arange(length + 1) / length)
    places = np.concatenate((np.zeros(at), ends * ease, np.full(len(piece), ends)))[: len(piece)]
    wide = np.concatenate((piece, piece[:, :, ::-1]), axis=2)
    made = piece.copy()
    for k in range(at, len(piece)):
        blur = np.linspace(places[k - 1], places[k], max(1, min(12, int(abs(places[k] - places[k - 1]) / 6))) + 1)[1:]
        made[k] = np.mean([np.roll(wide[k], round(-float(p)), axis=1)[:, :WIDTH] for p in blur], axis=0)
    return made, f"whip of {length} at {at}"


def _mixed(a: Frames, b: Frames) -> Frames:
    """The dissolve from one run of frames to another of equal length."""
    share = (np.arange(1, len(a) + 1, dtype=np.float32) / (len(a) + 1))[:, None, None, None]
    return np.rint(a * (1 - share) + b * share).astype(np.uint8)


def _faded(run: Frames, out: bool) -> Frames:
    share = np.arange(1, len(run) + 1, dtype=np.float32) / (len(run) + 1)
    return np.rint(run * (share[::-1] if out else share)[:, None, None, None]).astype(np.uint8)


def edit(seed: int, pool: list[Shot]) -> Edit:
    """The film of one seed: six to nine pieces, half of the joins hard cuts (a third of those near-alike), dissolves, fades."""
    rng = np.random.default_rng(seed)
    film, truth, tricks = [], [], []
    taken = _piece(rng, pool, None, False)
    last, done = taken.frames, 0
    for _ in range(int(rng.integers(5, 9))):
        join = rng.choice(("cut", "near", "dissolve", "fade"), p=(0.4, 0.25, 0.2, 0.15))
        taken = _piece(rng, pool, taken._replace(frames=last), join == "near")
        piece = taken.frames
        length = min(int(rng.integers(8, 49)), len(last) // 2, len(piece) // 2)
        if length < 8:
            join = "cut"
        trick = rng.random()
        if join in ("cut", "near") and trick < 0.4 and len(piece) > 40:
            piece, what = (_flash if trick < 0.25 else _whip)(rng, piece)
            tricks.append(f"{what} of the piece after {done + len(last)}")
        if join == "dissolve":
            film += [last[:-length], _mixed(last[-length:], piece[:length])]
            done += len(last)
            truth.append(Truth(done - length // 2, "dissolve", length))
            last = piece[length:]
        elif join == "fade":
            black = int(rng.integers(4, 16))
            film += [last[:-length], _faded(last[-length:], True), np.zeros((black, *last.shape[1:]), np.uint8)]
            done += len(last) + black
            truth.append(Truth(done - black, "fade", length))
            truth.append(Truth(done, "fade", length))
            last = np.concatenate((_faded(piece[:length], False), piece[length:]))
        else:
            film.append(last)
            done += len(last)
            truth.append(Truth(done, "cut"))
            last = piece
    film.append(last)
    return Edit(np.concatenate(film), tuple(truth), tuple(tricks))


def edits(seeds: range, media: Path) -> Iterator[tuple[int, Edit]]:
    """The edits of some seeds, one at a time."""
    pool = shots(media)
    for seed in seeds:
        yield seed, edit(seed, pool)


def write(path: Path, frames: Frames) -> Path:
    """Encode frames as H.264 at 24 a second."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE), options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode(None))
    return path
