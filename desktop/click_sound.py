"""The click of a tempo map, heard against the picture: wood blocks on its beats, made sample by sample as the sound card asks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QIODevice, QObject, pyqtSignal

from desktop.language import words
from engines.spotting.click import DOWNBEAT, click

if TYPE_CHECKING:
    from fractions import Fraction

    from desktop.transport import Transport
    from engines.spotting.tempo import TempoMap

tr = words("candidates")

RATE = 48_000
"""Samples a second, one channel of 16 bits."""
LENGTH_S, DECAY_S = 0.045, 0.008
HIGH, LOW = (1_760.0, 0.55), (1_174.7, 0.36)
"""Pitch in Hz and level (0..1) of a downbeat and of any other beat."""
FASTEST = 2.0
"""Times normal speed beyond which clicks are a rattle; backwards there are none either."""

Samples = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Beats:
    """When a click sounds, in rising seconds of the film, and whether it is a downbeat."""

    times: NDArray[np.float64]
    down: NDArray[np.bool_]


def beats_of(tempo_map: TempoMap, end: Fraction) -> Beats:
    """The clicks of a tempo map until ``end`` (seconds of the film)."""
    notes = click(tempo_map, end)
    times = np.array([float(tempo_map.seconds(note.start)) for note in notes])
    return Beats(times, np.array([note.pitch == DOWNBEAT for note in notes], bool))


def block(pitch: float, level: float) -> NDArray[np.float32]:
    """One stroke: a sine that dies away."""
    time = np.arange(round(LENGTH_S * RATE)) / RATE
    wave = level * np.sin(2 * np.pi * pitch * time) * np.exp(-time / DECAY_S)
    return wave.astype(np.float32)


def rendered(beats: Beats, start: float, speed: float, first: int, count: int) -> Samples:
    """Samples ``first`` to ``first + count`` of a picture that rolls from second ``start`` on at ``speed``; a stroke begins on the sample
    nearest to its beat."""
    high, low = _STROKES
    out = np.zeros(count, np.float32)
    at = np.rint((beats.times - start) / speed * RATE)
    for k in range(*np.searchsorted(at, (first - len(high), first + count))):
        if at[k] < 0:
            continue
        stroke, begins = (high if beats.down[k] else low), int(at[k]) - first
        a, b = max(0, begins), min(count, begins + len(stroke))
        if a < b:
            out[a:b] += stroke[a - begins : b - begins]
    return (np.clip(out, -1, 1) * 32_767).astype("<i2")


_STROKES = block(*HIGH), block(*LOW)


class Source(QIODevice):
    """What a sound card reads from: the clicks from a moment of the film on."""

    def __init__(self, beats: Beats, start: float, speed: float) -> None:
        super().__init__()
        self._beats, self._start, self._speed = beats, start, speed
        self._first = 0
        self.open(QIODevice.OpenModeFlag.ReadOnly)

    def isSequential(self) -> bool:  # noqa: N802  Qt's name
        return True

    def bytesAvailable(self) -> int:  # noqa: N802
        return 1 << 20

    def readData(self, most: int) -> bytes:  # noqa: N802
        count = min(most // 2, RATE)
        made = rendered(self._beats, self._start, self._speed, self._first, count)
        self._first += count
        return made.tobytes()


class Outlet(Protocol):
    """Where sound goes."""

    def start(self, source: QIODevice) -> None:
        """Reads a source until it is stopped."""

    def stop(self) -> None:
        """Is silent at once."""


def speaker() -> Outlet | str:
    """The system's sound output, or in a word why there is none."""
    try:
        from PyQt6.QtMultimedia import QAudioFormat, QAudioSink, QMediaDevices
    except ImportError:
        return tr("no sound: Qt's sound libraries are not on this system")
    device = QMediaDevices.defaultAudioOutput()
    if device.isNull():
        return tr("no sound output on this machine: the beats are shown, not heard")
    form: Any = QAudioFormat()
    form.setSampleRate(RATE)
    form.setChannelCount(1)
    form.setSampleFormat(QAudioFormat.SampleFormat.Int16)
    if not device.isFormatSupported(form):
        return tr("no sound: the output takes no 48 kHz")
    return QAudioSink(device, form)


class Click(QObject):
    """Clicks along with the picture while it rolls forwards. Nothing sounds while a DAW leads: it has a click of its own."""

    changed = pyqtSignal(str)  # why nothing can be heard, in a word; empty where it can

    def __init__(self, transport: Transport, outlet: Callable[[], Outlet | str] = speaker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._transport, self._make = transport, outlet
        self._outlet: Outlet | None = None
        self._source: Source | None = None
        self._beats: Beats | None = None
        self.word = ""
        """Why nothing can be heard; empty where it can, or was not tried yet."""
        transport.rolled.connect(lambda _: self._restart())
        transport.located.connect(lambda _: self._restart())

    @property
    def sounds(self) -> bool:
        """Whether clicks are going out."""
        return self._source is not None

    def play(self, beats: Beats | None) -> None:
        """Clicks on these beats from now on, whenever the picture rolls; None is silence."""
        self._beats = beats
        if beats is not None and self._outlet is None and not self.word:
            made = self._make()
            if isinstance(made, str):
                self.word = made
                self.changed.emit(made)
            else:
                self._outlet = made
        self._restart()

    def _restart(self) -> None:
        if self._outlet is None:
            return
        if self._source is not None:
            self._outlet.stop()
            self._source = None
        speed = self._transport.speed
        if self._beats is not None and 0 < speed <= FASTEST and not self._transport.follows:
            self._source = Source(self._beats, float(self._transport.seconds), speed)
            self._outlet.start(self._source)
