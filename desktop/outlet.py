"""Where sound goes: the system's output, behind the few words that the window says to it, or a word on why there is none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PyQt6.QtCore import QIODevice

from bridge.hush import hushed
from desktop.language import wordless, words
from engines.picture.soundtrack import RATE, Samples

if TYPE_CHECKING:
    from PyQt6.QtMultimedia import QAudioDevice, QAudioFormat, QAudioSink

tr = words("sound")
CHANNELS, BYTES = 2, 4
"""Left and right, 16 bits each: bytes of one sample of both."""
AHEAD_S = 0.16
"""Seconds of sound that are handed over before they are heard: what a busy window may be late."""

Part = Callable[[int, int], Samples]
"""What is mixed: gives so many samples from one on, counted from the start, (samples, 2)."""


class Outlet(Protocol):
    """An output of 48 kHz, 16 bits, stereo. Made, asked and stopped on the window's thread."""

    def start(self, source: QIODevice) -> None:
        """Reads a source until it is stopped."""

    def stop(self) -> None:
        """Is silent at once."""

    @property
    def played(self) -> int:
        """Samples (of both channels) that were heard since the start. They come in steps, as the card takes them."""


class Mix(QIODevice):
    """What an outlet reads from: parts that sound together, from the moment on at which it was made."""

    def __init__(self, *parts: Part) -> None:
        super().__init__()
        self.parts = parts
        self.read_on = 0
        """Samples that were handed over."""
        self.open(QIODevice.OpenModeFlag.ReadOnly | QIODevice.OpenModeFlag.Unbuffered)  # Qt would read 85 ms ahead

    def isSequential(self) -> bool:  # noqa: N802  Qt's name
        return True

    def bytesAvailable(self) -> int:  # noqa: N802
        return 1 << 20

    def readData(self, most: int) -> bytes:  # noqa: N802
        count = min(most // BYTES, RATE)
        whole = np.zeros((count, CHANNELS), np.int32)
        for part in self.parts:
            whole += part(self.read_on, count)
        self.read_on += count
        return np.clip(whole, -32_768, 32_767).astype("<i2").tobytes()


class Speaker:
    """The system's output, by Qt. A device that is lost plays no more: `played` stands still."""

    def __init__(self, device: QAudioDevice, form: QAudioFormat) -> None:
        self._device, self._form = device, form
        self._sink: QAudioSink | None = None
        self._source: QIODevice | None = None

    def start(self, source: QIODevice) -> None:
        from PyQt6.QtMultimedia import QAudioSink

        self._source = source  # Qt keeps no reference of its own
        self._sink = QAudioSink(self._device, self._form)  # one that was reset does not begin again on PulseAudio (Qt 6.11)
        self._sink.setBufferSize(round(AHEAD_S * RATE) * BYTES)
        self._sink.start(source)

    def stop(self) -> None:
        if self._sink is not None:
            self._sink.reset()  # `stop` would let it play out what it has
            self._sink.deleteLater()
        self._sink = self._source = None

    @property
    def played(self) -> int:
        return 0 if self._sink is None else round(self._sink.processedUSecs() * RATE / 1_000_000)


def load() -> None:
    """Loads Qt's sound libraries, so that finding the output takes half as long. On the window's thread: PyQt's modules must be."""
    with suppress(ImportError), wordless():  # `speaker` says so
        import_module("PyQt6.QtMultimedia")


def speaker() -> Outlet | str:
    """The system's sound output, or in a word why there is none."""
    try:
        with wordless():
            from PyQt6.QtMultimedia import QAudioFormat, QMediaDevices
    except ImportError:
        return tr("No sound: Qt's sound libraries are not on this system. The picture plays alone.")
    with hushed(), wordless():
        device = QMediaDevices.defaultAudioOutput()
    if device.isNull():
        return tr("No sound output on this machine: the picture plays alone.")
    form: Any = QAudioFormat()
    form.setSampleRate(RATE)
    form.setChannelCount(CHANNELS)
    form.setSampleFormat(QAudioFormat.SampleFormat.Int16)
    if not device.isFormatSupported(form):
        return tr("No sound: the output takes no 48 kHz. The picture plays alone.")
    return Speaker(device, form)
