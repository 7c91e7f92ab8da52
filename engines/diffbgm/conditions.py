"""What the network is told, as 32 tokens a window, one a beat: from music while it learns, from a brief when it composes.

Two sources, as published (``specs/diffbgm.md`` section 2): above `SWITCH` the network hears the first, ``scene``, below it the second,
``beat``. Ours tell the same bars; only the scene also tells mood, key and tempo, which decide the notes while they still take shape.
A field that is not told is -1, and a token of -1 throughout is no condition at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.diffbgm.pianoroll import BEATS, STEPS_PER_BEAT
from engines.score.harmony import pitch_class

SWITCH = 200
"""The last time at which the second source is heard, as published."""
UNTOLD = -1.0

FIELDS = {
    "chord": slice(0, 24),
    "density": slice(24, 25),
    "energy": slice(25, 26),
    "register": slice(26, 27),
    "strength": slice(27, 31),
    "mood": slice(31, 35),
    "key": slice(35, 49),
    "tempo": slice(49, 50),
    "stems": slice(50, 53),
    "beat": slice(53, 57),
    "place": slice(57, 64),
}
"""Where a token holds what: root (12) and tones (12) of the chord; density of its bar in sixteenths of 16; energy 0..1; register over
the seven octaves 0..1; strength of its four sixteenths; mood (4); tonic (12), major, minor; tempo in octaves above 100 BPM; the
stems that play; the beat in its bar (4); and seven slow waves that tell where in the window it is."""
TOKEN = 64
SCENE_ALONE = ("mood", "key", "tempo")
CONTROLS = tuple(name for name in FIELDS if name not in ("beat", "place"))
REGISTER_LOW, REGISTER_SPAN = 22, 83

Tokens = npt.NDArray[np.float32]


@dataclass(frozen=True)
class BarTold:
    """What is told of one bar; None where it is not. ``density`` is onset positions, ``energy`` 0..1, ``register`` a mean MIDI
    pitch."""

    density: float | None = None
    energy: float | None = None
    register: float | None = None


def blank() -> Tokens:
    """A window's tokens with nothing told but where they are: (32, `TOKEN`)."""
    tokens = np.full((BEATS, TOKEN), UNTOLD, np.float32)
    beat = np.arange(BEATS)
    tokens[:, FIELDS["beat"]] = np.eye(STEPS_PER_BEAT)[beat % STEPS_PER_BEAT]
    phase = np.pi * beat / (BEATS - 1)
    tokens[:, FIELDS["place"]] = np.stack([np.cos(k * phase) for k in range(1, 8)], axis=1)
    return tokens


def untold(width: int = TOKEN) -> Tokens:
    """No condition at all, as published: -1 throughout, (32, width)."""
    return np.full((BEATS, width), UNTOLD, np.float32)


def tell_chord(tokens: Tokens, beat: int, tones: Sequence[int]) -> None:
    """Writes a chord, root first, into the token of a beat; () (no chord) as neither root nor tones."""
    field = np.zeros(24, np.float32)
    if tones:
        field[tones[0]] = 1
        field[12 + np.array(tones)] = 1
    tokens[beat, FIELDS["chord"]] = field


def tell_bar(tokens: Tokens, beats: slice, told: BarTold) -> None:
    """Writes a bar's controls into the tokens of its beats."""
    if told.density is not None:
        tokens[beats, FIELDS["density"]] = told.density / 16
    if told.energy is not None:
        tokens[beats, FIELDS["energy"]] = told.energy
    if told.register is not None:
        tokens[beats, FIELDS["register"]] = (told.register - REGISTER_LOW) / REGISTER_SPAN


def tell_scene(tokens: Tokens, mood: int | None, key: str | None, bpm: float | None) -> None:
    """Writes what holds for a whole window: mood 1..4, a key such as ``F#:min``, tempo."""
    if mood:
        tokens[:, FIELDS["mood"]] = np.eye(4)[mood - 1]
    tonic, _, mode = (key or "").partition(":")
    place = pitch_class(tonic)
    if place is not None:
        tokens[:, FIELDS["key"]] = np.concatenate([np.eye(12)[place], [mode == "maj", mode == "min"]])
    if bpm is not None:
        tokens[:, FIELDS["tempo"]] = np.log2(bpm / 100)


def tell_stems(tokens: Tokens, stems: Sequence[bool]) -> None:
    """Writes which stems play in the window."""
    tokens[:, FIELDS["stems"]] = np.array(stems, np.float32)


def as_beat(tokens: Tokens) -> Tokens:
    """The second source of a scene's tokens: the same without what only the scene tells. Any batch."""
    out = tokens.copy()
    for name in SCENE_ALONE:
        told = out[..., FIELDS[name]]
        told[...] = UNTOLD
    return out


def strength_of(count: int) -> float:
    """0..1: how strongly an onset of so many notes marks its moment; the inverse of two notes for the softest hit, six for the
    strongest."""
    return min(1.0, max(0.0, (count - 2) / 4))
