"""A small sampler: notes through the zones of a soundfont, with their dynamics and releases, to stereo sound.

Of the SoundFont model it plays samples, loops, tuning, the volume envelope, velocity, pan and a fixed low-pass filter; no
vibrato. Written because the synthesiser that pip can install plays every velocity alike and cuts
every note off at its end, so that a performance could not be heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from math import acos, ceil, cos, log, pi, sin, sqrt, tan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.score.soundfont import (
    ATTACK,
    ATTENUATION,
    CUTOFF,
    CUTOFF_BY_ENVELOPE,
    DECAY,
    DELAY,
    FILTER_ATTACK,
    FILTER_DECAY,
    FILTER_HOLD,
    FILTER_SUSTAIN,
    HOLD,
    KEY_DECAY,
    KEY_HOLD,
    MODES,
    PAN,
    RELEASE,
    SCALE,
    SUSTAIN,
    SoundFont,
    Zone,
)

RATE = 48_000
"""Samples a second: the rate of film."""

Sound = NDArray[np.float32]
"""Samples, shape (frames,) or (2, frames), full scale at 1."""

BLOCK = 10 * RATE
SILENCE_DB = 72.0
LONGEST_RELEASE = 2.5  # seconds
SHORTEST = 0.01  # seconds for which a note is held at least
_NEPER = log(10) / 20  # of a decibel
_MOMENT = 0.25  # seconds into a note at which its filter's envelope is taken
_ROUND = RATE  # samples to which kept waves are rounded up, so that the next note finds them long enough
_CACHE = 64 << 20  # samples of resampled waves that are kept for the next note on the same key
_INAUDIBLE = 1e-7  # of what a filter was struck with: no more is heard of its ringing
_NONE = -12_000  # timecents of a delay, and below: the specification's word for none
_ATTENUATION = 0.4  # of what a soundfont says, as the sound cards did for which the fonts were made


class Voice(NamedTuple):
    """A note to sound: seconds, MIDI pitch and velocity, program; ``bank`` 128 is percussion."""

    start: float
    length: float
    pitch: int
    velocity: int
    program: int = 0
    bank: int = 0


class Sampler:
    """Plays voices through one soundfont; ``cache`` is how many samples of waves it keeps for the next note on the same key."""

    def __init__(self, font: SoundFont, cache: int = _CACHE) -> None:
        self.font = font
        self._cache = cache
        self._waves: dict[tuple[Zone, int], Sound] = {}
        self._held = 0

    def blocks(self, voices: Iterable[Voice], frames: int) -> Iterator[Sound]:
        """The sound of all voices from 0 on, exactly ``frames`` long, in blocks of (2, up to ten seconds)."""
        waiting = deque(sorted(voices))
        tail: Sound = np.zeros((2, 0), np.float32)
        for begin in range(0, frames, BLOCK):
            end = min(begin + BLOCK, frames)
            mix = np.zeros((2, max(end - begin, tail.shape[1])), np.float32)
            mix[:, : tail.shape[1]] = tail
            while waiting and round(waiting[0].start * RATE) < end:
                voice = waiting.popleft()
                for zone in self._zones(voice):
                    mix = self._played(zone, voice, mix, max(0, round(voice.start * RATE) - begin))
            yield mix[:, : end - begin]
            tail = mix[:, end - begin :]

    def stretch(self, voices: Iterable[Voice], first: int, count: int) -> Sound:
        """Samples ``first`` to ``first + count`` of the same sound, (2, count), without what lies before: of a note that began earlier
        the part that sounds here."""
        mix = np.zeros((2, count), np.float32)
        for voice in sorted(voices):
            at = round(voice.start * RATE) - first
            for zone in self._zones(voice) if at < count else ():
                sound, shares = self._sound(zone, voice)
                here, until = max(0, at), min(count, at + len(sound))
                for side, share in shares if here < until else ():
                    mix[side, here:until] += sound[here - at : until - at] * share
        return mix

    def _zones(self, voice: Voice) -> Iterator[Zone]:
        return (zone for zone in self.font.zones(voice.program, voice.bank) if zone.covers(voice.pitch, voice.velocity))

    def _played(self, zone: Zone, voice: Voice, mix: Sound, at: int) -> Sound:
        """The mix with one voice of one zone in it; longer, if the voice is."""
        sound, shares = self._sound(zone, voice)
        missing = at + len(sound) - mix.shape[1]
        if missing > 0:
            mix = np.concatenate([mix, np.zeros((2, missing + RATE), np.float32)], axis=1)
        for side, share in shares:
            mix[side, at : at + len(sound)] += sound * share
        return mix

    def _sound(self, zone: Zone, voice: Voice) -> tuple[Sound, list[tuple[int, np.float32]]]:
        """One voice of one zone from its first sample on, and how much of it goes to which side."""
        shape = envelope(zone, voice.pitch, voice.length)
        sound = self._wave(zone, voice.pitch, len(shape))[: len(shape)]
        gain = (voice.velocity / 127) ** 2 * 10 ** (-_ATTENUATION * max(0, zone.value(ATTENUATION)) / 200)
        angle = (min(500, max(-500, zone.value(PAN))) / 1000 + 0.5) * pi / 2
        shares = [(side, np.float32(gain * share)) for side, share in enumerate((cos(angle), sin(angle))) if share > 1e-6]
        return sound * shape[: len(sound)], shares

    def _wave(self, zone: Zone, pitch: int, frames: int) -> Sound:
        """The sample at a pitch, at least ``frames`` long if it loops; the longest so far is kept."""
        known = self._waves.get((zone, pitch))
        if known is not None and (len(known) >= frames or not _loops(zone)):
            return known
        if self._held > self._cache:
            self._waves.clear()
            self._held = 0
        wave = _filtered(zone, resampled(zone, pitch, ceil(frames / _ROUND) * _ROUND))
        self._waves[zone, pitch] = wave
        self._held += len(wave)
        return wave


def _loops(zone: Zone) -> bool:
    return zone.value(MODES) & 1 == 1 and 0 <= zone.loop[0] < zone.loop[1] - 1 and zone.loop[1] <= len(zone.wave)


def resampled(zone: Zone, pitch: int, frames: int) -> Sound:
    """The sample at a pitch, by linear interpolation; it ends early if it does not loop."""
    cents = (pitch - zone.root) * zone.value(SCALE) + zone.cents
    step = zone.rate / RATE * 2 ** (cents / 1200)
    if not _loops(zone):
        return _at(zone.wave, np.arange(0, len(zone.wave) - 1, step))[:frames]
    first, last = zone.loop
    before = ceil(last / step)
    places = np.arange(frames, dtype=np.float64) * step
    if frames > before:
        places[before:] = first + (places[before:] - first) % (last - first)
    return _at(np.append(zone.wave[:last], zone.wave[first]), places)


def _at(wave: Sound, places: NDArray[np.float64]) -> Sound:
    left = places.astype(np.int32)
    part = (places - left).astype(np.float32)
    low = wave[left]
    return np.asarray(low + (wave[left + 1] - low) * part, np.float32)


def _filtered(zone: Zone, wave: Sound) -> Sound:
    """Through the zone's low-pass filter, two poles without resonance, where its envelope has brought it after a moment."""
    attack, hold, decay = (_seconds(zone.value(g)) for g in (FILTER_ATTACK, FILTER_HOLD, FILTER_DECAY))
    fallen = min(max(0.0, (_MOMENT - attack - hold) / decay), zone.value(FILTER_SUSTAIN) / 1000)
    cents = zone.value(CUTOFF) + zone.value(CUTOFF_BY_ENVELOPE) * (1 - fallen)
    hertz = 8.176 * 2 ** (cents / 1200)
    if cents >= 13500 or hertz >= 0.4 * RATE:
        return wave
    return lowpass(wave, max(20.0, hertz))


