"""What was measured of a film, packed into the session, so that a brief can be drawn up again without the film at hand.

Arrays lie in the file as base64 of little-endian 32-bit floats (RFC 4648, IEEE 754): open, and a quarter of the size of decimals.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.errors import SessionError
from engines.picture.light import Light

if TYPE_CHECKING:
    from engines.conform.match import Matched
    from engines.picture.cutlist import CutList
    from engines.picture.motion import Motion

MEASURED = ("speed", "pace", "component", "impact", *Light._fields)
"""The arrays of `Motion` that a brief is drawn from; its directograms only serve a published formula, and are kept for that."""


def packed(motion: Motion, directograms: bool = False) -> dict[str, Any]:
    """The measurements as plain JSON; with ``directograms`` for the published formulas."""
    table: dict[str, Any] = {
        "rate": str(motion.rate),
        "duration": str(motion.duration),
        "cuts": [str(cut) for cut in motion.cuts],
        "frames": _text(motion.frames.astype("<i4")),
        "times": _times(motion.times),
    }
    table |= {name: _text(getattr(motion, name).astype("<f4")) for name in MEASURED}
    if directograms:
        table["directograms"] = _text(motion.directograms.astype("<f4"))
    return table


def unpacked(table: Mapping[str, Any]) -> Motion:
    """The measurements again. Raises SessionError for a table that is damaged."""
    from engines.picture.flow import BINS
    from engines.picture.motion import Motion

    try:
        frames = np.frombuffer(b64decode(table["frames"]), "<i4").astype(np.int64)
        arrays = {name: np.frombuffer(b64decode(table[name]), "<f4").astype(np.float64) for name in MEASURED}
        way = np.frombuffer(b64decode(table.get("directograms", "")), "<f4").reshape(-1, BINS)
        if any(len(values) != len(frames) for values in arrays.values()):
            raise ValueError("arrays of unequal length")
        return Motion(
            frames=frames,
            times=_fractions(table["times"], frames),
            rate=Fraction(table["rate"]),
            duration=Fraction(table["duration"]),
            cuts=tuple(Fraction(cut) for cut in table["cuts"]),
            directograms=way if len(way) == len(frames) else np.zeros((len(frames), BINS), np.float32),
            **arrays,
        )
    except (KeyError, ValueError, TypeError, ZeroDivisionError) as error:
        raise SessionError(
            f"the picture's measurements are damaged ({error})", cure="open an earlier copy of the session"
        ) from error


def retimed(motion: Motion, matched: Matched, rate: Fraction, programme: CutList, duration: Fraction) -> Motion:
    """Measurements as far as they hold for a new cut: those of the frames that are still there, at their new times; what is new has
    the mean of all. ``rate`` is that of the old film."""
    from engines.picture.motion import Motion

    step = max(1, round(rate / motion.rate))
    frames = np.arange(0, programme.frames, step, dtype=np.int64)
    known = np.full(len(frames), -1, np.int64)
    for piece in matched.pieces:
        inside = (frames >= piece.new_frame) & (frames < piece.new_frame + piece.frames)
        known[inside] = np.searchsorted(motion.frames, frames[inside] - piece.new_frame + piece.old_frame, side="right") - 1
    known[(known < 0) | (known >= len(motion.frames))] = -1

    def carried(values: Any) -> Any:
        rest = values.mean(axis=0) if len(values) else np.zeros(values.shape[1:])
        out = np.broadcast_to(rest, (len(frames), *values.shape[1:])).astype(values.dtype).copy()
        out[known >= 0] = values[known[known >= 0]]
        return out

    return Motion(
        frames=frames,
        times=tuple(int(frame) / programme.rate for frame in frames),
        rate=programme.rate / step,
        duration=duration,
        cuts=tuple(cut.time for cut in programme.cuts),
        directograms=carried(motion.directograms),
        **{name: carried(getattr(motion, name)) for name in MEASURED},
    )


def _text(values: Any) -> str:
    return b64encode(values.tobytes()).decode("ascii")


def _times(times: tuple[Fraction, ...]) -> Any:
    """Times that are multiples of one unit, as that unit and integers."""
    unit = 1
    for time in times:
        unit = int(np.lcm(unit, time.denominator)) if unit < 10**9 else unit
    if unit < 10**9 and all((time * unit).denominator == 1 for time in times):
        return {"unit": str(Fraction(1, unit)), "counts": _text(np.array([int(time * unit) for time in times], "<i8"))}
    return [str(time) for time in times]


def _fractions(table: Any, frames: Any) -> tuple[Fraction, ...]:
    if isinstance(table, list):
        times = tuple(Fraction(time) for time in table)
    else:
        unit = Fraction(table["unit"])
        times = tuple(int(count) * unit for count in np.frombuffer(b64decode(table["counts"]), "<i8"))
    if len(times) != len(frames):
        raise ValueError("as many times as frames are needed")
    return times
