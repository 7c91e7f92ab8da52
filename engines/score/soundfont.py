"""SoundFont 2 files (the 2.04 specification): presets by program, as the zones of samples that sound for a key and a velocity."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.errors import MissingLibraryError, OptionError
from engines.files import read

LARGEST = 1 << 32
"""Bytes; the format counts them in 32 bits."""

# generators by their number in section 8.1.2
START, END, LOOP_START, LOOP_END, START_COARSE, CUTOFF, CUTOFF_BY_ENVELOPE, END_COARSE, PAN = 0, 1, 2, 3, 4, 8, 11, 12, 17
FILTER_ATTACK, FILTER_HOLD, FILTER_DECAY, FILTER_SUSTAIN = 26, 27, 28, 29  # of the modulation envelope
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE, KEY_HOLD, KEY_DECAY = 33, 34, 35, 36, 37, 38, 39, 40
INSTRUMENT, KEYS, VELOCITIES, LOOP_START_COARSE, ATTENUATION, LOOP_END_COARSE = 41, 43, 44, 45, 48, 50
COARSE, FINE, SAMPLE, MODES, SCALE, ROOT = 51, 52, 53, 54, 56, 58

_DEFAULTS = dict.fromkeys(
    (DELAY, ATTACK, HOLD, DECAY, RELEASE, FILTER_ATTACK, FILTER_HOLD, FILTER_DECAY), -12000
)  # timecents: 1 ms
_DEFAULTS |= {CUTOFF: 13500, SCALE: 100, ROOT: -1}
_INSTRUMENT_ONLY = {
    SAMPLE,
    MODES,
    ROOT,
    START,
    END,
    LOOP_START,
    LOOP_END,
    START_COARSE,
    END_COARSE,
    LOOP_START_COARSE,
    LOOP_END_COARSE,
}
_WHOLE = (0, 127)

_HEADERS = {
    "phdr": np.dtype("S20,<u2,<u2,<u2,<u4,<u4,<u4"),
    "inst": np.dtype("S20,<u2"),
    "pbag": np.dtype("<u2,<u2"),
    "ibag": np.dtype("<u2,<u2"),
    "pgen": np.dtype("<u2,<i2"),
    "igen": np.dtype("<u2,<i2"),
    "shdr": np.dtype("S20,<u4,<u4,<u4,<u4,<u4,u1,i1,<u2,<u2"),
}


@dataclass(frozen=True, eq=False)
class Zone:
    """One sample and how it sounds: ``values`` are the sums of its generators, in the units of the specification."""

    keys: tuple[int, int]
    velocities: tuple[int, int]
    wave: NDArray[np.float32]
    loop: tuple[int, int]
    rate: int
    root: int
    cents: float
    values: dict[int, int]

    def covers(self, pitch: int, velocity: int) -> bool:
        """Whether the zone sounds for a note."""
        return self.keys[0] <= pitch <= self.keys[1] and self.velocities[0] <= velocity <= self.velocities[1]

    def value(self, generator: int) -> int:
        """A generator's value, or the specification's default."""
        return self.values.get(generator, _DEFAULTS.get(generator, 0))


class SoundFont:
    """An opened soundfont; presets are put together when they are first asked for."""

    def __init__(self, path: str | Path) -> None:
        """Raises OptionError for anything that is no SoundFont 2 with plain samples."""
        self.path = Path(path)
        self._presets: dict[tuple[int, int], tuple[Zone, ...]] = {}
        try:
            data = read(self.path, LARGEST)
            chunks = dict(_chunks(data))
            self._tables = {name: np.frombuffer(chunks[name], dtype) for name, dtype in _HEADERS.items()}
            self._wave = np.frombuffer(chunks["smpl"], "<i2")
        except OSError as error:
            raise OptionError(f"cannot be read ({error.strerror})", where=self.path, cure="name a soundfont (.sf2)") from error
        except (KeyError, ValueError, struct.error):
            cure = "give an .sf2 file; an .sf3 or a sampler's library needs a program of its own"
            raise OptionError("not a SoundFont 2 file", where=self.path, cure=cure) from None

    def zones(self, program: int, bank: int = 0) -> tuple[Zone, ...]:
        """The zones of a program; of program 0 where the soundfont lacks it. Bank 128 is percussion."""
        if (bank, program) not in self._presets:
            heads = self._tables["phdr"]
            found = [k for k in range(len(heads) - 1) if (int(heads[k][2]), int(heads[k][1])) == (bank, program)]
            if not found and (bank, program) != (0, 0):
                return self.zones(0, bank if program else 0)
            try:
                self._presets[bank, program] = tuple(self._preset(found[0])) if found else ()
            except (IndexError, ValueError):
                raise OptionError(f"program {program} is broken", where=self.path, cure="use another soundfont") from None
        return self._presets[bank, program]

    def _bags(self, head: str, bag: str, gen: str, index: int, terminal: int) -> Iterator[dict[int, int]]:
        """The generators of every zone of a preset or instrument, on top of its global zone."""
        place = 3 if head == "phdr" else 1
        first, last = (int(self._tables[head][index + k][place]) for k in (0, 1))
        common: dict[int, int] = {}
        for number in range(first, last):
            begin, end = (int(self._tables[bag][number + k][0]) for k in (0, 1))
            own = {int(oper): int(amount) for oper, amount in self._tables[gen][begin:end]}
            if terminal in own:
                yield {**common, **own}
            elif number == first:
                common = own

    def _preset(self, index: int) -> Iterator[Zone]:
        for outer in self._bags("phdr", "pbag", "pgen", index, INSTRUMENT):
            for inner in self._bags("inst", "ibag", "igen", outer[INSTRUMENT], SAMPLE):
                zone = self._zone(outer, inner)
                if zone is not None:
                    yield zone

    def _zone(self, outer: dict[int, int], inner: dict[int, int]) -> Zone | None:
        keys, velocities = (_common(outer.get(g), inner.get(g)) for g in (KEYS, VELOCITIES))
        _, start, end, loop_start, loop_end, rate, pitch, correction, _, kind = self._tables["shdr"][inner[SAMPLE]].item()
        if keys[0] > keys[1] or velocities[0] > velocities[1] or kind & 0x8000 or not rate:
            return None
        values = dict(inner)
        for generator, amount in outer.items():
            if generator not in _INSTRUMENT_ONLY:
                values[generator] = inner.get(generator, _DEFAULTS.get(generator, 0)) + amount
        begin = start + inner.get(START, 0) + 32768 * inner.get(START_COARSE, 0)
        stop = end + inner.get(END, 0) + 32768 * inner.get(END_COARSE, 0)
        loop = (
            loop_start + inner.get(LOOP_START, 0) + 32768 * inner.get(LOOP_START_COARSE, 0) - begin,
            loop_end + inner.get(LOOP_END, 0) + 32768 * inner.get(LOOP_END_COARSE, 0) - begin,
        )
        root = inner[ROOT] if inner.get(ROOT, -1) >= 0 else pitch
        cents = correction + 100 * values.get(COARSE, 0) + values.get(FINE, 0)
        wave = np.asarray(self._wave[begin:stop] / 32768, np.float32)
        return Zone(keys, velocities, wave, loop, rate, root, cents, values) if len(wave) > 1 else None


def _common(outer: int | None, inner: int | None) -> tuple[int, int]:
    """Two ranges of keys or velocities, each low byte first, as their intersection."""
    ranges = [_WHOLE if amount is None else (amount & 0xFF, amount >> 8 & 0xFF) for amount in (outer, inner)]
    return max(r[0] for r in ranges), min(r[1] for r in ranges)


def _chunks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The leaves of the RIFF tree by name."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("no sfbk form")
    stack = [(12, len(data))]
    while stack:
        place, end = stack.pop()
        while place + 8 <= end:
            name, size = data[place : place + 4], struct.unpack("<I", data[place + 4 : place + 8])[0]
            if place + 8 + size > end:
                raise ValueError("cut short")
            if name == b"LIST":
                stack.append((place + 12, place + 8 + size))
            else:
                yield name.decode("latin-1"), data[place + 8 : place + 8 + size]
            place += 8 + size + size % 2


def bundled_soundfont() -> Path:
    """The General MIDI soundfont that pretty_midi brings along (TimGM6mb, by Tim Brechbill). Raises MissingLibraryError."""
    found = find_spec("pretty_midi")
    folder = Path(found.origin).parent if found and found.origin else Path()
    if not (folder / "TimGM6mb.sf2").is_file():
        raise MissingLibraryError("pretty_midi's soundfont is not installed", cure="pip install pretty_midi, or give a soundfont")
    return folder / "TimGM6mb.sf2"