def lowpass(wave: Sound, hertz: float) -> Sound:
    """Through two poles (Butterworth, by the bilinear transform), as the sum of their response to every sample. scipy has the same, and
    takes half a second to load: as long as somebody may wait for the first sound."""
    warped = tan(pi * hertz / RATE)
    scale = 1 / (1 + sqrt(2) * warped + warped**2)
    radius, middle = sqrt((1 - sqrt(2) * warped + warped**2) * scale), (1 - warped**2) * scale
    angle = acos(middle / radius)
    time = np.arange(ceil(log(_INAUDIBLE) / log(radius)))
    ringing = radius**time * np.sin((time + 1) * angle) / sin(angle)
    response = np.convolve(ringing, np.array([1, 2, 1]) * warped**2 * scale)
    size = 1 << max(12, (2 * len(response)).bit_length())
    step = size - len(response) + 1
    rows = ceil(len(wave) / step)
    spread = np.zeros((rows, size), np.float32)
    spread[:, :step] = np.pad(wave, (0, rows * step - len(wave))).reshape(rows, step)
    rung = np.fft.irfft(np.fft.rfft(spread) * np.fft.rfft(response, size), size)
    out = np.zeros(rows * step + size, np.float32)
    for row in range(rows):
        out[row * step : row * step + size] += rung[row]
    return out[: len(wave)]


def envelope(zone: Zone, pitch: int, length: float) -> Sound:
    """The volume envelope of a note that is held for ``length`` seconds, until it has died away."""
    attack, release = (_seconds(zone.value(g)) for g in (ATTACK, RELEASE))
    delay = 0.0 if zone.value(DELAY) <= _NONE else _seconds(zone.value(DELAY))
    hold = _seconds(zone.value(HOLD) + (60 - pitch) * zone.value(KEY_HOLD))
    decay = _seconds(zone.value(DECAY) + (60 - pitch) * zone.value(KEY_DECAY))
    sustain = min(SILENCE_DB, max(0.0, zone.value(SUSTAIN) / 10))
    frames = ceil(max(SHORTEST, length) * RATE)
    held = np.ones(frames, np.float32)
    peak, steady = (ceil((delay + attack + more) * RATE) for more in (hold, hold + decay * sustain / 100))
    if sustain:
        fall = np.arange(max(0, min(frames, steady) - peak), dtype=np.float32)
        held[peak : peak + len(fall)] = np.exp(fall * np.float32(-100 * _NEPER / (decay * RATE)))
        held[steady:] = 10 ** (-sustain / 20)
    rise = np.arange(min(frames, ceil((delay + attack) * RATE)), dtype=np.float32) / RATE
    held[: len(rise)] *= np.clip((rise - delay) / attack, 0, 1)
    fading = np.arange(ceil(min(release * SILENCE_DB / 100, LONGEST_RELEASE) * RATE), dtype=np.float32)
    return np.concatenate([held, held[-1] * np.exp(fading * np.float32(-100 * _NEPER / (release * RATE)))])


def _seconds(timecents: int) -> float:
    """Timecents as seconds, a millisecond at least so that nothing clicks."""
    return max(0.001, 2 ** (min(8000, timecents) / 1200))
