"""What one message of a source tells about the transport of a DAW, whatever protocol it came in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

Kind = Literal["jack", "mtc", "clock", "link", "osc", "mmc"]
"""The protocols that tell of a transport: JACK, timecode, beat clock, Ableton Link, a DAW's own OSC, machine control."""


@dataclass(frozen=True)
class Report:
    """What a source said at one moment; None where it did not say.

    ``received_ns`` is when the message came in. The place is ``seconds`` of real time from the source's zero (for timecode, from
    the label 00:00:00:00) or ``beats`` (quarter notes) from the first bar. ``speed`` is 1 for normal, -1 for backwards, as far as
    the source knows; ``rolling`` whether the transport runs after this message. ``located`` marks a place that was gone to, not one
    passed while rolling.

    ``rate`` and ``drop`` are the timecode's, ``bpm`` the tempo that the source names. ``day`` is where its place starts again at 0.
    ``step`` is set where the reader counts equal messages: a lost message then leaves it behind by that much for ever. ``steady``
    is False for a source that speaks only when something happens, so that its silence means nothing.
    """

    source: str
    kind: Kind
    received_ns: int
    seconds: Fraction | None = None
    beats: Fraction | None = None
    rolling: bool | None = None
    speed: float | None = None
    located: bool = False
    rate: Fraction | None = None
    drop: bool = False
    bpm: float | None = None
    day: Fraction | None = None
    step: Fraction | None = None
    steady: bool = True


class MidiReader(Protocol):
    """What a reader of MIDI bytes owes: one message in, what it tells of the transport out, None if nothing. It never raises."""

    def feed(self, message: bytes, received_ns: int) -> Report | None:
        """Reads one whole MIDI message."""
